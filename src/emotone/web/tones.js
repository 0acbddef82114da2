// The colour of each emotion: those of colours.css, and further ones for labels that it does not know.

const KNOWN = ["neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised"];
const OTHERS = ["vermilion", "blue", "green", "purple", "yellow"];

/**
 * @param {string} label
 * @param {string[]} labels of the model
 * @returns {string} a CSS value
 */
export function toneOf(label, labels) {
  if (KNOWN.includes(label)) return `var(--${label})`;
  const others = labels.filter((each) => !KNOWN.includes(each));
  return others.includes(label) ? `var(--${OTHERS[others.indexOf(label) % OTHERS.length]})` : "var(--soft)";
}

/**
 * @param {string} value as of `toneOf`
 * @returns {string} the colour itself, for a canvas, in the page's present light
 */
export function resolved(value) {
  const name = value.match(/^var\((.+)\)$/)?.[1];
  return name ? getComputedStyle(document.documentElement).getPropertyValue(name).trim() : value;
}
