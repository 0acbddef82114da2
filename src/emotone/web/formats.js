// Answers as files for other programs: the very texts of `emotone predict --format`.

import { round } from "./local/numbers.js";

const SILENCE = "silence";

/**
 * @typedef {import("./engine/server.js").Answer} Answer
 * @typedef {{name: string, suffix: string, type: string, write: (file: string, answers: Answer[], labels: string[]) => string}} Format
 */

/** @type {Format[]} */
export const FORMATS = [
  { name: "JSON", suffix: ".json", type: "application/json", write: json },
  { name: "CSV", suffix: ".csv", type: "text/csv", write: csv },
  { name: "CSV, a row per segment", suffix: ".segments.csv", type: "text/csv", write: segmentsCsv },
  { name: "WebVTT", suffix: ".vtt", type: "text/vtt", write: (_, answers) => vtt(answers) },
  { name: "TextGrid", suffix: ".TextGrid", type: "text/plain", write: (_, answers) => textgrid(answers) },
];

function json(file, answers) {
  const texts = answers.map((answer) =>
    python({
      file,
      ...(answer.speaker == null ? {} : { speaker: answer.speaker }),
      ...(answer.channel == null ? {} : { channel: new Whole(answer.channel) }),
      emotion: answer.emotion,
      confidence: answer.confidence,
      start: answer.start,
      duration: answer.duration,
      speech: answer.speech,
      scores: answer.scores,
      segments: answer.segments.map(({ start, end, emotion, confidence, scores }) => ({ start, end, emotion, confidence, scores })),
      notes: answer.notes,
    }),
  );
  return texts.length ? `[\n${texts.join(",\n")}\n]\n` : "[]\n";
}

function csv(file, answers, labels) {
  const rows = answers.map((answer) => ({ ...answer, file, start: null, end: null, ...answer.scores }));
  return table(rows, ["duration", "speech"], [], answers, labels);
}

function segmentsCsv(file, answers, labels) {
  const rows = answers.flatMap(({ segments, speaker, channel }) =>
    segments.map((segment) => ({ file, speaker, channel, ...segment, ...segment.scores })),
  );
  return table(rows, [], ["start", "end"], answers, labels);
}

function table(rows, ofWhole, ofPart, answers, labels) {
  const channel = answers.some((answer) => answer.channel != null) ? ["channel"] : [];
  const names = ["file", ...ofPart, ...channel, "speaker", "emotion", "confidence", ...ofWhole, ...labels, "error"];
  const lines = rows.map((row) =>
    names.map((name) => {
      const value = row[name] ?? "";
      return typeof value === "number" && name !== "channel" ? float(value) : cell(String(value));
    }),
  );
  return [names.map(cell), ...lines].map((line) => `${line.join(",")}\n`).join("");
}

function cell(text) {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** All segments of speech, in the order of their beginnings, with who speaks. */
function spoken(answers) {
  return answers
    .flatMap((answer) => answer.segments.map((segment) => ({ who: who(answer), segment })))
    .filter(({ segment }) => segment.emotion !== SILENCE)
    .sort((one, other) => one.segment.start - other.segment.start);
}

function who({ speaker, channel }) {
  return [speaker, channel == null ? null : `channel ${channel}`].filter(Boolean).join(", ");
}

function vtt(answers) {
  const cues = spoken(answers).map(({ who, segment }, at) => {
    const name = who.replaceAll("-->", "->").split(/\s+/).join(" ").trim();
    const caption = `${name ? `${name}: ` : ""}${segment.emotion} (${round(segment.confidence * 100)}%)`;
    return `\n${at + 1}\n${stamp(segment.start)} --> ${stamp(segment.end)}\n${caption}\n`;
  });
  return `WEBVTT\n${cues.join("")}`;
}

function stamp(seconds) {
  const milliseconds = round(seconds * 1000);
  const two = (value) => String(Math.floor(value)).padStart(2, "0");
  const minutes = milliseconds / 60_000;
  const rest = `${two((milliseconds % 60_000) / 1000)}.${String(milliseconds % 1000).padStart(3, "0")}`;
  return `${two(minutes / 60)}:${two(minutes % 60)}:${rest}`;
}

function textgrid(answers) {
  const end = Math.max(0, ...answers.flatMap((answer) => answer.segments.map((segment) => segment.end)));
  const tiers = new Map();
  for (const { who, segment } of spoken(answers)) {
    const name = who || "emotion";
    tiers.set(name, [...(tiers.get(name) ?? []), segment]);
  }
  if (!tiers.size) tiers.set("emotion", []);
  const lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", `xmax = ${end.toFixed(4)}`];
  lines.push("tiers? <exists>", `size = ${tiers.size}`, "item []:");
  [...tiers].forEach(([name, segments], at) => {
    const intervals = filled(segments, end);
    lines.push(`    item [${at + 1}]:`, '        class = "IntervalTier"', `        name = ${quoted(name)}`);
    lines.push("        xmin = 0", `        xmax = ${end.toFixed(4)}`, `        intervals: size = ${intervals.length}`);
    intervals.forEach(([start, stop, text], index) => {
      lines.push(`        intervals [${index + 1}]:`, `            xmin = ${start.toFixed(4)}`);
      lines.push(`            xmax = ${stop.toFixed(4)}`, `            text = ${quoted(text)}`);
    });
  });
  return `${lines.join("\n")}\n`;
}

/** Intervals from 0 to `end`, with empty ones between. */
function filled(segments, end) {
  const all = [];
  let reached = 0;
  for (const { start, end: stop, emotion } of segments) {
    const begin = Math.max(start, reached);
    if (stop <= begin) continue;
    if (begin > reached) all.push([reached, begin, ""]);
    all.push([begin, stop, emotion]);
    reached = stop;
  }
  return end > reached ? [...all, [reached, end, ""]] : all;
}

function quoted(text) {
  return `"${text.replaceAll('"', '""').split(/\s+/).join(" ").trim()}"`;
}

/** A number that Python has as an integer. */
class Whole {
  constructor(value) {
    this.value = value;
  }
}

/** JSON as Python's json.dumps writes it: every number is a float there, but for `Whole`. */
function python(value) {
  if (value instanceof Whole) return String(value.value);
  if (typeof value === "number") return float(value);
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (value && typeof value === "object") {
    const pairs = Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}: ${python(each)}`);
    return `{${pairs.join(", ")}}`;
  }
  return JSON.stringify(value);
}

/** A float as Python's repr writes it. */
function float(value) {
  if (value !== 0 && Math.abs(value) < 1e-4) {
    const [digits, exponent] = value.toExponential().split("e-");
    return `${digits}e-${exponent.padStart(2, "0")}`;
  }
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}
