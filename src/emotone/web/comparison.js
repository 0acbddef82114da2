// The second tab: the leaderboard of the comparison, and the matrix across corpora.

import { byId, make } from "./dom.js";
import { sortable } from "./sortable.js";

/**
 * A rate as a fraction of 1: its mean, and its interval, if there is one.
 * @typedef {[number] | [number, number, number]} Rate
 */

export async function showComparison() {
  const response = await fetch(new URL("comparison.json", import.meta.url));
  const data = await response.json();
  const measure = byId("measure");
  const show = () => byId("leaderboard").replaceChildren(leaderboard(data, measure.value));
  measure.addEventListener("change", show);
  show();
  byId("matrix").replaceChildren(matrix(data.across));
}

function leaderboard({ protocols, systems }, measure) {
  const heads = [
    ["system", ""],
    ["paper reports", "n"],
    ...Object.values(protocols).map((title) => [title, "n"]),
  ];
  const rows = systems.map(({ system, title, own, reported, results }) =>
    make(
      "tr",
      { class: own ? "own" : null },
      make("th", { scope: "row", "data-value": system }, make("code", {}, system), make("small", {}, title)),
      make("td", { class: "n", "data-value": measure === "accuracy" ? (reported ?? "") : "" }, measure === "accuracy" && reported !== null ? hundred(reported) : "–"),
      ...Object.keys(protocols).map((protocol) => rateCell(results[protocol]?.[measure], results[protocol])),
    ),
  );
  return sortable(make("table", { class: "board" }, head(heads), make("tbody", {}, ...rows)), Object.keys(protocols).indexOf("luna5") + 2);
}

function rateCell(rate, result) {
  if (!rate) {
    const why = result === undefined ? "–" : "not run";
    return make("td", { class: "n none", "data-value": "" }, why);
  }
  const [mean, low, high] = rate;
  return make(
    "td",
    { class: "n", "data-value": mean },
    make("b", {}, hundred(mean)),
    result.partial ? make("span", { title: "some folds have not been run yet" }, "*") : null,
    low === undefined ? null : make("small", {}, `${hundred(low)} – ${hundred(high)}`),
  );
}

function matrix({ corpora, rows }) {
  const heads = [
    ["system", ""],
    ["trained on", ""],
    ...corpora.map((name) => [name, "n"]),
  ];
  const body = rows.map(({ system, trained, cells }) =>
    make(
      "tr",
      {},
      make("th", { scope: "row", "data-value": system }, make("code", {}, system)),
      make("td", { class: "trained", "data-value": trained }, trained),
      ...corpora.map((name) => cellOf(cells[name])),
    ),
  );
  return sortable(make("table", { class: "board heat" }, head(heads), make("tbody", {}, ...body)), 2 + corpora.findIndex((name) => rows.every(({ cells }) => cells[name])));
}

function cellOf(cell) {
  if (!cell) return make("td", { class: "n none", "data-value": "" }, "–");
  const [mean, low, high] = cell.uar;
  const above = Math.max(0, (mean - cell.chance) / (1 - cell.chance));
  return make(
    "td",
    { class: "n cell", "data-value": mean, "--above": above },
    make("b", {}, hundred(mean)),
    make("small", {}, low === undefined ? "" : `${hundred(low)} – ${hundred(high)}`),
    make("small", {}, `guessing ${hundred(cell.chance)}`),
  );
}

function head(heads) {
  return make("thead", {}, make("tr", {}, ...heads.map(([name, kind]) => make("th", { scope: "col", class: kind || null }, name))));
}

function hundred(rate) {
  return (100 * rate).toFixed(1);
}
