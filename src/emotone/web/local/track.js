// One recording on its way: everything but the network. As emotone/recognition/stream.py has it.

import { CANCELLED, Mixer } from "./mixer.js";
import { round } from "./numbers.js";
import { Resampler } from "./resampler.js";
import { Timeline } from "./timeline.js";
import { Windows } from "./windows.js";

const NEVER = 2; // a confidence that no answer has

/**
 * What the page must know of a model: its card.
 * @typedef {object} Card
 * @property {string} name
 * @property {string[]} labels
 * @property {number} rate
 * @property {number} window
 * @property {number} hop
 * @property {number | null} shortest
 * @property {{mean: number[], deviation: number[], reach: number} | null} near where embeddings of training lie
 * @property {string} licence
 */

/** Takes a recording's sound, gives its windows, takes their answers, gives the result. */
export class Track {
  #card;
  #rate;
  #least;
  #taken = 0;
  #mixer;
  #resampler;
  #windows;
  #timeline;

  /**
   * @param {Card} card
   * @param {number} rate of the sound, in Hz
   * @param {(frame: Int16Array) => boolean} isVoiced
   * @param {{least: number | null, live: boolean}} options `least`: below it an emotion is "uncertain"; null where that
   *   depends on how much speech there is, and on whether it is like what the model was trained on
   */
  constructor(card, rate, isVoiced, { least, live }) {
    this.#card = card;
    this.#rate = rate;
    this.#least = least;
    const [window, hop] = [card.window, card.hop].map((seconds) => round(seconds * card.rate));
    this.#mixer = new Mixer(rate);
    this.#resampler = rate === card.rate ? null : new Resampler(rate, card.rate);
    this.#windows = new Windows(isVoiced, { window, hop, live });
    this.#timeline = new Timeline(card.labels, card.rate, hop);
  }

  /** Seconds taken in so far. */
  get seconds() {
    return this.#taken / this.#rate;
  }

  /** Whether the last sound that was decided on is speech. */
  get speaking() {
    return this.#windows.speaking;
  }

  /** Samples of a block of several channels are a multiple of this; the last one's are any. */
  get step() {
    return this.#mixer.step;
  }

  /**
   * @param {Float32Array[]} channels
   * @returns {import("./windows.js").Window[]} those that are complete
   */
  push(channels) {
    this.#taken += channels[0].length;
    const mono = this.#mixer.mix(channels);
    return this.#windows.feed(this.#resampler ? this.#resampler.feed(mono) : mono);
  }

  /** @returns {import("./windows.js").Window[]} the last ones */
  close() {
    const rest = this.#resampler ? this.#windows.feed(this.#resampler.finish()) : [];
    return [...rest, ...this.#windows.finish()];
  }

  /**
   * @param {import("./windows.js").Window} window
   * @param {import("./network.js").Heard} heard
   */
  add(window, heard) {
    this.#timeline.add(window, heard.probabilities, this.isUncertain(heard));
  }

  /** Whether an answer counts for nothing, for the sound is far from what the model was trained on. */
  isUncertain({ embedding }) {
    return this.#least === null && isFar(this.#card.near, embedding);
  }

  /** @returns {import("./timeline.js").Result} what was heard, once all windows are answered */
  result() {
    const notes = this.#mixer.cancelled ? [CANCELLED] : [];
    const { shortest } = this.#card;
    const speech = this.#timeline.speech;
    let least = this.#least;
    if (least === null && shortest && speech > 0 && speech < shortest) {
      notes.push(
        `${speech.toFixed(2)} s of speech; the model was trained on no less than ${shortest.toFixed(2)} s ` +
          "(min_confidence 0 gives its answer all the same)",
      );
      least = NEVER;
    } else if (this.#timeline.far) {
      notes.push(
        `${this.#timeline.far.toFixed(2)} s of ${speech.toFixed(2)} s of speech are unlike what the model was trained ` +
          "on (min_confidence 0 gives its answer all the same)",
      );
    }
    const duration = round(this.#taken / this.#rate, 4);
    return { ...this.#timeline.result(duration, least ?? 0), notes };
  }
}

/** As emotone/bundle/adaptation.py has it: farther from the training clips' embeddings than clips like them lie. */
function isFar(near, embedding) {
  if (!near) return false;
  const squares = embedding.map((value, at) => ((value - near.mean[at]) / near.deviation[at]) ** 2);
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length) > near.reach;
}
