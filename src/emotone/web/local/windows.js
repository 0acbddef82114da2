// What of a recording the network hears: windows over each region of speech. As emotone/recognition/windows.py has it.

import { joined } from "./resampler.js";
import { Speech } from "./speech.js";

/**
 * A stretch of speech that gets one answer; times in samples of the recording.
 * @typedef {object} Window
 * @property {number} origin where its region begins
 * @property {number} start
 * @property {number} end
 * @property {Float32Array} samples
 * @property {boolean} full whether it counts for the result; others are for live use only
 * @property {boolean} last whether its end is the region's
 */

/** Cuts mono sound of 16 kHz that comes in blocks into windows. */
export class Windows {
  #speech;
  #window;
  #hop;
  #first;
  #next;
  #buffer = new Float32Array(0);
  #start = 0; // of the buffer, in the recording

  /**
   * @param {(frame: Int16Array) => boolean} isVoiced
   * @param {{window: number, hop: number, live: boolean}} options in samples; `live`: whether the shorter windows at a
   *   region's beginning are wanted, too
   */
  constructor(isVoiced, { window, hop, live }) {
    this.#speech = new Speech(isVoiced);
    this.#window = window;
    this.#hop = hop;
    this.#first = live ? 1 : Math.ceil(window / hop);
    this.#next = this.#first;
  }

  /** Samples taken in so far. */
  get heard() {
    return this.#start + this.#buffer.length;
  }

  /** Whether the last sound that was decided on is speech. */
  get speaking() {
    return this.#speech.speaking;
  }

  /**
   * @param {Float32Array} samples in [-1, 1]
   * @returns {Window[]} those that are complete
   */
  feed(samples) {
    this.#buffer = joined(this.#buffer, samples);
    return this.#follow(this.#speech.feed(samples));
  }

  /** @returns {Window[]} the rest */
  finish() {
    return this.#follow(this.#speech.finish(this.heard));
  }

  #follow(regions) {
    const windows = [];
    let needed = this.#speech.earliest;
    for (const region of regions) {
      // Strictly: a window that ends with its region is the region's last one, and counted as that.
      for (let end; (end = region.start + this.#next * this.#hop) < region.end; this.#next++) {
        windows.push(this.#cut(region, end, false));
      }
      if (region.final) {
        windows.push(this.#cut(region, region.end, true));
        this.#next = this.#first;
      } else {
        needed = Math.max(region.start, region.end - this.#window);
      }
    }
    const dropped = Math.max(0, Math.min(needed, this.heard) - this.#start);
    this.#buffer = this.#buffer.slice(dropped);
    this.#start += dropped;
    return windows;
  }

  #cut(region, end, last) {
    const start = Math.max(region.start, end - this.#window);
    const samples = this.#buffer.slice(start - this.#start, end - this.#start);
    const full = last || end - region.start >= this.#window;
    return { origin: region.start, start, end, samples, full, last };
  }
}
