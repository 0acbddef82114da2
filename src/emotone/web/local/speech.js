// Where there is speech: regions of it, found while the sound comes in. As emotone/recognition/speech.py has it.

import { FRAME } from "./detector.js";
import { joined } from "./resampler.js";

const GAIN = 4;
const AROUND = 7; // frames before and after one, over which its level must move
const STEADY = 1; // dB: standard deviation of the level below which a sound is no speech
const LEAST = 10; // frames of speech that make a region: 0.2 s
const HANGOVER = 15; // frames without speech that end a region: 0.3 s
const PADDING = 5; // frames kept on either side: 0.1 s

/** WebRTC's mode that is used. */
export const MODE = 2;

/**
 * A stretch of speech, in samples; `end` is as far as is known yet where not `final`.
 * @typedef {{start: number, end: number, final: boolean}} Region
 */

/** Finds regions of speech in mono sound of 16 kHz that comes in blocks. The blocks' sizes make no difference. */
export class Speech {
  #isVoiced;
  #rest = new Float32Array(0);
  #before = null; // the last sample before `#rest`
  #levels = [];
  #voiced = [];
  #frames = 0; // decided
  #count = 0;
  #last = 0;
  #first = null;

  /** @param {(frame: Int16Array) => boolean} isVoiced a detector of its own */
  constructor(isVoiced) {
    this.#isVoiced = isVoiced;
  }

  /** The sample before which no region can begin that was not reported yet. */
  get earliest() {
    return Math.max((this.#first ?? this.#frames) - PADDING, 0) * FRAME;
  }

  /** Whether a region is open. */
  get speaking() {
    return this.#count >= LEAST;
  }

  /**
   * @param {Float32Array} block
   * @returns {Region[]} what is new: regions that ended, and the open one as far as known
   */
  feed(block) {
    const samples = joined(this.#rest, block);
    const frames = Math.floor(samples.length / FRAME);
    this.#rest = samples.slice(frames * FRAME);
    if (!frames) return [];
    const levels = [];
    const heard = new Int16Array(FRAME);
    let before = this.#before ?? samples[0];
    for (let frame = 0; frame < frames; frame++) {
      let energy = 0;
      for (let at = 0; at < FRAME; at++) {
        const sample = samples[frame * FRAME + at];
        const move = Math.fround(sample - before);
        energy += move * move;
        heard[at] = Math.trunc(Math.fround(Math.max(-1, Math.min(1, GAIN * sample)) * 32767));
        before = sample;
      }
      levels.push(10 * Math.log10(energy / FRAME + 1e-10));
      this.#voiced.push(this.#isVoiced(heard));
    }
    const held = this.#before === null ? Array(AROUND).fill(levels[0]) : this.#levels;
    this.#before = before;
    return this.#decide([...held, ...levels]);
  }

  /**
   * @param {number} total samples of the sound
   * @returns {Region[]} the rest
   */
  finish(total) {
    const regions = this.#levels.length
      ? this.#decide([...this.#levels, ...Array(AROUND).fill(this.#levels.at(-1))])
      : [];
    if (this.speaking) regions.push(this.#region(true));
    return regions.map((region) => ({ ...region, end: Math.min(region.end, total) }));
  }

  /** Decide on every frame whose surroundings are known. */
  #decide(levels) {
    const width = 2 * AROUND + 1;
    const ready = Math.max(0, levels.length - width + 1);
    this.#levels = levels.slice(ready);
    const regions = [];
    for (let at = 0; at < ready; at++) {
      const moves = deviation(levels.slice(at, at + width)) > STEADY;
      this.#step(this.#voiced[at] && moves, regions);
    }
    this.#voiced.splice(0, ready);
    if (this.speaking) regions.push(this.#region(false));
    return regions;
  }

  #step(speech, regions) {
    this.#frames += 1;
    if (speech) {
      this.#first ??= this.#frames - 1;
      this.#count += 1;
      this.#last = this.#frames;
    } else if (this.#first !== null && this.#frames - this.#last >= HANGOVER) {
      if (this.speaking) regions.push(this.#region(true));
      this.#first = null;
      this.#count = 0;
    }
  }

  #region(final) {
    const end = this.#last + PADDING;
    return { start: this.earliest, end: (final ? end : Math.min(end, this.#frames)) * FRAME, final };
  }
}

function deviation(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
