// The spectrogram of live sound, with what the network attended to drawn on it.

import { drawn } from "./canvas.js";
import { melBands } from "./fourier.js";
import { resolved } from "./tones.js";

const SIZE = 1024; // samples of a frame
const COLUMNS = 50; // a second
const BANDS = 72;
const [SILENT, LOUD] = [-95, -30]; // dB: nothing is drawn, and all

export class Spectrogram {
  #picture = document.createElement("canvas"); // a pixel for each band of each column, of the last seconds
  #seconds;
  #rate;
  #bands;
  #held = new Float32Array(0);
  #columns = 0;
  #attention = null;
  #ink = "";
  #levels = [];
  #ask;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {number} seconds that it shows
   * @param {number} rate of the sound, in Hz
   */
  constructor(canvas, seconds, rate) {
    this.#seconds = seconds;
    this.#rate = rate;
    this.#bands = melBands(rate, SIZE, BANDS);
    this.#picture.width = seconds * COLUMNS;
    this.#picture.height = BANDS;
    this.#ask = drawn(canvas, (context, width, height) => this.#draw(context, width, height));
  }

  /** Seconds taken in so far. */
  get until() {
    return this.#columns / COLUMNS;
  }

  /** @param {Float32Array} samples */
  push(samples) {
    const held = new Float32Array(this.#held.length + samples.length);
    held.set(this.#held);
    held.set(samples, this.#held.length);
    const hop = this.#rate / COLUMNS;
    let at = 0;
    for (; at + SIZE <= held.length; at += hop) {
      const column = this.#bands(held.subarray(Math.round(at), Math.round(at) + SIZE));
      this.#levels.push(column);
      if (this.#levels.length > this.#picture.width) this.#levels.shift();
      this.#paint(this.#columns++ % this.#picture.width, column);
    }
    this.#held = held.slice(Math.round(at));
  }

  /**
   * Show what the network attended to from `start` to `end`.
   * @param {{start: number, end: number, attention: number[] | null}} update
   */
  attend({ start, end, attention }) {
    this.#attention = attention?.length ? { start, end, weights: attention } : null;
  }

  show() {
    this.#ask();
  }

  #paint(x, column) {
    const context = this.#picture.getContext("2d");
    context.clearRect(x, 0, 1, BANDS);
    context.fillStyle = this.#ink;
    column.forEach((decibels, band) => {
      context.globalAlpha = Math.max(0, Math.min(1, (decibels - SILENT) / (LOUD - SILENT))) ** 1.6;
      context.fillRect(x, BANDS - 1 - band, 1, 1);
    });
  }

  #draw(context, width, height) {
    const ink = resolved("var(--ink)");
    if (ink !== this.#ink) {
      this.#ink = ink;
      const first = this.#columns - this.#levels.length;
      this.#levels.forEach((column, at) => this.#paint((first + at) % this.#picture.width, column));
    }
    const all = this.#picture.width;
    const now = this.#columns % all; // where the oldest column is, once it is full
    const whole = this.#columns >= all;
    const each = width / all;
    context.imageSmoothingEnabled = true;
    if (whole && now < all) context.drawImage(this.#picture, now, 0, all - now, BANDS, 0, 0, (all - now) * each, height);
    if (now) {
      const x = whole ? (all - now) * each : width - now * each;
      context.drawImage(this.#picture, 0, 0, now, BANDS, x, 0, now * each, height);
    }
    if (this.#attention) this.#drawAttention(context, width, height);
  }

  #drawAttention(context, width, height) {
    const { start, end, weights } = this.#attention;
    const x = (seconds) => width - ((this.until - seconds) / this.#seconds) * width;
    const [left, right] = [x(start), x(end)];
    if (right < 0) return;
    const tone = resolved("var(--vermilion)");
    const most = Math.max(...weights);
    const step = (right - left) / weights.length;
    context.beginPath();
    context.moveTo(left, height);
    weights.forEach((weight, at) => context.lineTo(left + (at + 0.5) * step, height - (weight / most) * 0.82 * height));
    context.lineTo(right, height);
    context.closePath();
    context.fillStyle = context.strokeStyle = tone;
    context.globalAlpha = 0.22;
    context.fill();
    context.globalAlpha = 1;
    context.lineWidth = 1.5;
    context.stroke();
    context.fillRect(left, 0, right - left, 3);
  }
}
