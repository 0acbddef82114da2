// In the browser's audio thread: gathers what comes, 128 samples at a time, into blocks of some 40 ms.

const BLOCK = 2048;

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.block = new Float32Array(BLOCK);
    this.filled = 0;
    this.stopped = false;
    this.port.onmessage = () => {
      this.port.postMessage(this.block.slice(0, this.filled));
      this.port.postMessage(null);
      this.stopped = true;
    };
  }

  process([[samples]]) {
    if (samples && !this.stopped) {
      for (const sample of samples) {
        this.block[this.filled++] = Math.max(-1, Math.min(1, sample));
        if (this.filled === BLOCK) {
          this.port.postMessage(this.block, [this.block.buffer]);
          this.block = new Float32Array(BLOCK);
          this.filled = 0;
        }
      }
    }
    return !this.stopped;
  }
}

registerProcessor("capture", Capture);
