// From the answers to windows to emotions over time. As emotone/recognition/timeline.py has it.

import { round } from "./numbers.js";

export const NO_SPEECH = "no speech";
export const SILENCE = "silence";
export const UNCERTAIN = "uncertain";

/**
 * @typedef {{start: number, end: number, emotion: string, confidence: number, scores: Record<string, number>}} Segment
 * @typedef {object} Result
 * @property {string} emotion
 * @property {number} confidence
 * @property {number} start
 * @property {number} duration
 * @property {number} speech
 * @property {Record<string, number>} scores
 * @property {Segment[]} segments
 * @property {string[]} notes
 */

/**
 * @param {Record<string, number>} scores
 * @param {number} least
 * @returns {[string, number]} the emotion with the largest score, "uncertain" where it is below `least`, and the score
 */
export function judge(scores, least) {
  const [emotion, confidence] = Object.entries(scores).reduce((best, each) => (each[1] > best[1] ? each : best));
  return [confidence >= least ? emotion : UNCERTAIN, confidence];
}

/** Gathers the answers to a recording's full windows. */
export class Timeline {
  #labels;
  #rate;
  #hop;
  #open = []; // cells of the open region: sums of what covers them, what of it is far, weight last
  #cells = []; // of all others: {region, start, end, scores, far}
  #regions = 0;

  /**
   * @param {string[]} labels in the order of the probabilities
   * @param {number} rate in Hz
   * @param {number} hop in samples
   */
  constructor(labels, rate, hop) {
    this.#labels = labels;
    this.#rate = rate;
    this.#hop = hop;
  }

  /**
   * @param {import("./windows.js").Window} window a region's in their order
   * @param {Float32Array} probabilities
   * @param {boolean} far where most windows are so, the emotion is uncertain
   */
  add(window, probabilities, far = false) {
    if (!window.full) return;
    const { origin, start, end } = window;
    const hop = this.#hop;
    const until = Math.ceil((end - origin) / hop);
    while (this.#open.length < until) this.#open.push(new Float64Array(this.#labels.length + 2));
    for (let cell = Math.floor((start - origin) / hop); cell < until; cell++) {
      const from = origin + cell * hop;
      const covered = Math.min(end, from + hop) - Math.max(start, from);
      probabilities.forEach((probability, label) => (this.#open[cell][label] += probability * covered));
      if (far) this.#open[cell][this.#labels.length] += covered;
      this.#open[cell][this.#labels.length + 1] += covered;
    }
    if (!window.last) return;
    this.#open.forEach((sums, cell) => {
      const from = origin + cell * hop;
      const to = cell + 1 < this.#open.length ? from + hop : end;
      const mean = sums.slice(0, -2).map((sum) => sum / sums.at(-1));
      const far = sums.at(-2) > sums.at(-1) / 2;
      this.#cells.push({ region: this.#regions, start: from, end: to, scores: normed(mean), far });
    });
    this.#open = [];
    this.#regions += 1;
  }

  /** Seconds of speech in all answers so far. */
  get speech() {
    return this.#length(this.#cells);
  }

  /** Seconds of speech that are far from what the model was trained on. */
  get far() {
    return this.#length(this.#cells.filter((cell) => cell.far));
  }

  /**
   * @param {number} duration of the recording, in seconds
   * @param {number} least below it an emotion is "uncertain"
   * @returns {Result} without notes
   */
  result(duration, least) {
    const silence = (start, end) => ({ start, end, emotion: SILENCE, confidence: 0, scores: {} });
    const told = (emotion, confidence, scores, segments) => ({
      emotion,
      confidence,
      start: 0,
      duration,
      speech: speechOf(segments),
      scores,
      segments,
      notes: [],
    });
    if (!this.#cells.length) return told(NO_SPEECH, 0, {}, duration ? [silence(0, duration)] : []);
    const segments = [];
    let reached = 0;
    let region = -1;
    for (const group of this.#groups(least)) {
      const [begin, end] = [group.cells[0].start, group.cells.at(-1).end].map((at) => this.#seconds(at, duration));
      if (group.region !== region && begin > reached) segments.push(silence(reached, begin));
      region = group.region;
      reached = end;
      const scores = this.#mean(group.cells);
      segments.push({ start: begin, end, emotion: group.emotion, confidence: largest(scores), scores });
    }
    if (duration > reached) segments.push(silence(reached, duration));
    const overall = this.#mean(this.#cells);
    const [emotion, confidence] = judge(overall, least);
    return told(this.far > this.speech / 2 ? UNCERTAIN : emotion, confidence, overall, segments);
  }

  /** Neighbouring cells of the same emotion. */
  #groups(least) {
    const groups = [];
    for (const cell of this.#cells) {
      const emotion = cell.far ? UNCERTAIN : judge(this.#named(cell.scores), least)[0];
      const group = groups.at(-1);
      if (group?.emotion === emotion && group.region === cell.region) group.cells.push(cell);
      else groups.push({ emotion, region: cell.region, cells: [cell] });
    }
    return groups;
  }

  #length(cells) {
    return cells.reduce((sum, cell) => sum + (cell.end - cell.start), 0) / this.#rate;
  }

  #mean(cells) {
    const sums = new Float64Array(this.#labels.length);
    let weight = 0;
    for (const { start, end, scores } of cells) {
      scores.forEach((score, label) => (sums[label] += score * (end - start)));
      weight += end - start;
    }
    return this.#named(normed(sums.map((sum) => sum / weight)));
  }

  #named(scores) {
    return Object.fromEntries(this.#labels.map((label, index) => [label, scores[index]]));
  }

  #seconds(sample, duration) {
    return Math.min(round(sample / this.#rate, 4), duration);
  }
}

function speechOf(segments) {
  const spoken = segments.filter((each) => each.emotion !== SILENCE);
  return round(spoken.reduce((sum, each) => sum + (each.end - each.start), 0), 3);
}

function largest(scores) {
  return Math.max(...Object.values(scores));
}

function normed(values) {
  const sum = values.reduce((total, value) => total + value, 0);
  return values.map((value) => value / sum);
}
