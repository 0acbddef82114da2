// A recording and its answers: player, timeline, scores, downloads.

import { decode } from "./decode.js";
import { byId, clock, make } from "./dom.js";
import { FORMATS } from "./formats.js";
import { fillLanes, nameOf } from "./lanes.js";
import { bars, sureness } from "./scores.js";
import { toneOf } from "./tones.js";

const SOUGHT = 0.05; // seconds by which a player may miss where it is put

let address = null; // of the recording that is shown
let chosen = null; // stretch that is played, and no further
let move = () => {};

/**
 * @param {File} file
 * @param {import("./engine/server.js").Answer[]} answers
 * @param {string[]} labels
 * @param {boolean} adapted to the speaker's voice
 */
export function showRecording(file, answers, labels, adapted) {
  const player = byId("player");
  if (address) URL.revokeObjectURL(address);
  address = URL.createObjectURL(file);
  player.hidden = false;
  byId("unplayable").hidden = true;
  player.src = address;
  byId("recording-title").textContent = file.name;
  byId("adapted").hidden = !adapted;
  const notes = answers.flatMap((answer) => answer.notes.map((note) => (answers.length > 1 ? `${nameOf(answer)}: ${note}` : note)));
  byId("notes").replaceChildren(...notes.map((note) => make("li", {}, note)));

  const lanes = fillLanes(byId("lanes"), answers, labels, {
    choose(segment, answer) {
      const { start, end } = segment;
      detail(`${nameOf(answer)}, ${clock(start)} to ${clock(end)}`, segment, labels);
      chosen = segment;
      player.currentTime = start;
      player.play().catch(() => {}); // what the browser cannot play was said
    },
    seek(seconds) {
      chosen = null;
      player.currentTime = seconds;
    },
  });
  move = lanes.at;
  drawSound(file, answers, lanes);
  const [first] = answers;
  detail(answers.length > 1 ? nameOf(first) : "The whole recording", first, labels);

  byId("downloads").replaceChildren(
    make("span", {}, "Download"),
    ...FORMATS.map(({ name, suffix, type, write }) =>
      make("button", { type: "button", click: () => save(write(file.name, answers, labels), suffix, type, file.name) }, name),
    ),
  );
  byId("recording").hidden = false;
  byId("recording-title").focus();
}

/** Let the player tell where it is; once. */
export function followPlayer() {
  const player = byId("player");
  const stop = () => {
    if (chosen && player.currentTime >= chosen.end) player.pause();
  };
  const follow = () => {
    stop();
    move(player.currentTime);
    if (!player.paused) requestAnimationFrame(follow);
  };
  player.addEventListener("play", follow);
  player.addEventListener("timeupdate", stop); // also where nothing is drawn, as in a hidden tab
  player.addEventListener("seeking", () => {
    if (chosen && Math.abs(player.currentTime - chosen.start) > SOUGHT) chosen = null;
  });
  player.addEventListener("seeked", () => move(player.currentTime));
  player.addEventListener("pause", () => (chosen = null));
  player.addEventListener("error", () => {
    player.hidden = true;
    byId("unplayable").hidden = false;
  });
}

/** Draw what is heard, where the browser can decode it. */
async function drawSound(file, answers, lanes) {
  try {
    const { samples, rate } = await decode(file);
    const mixed = answers[0].channel === null && samples.length > 1 ? [mean(samples)] : samples;
    lanes.sound(mixed, rate);
  } catch {
    // The lanes tell the same without it.
  }
}

function mean(channels) {
  return channels[0].map((_, at) => channels.reduce((sum, channel) => sum + channel[at], 0) / channels.length);
}

/** Say more of a stretch, or of the whole. */
function detail(of, answer, labels) {
  const { emotion, scores } = answer;
  const place = byId("detail");
  place.style.setProperty("--tone", toneOf(emotion, labels));
  place.dataset.state = emotion === "uncertain" ? "uncertain" : emotion === "no speech" ? "none" : "sure";
  place.replaceChildren(
    make(
      "div",
      {},
      make("p", { class: "what" }, of),
      make("p", { class: "emotion" }, emotion),
      make("p", { class: "sure" }, emotion === "no speech" ? "" : sureness(answer)),
    ),
    make("ul", { class: "scores" }, ...(emotion === "no speech" ? [] : bars(scores, labels))),
  );
}

function save(text, suffix, type, name) {
  const stem = name.replace(/(?<=.)\.[^.]*$/, "");
  const link = make("a", { href: URL.createObjectURL(new Blob([text], { type })), download: stem + suffix });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
