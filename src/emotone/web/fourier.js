// Log-mel bands of a frame of sound: what a spectrogram shows.

/** Hz, the lowest and the highest that are shown. */
export const LOWEST = 60;
export const HIGHEST = 8000;

const mel = (hertz) => 2595 * Math.log10(1 + hertz / 700);
const hertz = (mels) => 700 * (10 ** (mels / 2595) - 1);

/**
 * @param {number} rate in Hz
 * @param {number} size samples of a frame, a power of two
 * @param {number} count of bands
 * @returns {(frame: Float32Array) => Float32Array} the power of each band in dB, the lowest first
 */
export function melBands(rate, size, count) {
  const transform = fourier(size);
  const [low, high] = [mel(LOWEST), mel(Math.min(HIGHEST, rate / 2))];
  const bin = (mels) => (hertz(mels) * size) / rate;
  const edges = Array.from({ length: count }, (_, band) => {
    const [from, to] = [band, band + 1].map((at) => bin(low + ((high - low) * at) / count));
    return [Math.max(1, Math.floor(from)), Math.max(Math.floor(from) + 1, Math.ceil(to))];
  });
  return (frame) => {
    const powers = transform(frame);
    return Float32Array.from(edges, ([from, to]) => {
      let most = 0;
      for (let at = from; at < to; at++) most = Math.max(most, powers[at]);
      return 10 * Math.log10(most + 1e-12);
    });
  };
}

/** The power spectrum of a frame under a Hann window, (size / 2), by the radix-2 transform. */
function fourier(size) {
  const bits = Math.log2(size);
  const order = Uint32Array.from({ length: size }, (_, at) => {
    let turned = 0;
    for (let bit = 0; bit < bits; bit++) turned |= ((at >> bit) & 1) << (bits - 1 - bit);
    return turned;
  });
  const hann = Float64Array.from(order, (_, at) => 0.5 - 0.5 * Math.cos((2 * Math.PI * at) / size));
  const cosine = Float64Array.from({ length: size / 2 }, (_, at) => Math.cos((2 * Math.PI * at) / size));
  const sine = Float64Array.from({ length: size / 2 }, (_, at) => Math.sin((2 * Math.PI * at) / size));
  const real = new Float64Array(size);
  const imaginary = new Float64Array(size);
  const powers = new Float64Array(size / 2);
  return (frame) => {
    imaginary.fill(0);
    order.forEach((from, at) => (real[at] = frame[from] * hann[from]));
    for (let half = 1; half < size; half *= 2) {
      const stride = size / (2 * half);
      for (let block = 0; block < size; block += 2 * half) {
        for (let at = 0; at < half; at++) {
          const [a, b] = [block + at, block + at + half];
          const [c, s] = [cosine[at * stride], -sine[at * stride]];
          const [x, y] = [real[b] * c - imaginary[b] * s, real[b] * s + imaginary[b] * c];
          real[b] = real[a] - x;
          imaginary[b] = imaginary[a] - y;
          real[a] += x;
          imaginary[a] += y;
        }
      }
    }
    powers.forEach((_, at) => (powers[at] = (4 * (real[at] ** 2 + imaginary[at] ** 2)) / size ** 2));
    return powers;
  };
}
