// Numbers rounded as Python rounds them: to even where two are equally near.

/**
 * @param {number} value
 * @param {number} [digits] behind the point
 * @returns {number}
 */
export function round(value, digits = 0) {
  const halves = value * 2 ** (digits + 1); // only an odd number of these parts lies between two decimals
  if (Number.isInteger(halves) && halves % 2) {
    const lower = Math.floor(value * 10 ** digits);
    return (lower % 2 ? lower + 1 : lower) / 10 ** digits;
  }
  return Number(value.toFixed(digits));
}
