// WebRTC's voice activity detector, the very one that webrtcvad has in Python, compiled to WebAssembly.

const RATE = 16_000;

/** The samples of a frame that the detector judges: 20 ms. */
export const FRAME = 320;

/**
 * @param {string} url of the vendored fvad.js
 * @param {number} mode 0 to 3: how strict it is
 * @returns {Promise<() => (frame: Int16Array) => boolean>} makes a detector: whether a frame of 16 kHz is voiced
 */
export async function loadDetector(url, mode) {
  const { default: load } = await import(url);
  const wasm = await load();
  return () => {
    const detector = wasm._fvad_new();
    wasm._fvad_set_mode(detector, mode);
    wasm._fvad_set_sample_rate(detector, RATE);
    const place = wasm._malloc(2 * FRAME);
    return (frame) => {
      wasm.HEAP16.set(frame, place >> 1); // looked up each time: memory that grows is another array
      return wasm._fvad_process(detector, place, FRAME) === 1;
    };
  };
}
