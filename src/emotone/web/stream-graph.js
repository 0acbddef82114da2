// Emotions over the last seconds as a stream: each as thick as it is likely; where nobody speaks, there is none.

import { drawn } from "./canvas.js";
import { resolved, toneOf } from "./tones.js";

const TAPER = 0.15; // seconds over which a stream begins and ends
const NAMED = 17; // pixels of thickness that hold a name
const AXIS = 18; // pixels below

export class StreamGraph {
  #labels;
  #seconds;
  #islands = []; // of speech: {start, points: [{at, shares}], uncertain: [[start, end]]}
  #until = 0;
  #ask;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {number} seconds that it shows
   * @param {string[]} labels
   */
  constructor(canvas, seconds, labels) {
    this.#labels = labels;
    this.#seconds = seconds;
    this.#ask = drawn(canvas, (context, width, height) => this.#draw(context, width, height));
  }

  /** @param {import("./local/timeline.js").Segment} update */
  add({ start, end, emotion, scores }) {
    let island = this.#islands.at(-1);
    if (!island || start > island.points.at(-1).at) {
      island = { start, points: [], uncertain: [] };
      this.#islands.push(island);
    }
    const before = island.points.at(-1)?.at ?? start;
    island.points.push({ at: end, shares: this.#labels.map((label) => scores[label]) });
    if (emotion === "uncertain") island.uncertain.push([before, end]);
  }

  /** @param {number} until seconds of sound so far */
  show(until) {
    this.#until = until;
    this.#islands = this.#islands.filter((island) => island.points.at(-1).at > until - this.#seconds - 1);
    this.#ask();
  }

  #draw(context, width, height) {
    const inner = height - AXIS;
    const x = (seconds) => width - ((this.#until - seconds) / this.#seconds) * width;
    this.#drawAxis(context, width, inner, x);
    for (const island of this.#islands) this.#drawIsland(context, island, x, inner);
  }

  #drawAxis(context, width, inner, x) {
    context.fillStyle = context.strokeStyle = resolved("var(--rule)");
    context.fillRect(0, inner / 2, width, 1);
    context.fillStyle = resolved("var(--soft)");
    context.font = "11px system-ui, sans-serif";
    context.textAlign = "center";
    const first = Math.ceil(Math.max(0, this.#until - this.#seconds) / 5) * 5;
    for (let second = first; second <= this.#until; second += 5) {
      context.fillRect(x(second), inner, 1, 4);
      if (x(second) > 12 && x(second) < width - 12) context.fillText(`${second} s`, x(second), inner + 15);
    }
  }

  #drawIsland(context, island, x, inner) {
    const none = this.#labels.map(() => 0);
    const first = island.points[0];
    const last = island.points.at(-1);
    const points = [
      { at: island.start, shares: none },
      { at: Math.min(island.start + TAPER, first.at), shares: first.shares },
      ...island.points,
      { at: last.at + TAPER, shares: none },
    ].map(({ at, shares }) => ({ x: x(at), edges: edgesOf(shares, inner) }));
    const ground = resolved("var(--panel)");
    const ink = resolved("var(--ink)");
    this.#labels.forEach((label, index) => {
      const top = points.map((point) => [point.x, point.edges[index]]);
      const bottom = points.map((point) => [point.x, point.edges[index + 1]]).reverse();
      context.beginPath();
      curve(context, top, true);
      curve(context, bottom, false);
      context.closePath();
      context.fillStyle = resolved(toneOf(label, this.#labels));
      context.fill();
      context.strokeStyle = ground;
      context.lineWidth = 1;
      context.stroke();
    });
    for (const [from, to] of island.uncertain) hatch(context, x(from), x(to), inner, ground);
    this.#name(context, points, ground, ink);
  }

  /** Write the name of each emotion where its layer holds it; where the island is too narrow, of the thickest alone. */
  #name(context, points, ground, ink) {
    context.font = "600 12px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineWidth = 3;
    context.strokeStyle = ground;
    context.fillStyle = ink;
    const [left, right] = [points[0].x, points.at(-1).x];
    const full = points.slice(1, -1); // between the tapers
    const layers = this.#labels.map((label, index) => {
      const size = (point) => point.edges[index + 1] - point.edges[index];
      const thickest = points.reduce((best, each) => (size(each) > size(best) ? each : best));
      return { label, index, at: thickest.x, size: size(thickest) };
    });
    const most = Math.max(...layers.map((layer) => layer.size));
    for (const { label, index, at, size } of layers) {
      const room = context.measureText(label).width / 2 + 3;
      const fits = right - left >= 2 * room;
      if (!fits && size < most) continue;
      const x = fits ? Math.max(left + room, Math.min(right - room, at)) : (left + right) / 2;
      const sides = (fits ? [x - room, x, x + room] : [x]).map((each) => between(full, each, index));
      const [top, bottom] = [Math.max(...sides.map(([y]) => y)), Math.min(...sides.map(([, y]) => y))];
      if (bottom - top < NAMED) continue;
      context.strokeText(label, x, (top + bottom) / 2);
      context.fillText(label, x, (top + bottom) / 2);
    }
    context.textBaseline = "alphabetic";
  }
}

/** Where a layer begins and ends at `x`, or at the point that is next to it. */
function between(points, x, layer) {
  const after = points.findIndex((point) => point.x >= x);
  const b = points[after] ?? points.at(-1);
  const a = points[after - 1] ?? b;
  const share = Math.min(1, Math.max(0, (x - a.x) / (b.x - a.x || 1)));
  return [layer, layer + 1].map((edge) => a.edges[edge] + share * (b.edges[edge] - a.edges[edge]));
}

/** Where each layer begins, from the top, around the middle. */
function edgesOf(shares, height) {
  const sum = shares.reduce((total, share) => total + share, 0);
  const edges = [(height - sum * height) / 2];
  for (const share of shares) edges.push(edges.at(-1) + share * height);
  return edges;
}

/** A line through points that does not swing beyond them. */
function curve(context, points, begins) {
  points.forEach(([x, y], at) => {
    if (at === 0) {
      if (begins) context.moveTo(x, y);
      else context.lineTo(x, y);
      return;
    }
    const [before, level] = points[at - 1];
    const middle = (before + x) / 2;
    context.bezierCurveTo(middle, level, middle, y, x, y);
  });
}

/** Lines across what is uncertain. */
function hatch(context, from, to, height, tone) {
  context.save();
  context.beginPath();
  context.rect(from, 0, to - from, height);
  context.clip();
  context.strokeStyle = tone;
  context.lineWidth = 3;
  context.beginPath();
  for (let x = from - height; x < to; x += 9) {
    context.moveTo(x, height);
    context.lineTo(x + height, 0);
  }
  context.stroke();
  context.restore();
}
