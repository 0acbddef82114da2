// What was recorded as a file: wav, mono, 16 bit.

/**
 * @param {Float32Array} samples in [-1, 1]
 * @returns {Int16Array} half as many bytes
 */
export function toInt16(samples) {
  return Int16Array.from(samples, (sample) => Math.round(32767 * sample));
}

/**
 * @param {Int16Array[]} blocks
 * @param {number} rate in Hz
 * @param {string} name
 * @returns {File}
 */
export function wavFile(blocks, rate, name) {
  const length = blocks.reduce((sum, block) => sum + block.length, 0);
  const head = new DataView(new ArrayBuffer(44));
  const text = (at, letters) => [...letters].forEach((letter, index) => head.setUint8(at + index, letter.charCodeAt(0)));
  text(0, "RIFF");
  head.setUint32(4, 36 + 2 * length, true);
  text(8, "WAVEfmt ");
  head.setUint32(16, 16, true);
  head.setUint16(20, 1, true); // PCM
  head.setUint16(22, 1, true); // channels
  head.setUint32(24, rate, true);
  head.setUint32(28, 2 * rate, true);
  head.setUint16(32, 2, true);
  head.setUint16(34, 16, true);
  text(36, "data");
  head.setUint32(40, 2 * length, true);
  return new File([head, ...blocks], name, { type: "audio/wav" });
}
