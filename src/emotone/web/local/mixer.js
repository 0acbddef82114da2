// From channels to one: their mean, unless they cancel each other. As emotone/audio/channels.py has it.

import { round } from "./numbers.js";

export const CANCELLED = "its channels cancel each other; the louder one is taken";

const QUIETER = 10 ** -1.5; // 15 dB
const DECIDED = 0.1; // seconds of sound that are mixed as one

/** Mixes sound that comes in blocks, all but the last of them whole steps. */
export class Mixer {
  /** Whether a channel was ever taken for the mean. */
  cancelled = false;
  #energy = null; // of each channel, the mean last

  /** @param {number} rate of the sound, in Hz */
  constructor(rate) {
    /** Samples that are mixed as one. */
    this.step = Math.max(1, round(DECIDED * rate));
  }

  /**
   * @param {Float32Array[]} channels of the same length
   * @returns {Float32Array} one channel
   */
  mix(channels) {
    if (channels.length === 1) return channels[0];
    const mixed = new Float32Array(channels[0].length);
    this.#energy ??= new Float64Array(channels.length + 1);
    const energy = this.#energy;
    for (let at = 0; at < mixed.length; at += this.step) {
      const end = Math.min(at + this.step, mixed.length);
      for (let sample = at; sample < end; sample++) {
        let sum = 0;
        channels.forEach((channel, index) => {
          const value = channel[sample];
          sum = Math.fround(sum + value);
          energy[index] += value * value;
        });
        mixed[sample] = sum / channels.length;
        energy[channels.length] += mixed[sample] * mixed[sample];
      }
      const loudest = Math.max(...energy.subarray(0, -1));
      if (energy[channels.length] < QUIETER * loudest) {
        this.cancelled = true;
        mixed.set(channels[energy.indexOf(loudest)].subarray(at, end), at);
      }
    }
    return mixed;
  }
}
