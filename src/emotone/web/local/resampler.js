// From one sampling rate to another, block by block: the windowed sinc of soxr's "HQ", which emotone uses. Fitted to what soxr makes of
// an impulse: equal to 3e-7 from 8, 12, 24, 32 and 48 kHz to 16 kHz; from other rates, where soxr takes several steps, to 2e-3.

const CUTOFF = 0.956872; // of the lower rate's half
const BETA = 13.04; // Kaiser's
const SPAN = 193.2; // samples of the lower rate: the least length of the filter

/** Resamples mono sound that comes in blocks. The blocks' sizes make no difference. */
export class Resampler {
  #up;
  #down;
  #half; // input samples on either side of an output sample
  #reach; // the same to the filter's very end, which lies between two
  #phases;
  #held; // input that later output needs
  #start; // of `#held`, in input samples
  #made = 0;
  #taken = 0;

  /**
   * @param {number} from Hz, a whole number
   * @param {number} to Hz, a whole number
   */
  constructor(from, to) {
    const divisor = gcd(from, to);
    this.#up = to / divisor;
    this.#down = from / divisor;
    const scale = Math.min(1, to / from); // of the lower rate to the input's
    const steps = Math.max(this.#up, this.#down); // of the rate that both divide, to a sample of the lower rate
    this.#reach = (4 * Math.ceil((SPAN * steps) / 4) + 1) / (2 * steps) / scale;
    this.#half = Math.ceil(this.#reach);
    this.#phases = Array.from({ length: this.#up }, (_, phase) => this.#taps(phase / this.#up, scale));
    this.#held = new Float32Array(this.#half);
    this.#start = -this.#half;
  }

  /**
   * @param {Float32Array} samples
   * @returns {Float32Array} what can be said so far, within [-1, 1]
   */
  feed(samples) {
    this.#taken += samples.length;
    return this.#make(joined(this.#held, samples), Infinity);
  }

  /** @returns {Float32Array} the rest */
  finish() {
    const total = Math.round((this.#taken * this.#up) / this.#down);
    return this.#make(joined(this.#held, new Float32Array(this.#half + this.#down)), total);
  }

  #make(input, total) {
    const made = [];
    const length = 2 * this.#half;
    for (; this.#made < total; this.#made++) {
      const place = this.#made * this.#down;
      const first = Math.floor(place / this.#up) - this.#half + 1 - this.#start;
      if (first + length > input.length) break;
      const taps = this.#phases[place % this.#up];
      let sum = 0;
      for (let tap = 0; tap < length; tap++) sum += taps[tap] * input[first + tap];
      made.push(Math.max(-1, Math.min(1, sum)));
    }
    const needed = Math.floor((this.#made * this.#down) / this.#up) - this.#half + 1;
    const dropped = Math.max(0, Math.min(needed - this.#start, input.length));
    this.#held = input.slice(dropped);
    this.#start += dropped;
    return Float32Array.from(made);
  }

  /** The filter for an output sample that lies `fraction` of an input sample beyond an input sample. */
  #taps(fraction, scale) {
    const cutoff = scale * CUTOFF;
    const taps = Float64Array.from({ length: 2 * this.#half }, (_, tap) => {
      const distance = tap - this.#half + 1 - fraction;
      return cutoff * sinc(cutoff * distance) * kaiser(distance / this.#reach);
    });
    const sum = taps.reduce((total, tap) => total + tap, 0);
    return taps.map((tap) => tap / sum);
  }
}

/** Samples one after the other. */
export function joined(...parts) {
  const all = new Float32Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function gcd(a, b) {
  return b ? gcd(b, a % b) : a;
}

function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function kaiser(x) {
  return Math.abs(x) > 1 ? 0 : bessel(BETA * Math.sqrt(1 - x * x)) / bessel(BETA);
}

/** The modified Bessel function of the first kind, of order 0. */
function bessel(x) {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > 1e-17 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
