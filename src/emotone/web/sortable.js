// Tables whose headings sort: by the cells' data-value, as numbers where these are; empty ones stay last.

import { make } from "./dom.js";

/**
 * @param {HTMLElement} table
 * @param {number} by the column by which it is sorted first, the largest on top
 * @returns {HTMLElement} the table
 */
export function sortable(table, by) {
  const heads = [...table.querySelectorAll("thead th")];
  const body = table.querySelector("tbody");
  const sort = (column, way) => {
    const value = (row) => row.children[column].dataset.value;
    const order = (one, other) => {
      const [a, b] = [value(one), value(other)];
      if (a === "" || b === "") return (a === "") - (b === "");
      const apart = isNaN(a) || isNaN(b) ? a.localeCompare(b) : a - b;
      return way === "ascending" ? apart : -apart;
    };
    body.append(...[...body.rows].sort(order));
    heads.forEach((head, at) => (at === column ? head.setAttribute("aria-sort", way) : head.removeAttribute("aria-sort")));
  };
  heads.forEach((head, column) => {
    const numbers = head.classList.contains("n");
    const turn = () => {
      const first = numbers ? "descending" : "ascending";
      const other = numbers ? "ascending" : "descending";
      sort(column, head.getAttribute("aria-sort") === first ? other : first);
    };
    head.replaceChildren(make("button", { type: "button", click: turn }, ...head.childNodes));
  });
  sort(by, "descending");
  return table;
}
