// A recording's sound as an envelope, each stretch in the colour of its emotion.

import { drawn } from "./canvas.js";
import { resolved, toneOf } from "./tones.js";

const BAR = 3; // pixels of a bar and the gap behind it

/**
 * @param {HTMLCanvasElement} canvas that covers what is visible of `strip`
 * @param {HTMLElement} strip as wide as the recording is long
 * @param {HTMLElement} scroller that the strip lies in
 * @param {{samples: Float32Array, rate: number}} sound
 * @param {import("./engine/server.js").Answer} answer
 * @param {string[]} labels
 */
export function drawWaveform(canvas, strip, scroller, { samples, rate }, answer, labels) {
  const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0.01);
  const ask = drawn(canvas, (context, width, height) => {
    const perPixel = answer.duration / strip.clientWidth; // seconds
    let segment = 0;
    for (let x = 0; x < width; x += BAR) {
      const from = (scroller.scrollLeft + x) * perPixel;
      const to = from + BAR * perPixel;
      let most = 0;
      for (let at = Math.floor(from * rate); at < Math.min(to * rate, samples.length); at++) {
        most = Math.max(most, Math.abs(samples[at]));
      }
      while (segment + 1 < answer.segments.length && answer.segments[segment].end <= (from + to) / 2) segment++;
      const size = Math.max(1, (most / peak) * height);
      context.fillStyle = resolved(toneOf(answer.segments[segment]?.emotion, labels));
      context.fillRect(x, (height - size) / 2, BAR - 1, size);
    }
  });
  scroller.addEventListener("scroll", ask);
  ask();
}
