// Elements, found and made.

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  return document.getElementById(id);
}

/**
 * @param {string} tag
 * @param {Record<string, unknown>} [given] attributes; functions listen to the event of that name; names that begin with -- are of CSS
 * @param {...(Node | string | null)} children
 * @returns {HTMLElement}
 */
export function make(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (name.startsWith("--")) made.style.setProperty(name, value); // a policy forbids the attribute
    else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/**
 * @param {number} share of 1
 * @returns {string} in per cent
 */
export function percent(share, digits = 0) {
  return `${(100 * share).toFixed(digits)} %`;
}

/**
 * @param {number} seconds
 * @returns {string} as on a clock: 1:02.5
 */
export function clock(seconds) {
  const tenths = Math.round(10 * seconds);
  const [hours, minutes] = [Math.floor(tenths / 36_000), Math.floor(tenths / 600) % 60];
  const rest = ((tenths % 600) / 10).toFixed(1).padStart(4, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}
