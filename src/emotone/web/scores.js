// How likely each emotion is, as bars with their figures.

import { make, percent } from "./dom.js";
import { toneOf } from "./tones.js";

/**
 * @param {{emotion: string, confidence: number, scores: Record<string, number>}} answer
 * @returns {string} how sure it is; of an uncertain one, what it would be
 */
export function sureness({ emotion, confidence, scores }) {
  if (emotion !== "uncertain") return `${percent(confidence)} sure`;
  const [likeliest] = Object.entries(scores).reduce((best, each) => (each[1] > best[1] ? each : best));
  return `likeliest ${likeliest}, ${percent(confidence)}`;
}

/**
 * @param {Record<string, number>} scores
 * @param {string[]} labels of the model
 * @returns {HTMLElement[]} a list item for each, in the model's order: bars that change in place can be followed
 */
export function bars(scores, labels) {
  const most = Math.max(...Object.values(scores));
  return Object.entries(scores).map(([label, score]) =>
    make(
      "li",
      { class: score === most ? "most" : null, "--tone": toneOf(label, labels), "--share": score },
      make("span", { class: "label" }, label),
      make("i", { "aria-hidden": "true" }),
      make("span", { class: "value" }, percent(score)),
    ),
  );
}
