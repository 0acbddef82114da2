// The timeline under the player: a lane for each channel or speaker, a button for each stretch of speech in it.

import { clock, make, percent } from "./dom.js";
import { toneOf } from "./tones.js";
import { drawWaveform } from "./waveform.js";

const SECOND = 34; // pixels at least, so that a stretch can be hit; longer recordings are scrolled
const SILENCE = "silence";

/**
 * @typedef {import("./engine/server.js").Answer} Answer
 * @typedef {import("./local/timeline.js").Segment} Segment
 */

/**
 * @param {HTMLElement} place that is filled
 * @param {Answer[]} answers
 * @param {string[]} labels
 * @param {{choose: (segment: Segment, answer: Answer) => void, seek: (seconds: number) => void}} on
 * @returns {{at: (seconds: number) => void, sound: (channels: Float32Array[], rate: number) => void}} `at` moves the mark of
 *   the player; `sound` draws what is heard
 */
export function fillLanes(place, answers, labels, on) {
  const duration = Math.max(...answers.map((answer) => answer.duration), 0.01);
  const width = Math.ceil(duration * SECOND);
  const mark = make("i", { class: "mark", "aria-hidden": "true" });
  const strip = make("div", { class: "strip", "--wide": `${width}px` }, mark);
  const scroller = make("div", { class: "scroller" }, strip);
  const lanes = answers.map((answer) => {
    const canvas = make("canvas", { "aria-hidden": "true" });
    const list = make("ol", { "aria-label": `${nameOf(answer)}: stretches of speech` });
    const lane = make("div", { class: "lane" }, make("div", { class: "behind" }, canvas), list);
    lane.addEventListener("click", (event) => {
      if (event.target.closest("button")) return;
      const box = strip.getBoundingClientRect();
      on.seek(((event.clientX - box.left) / box.width) * duration);
    });
    fillList(list, answer, duration, labels, strip, on);
    strip.append(
      make("p", { class: "who" }, make("b", {}, nameOf(answer)), ` ${toldOf(answer)}`),
      lane,
    );
    return { canvas, answer };
  });
  strip.append(axis(duration));
  place.replaceChildren(scroller);
  new ResizeObserver(() => strip.style.setProperty("--view", `${scroller.clientWidth}px`)).observe(scroller);
  return {
    at(seconds) {
      mark.style.setProperty("--at", Math.min(1, seconds / duration));
      const x = (seconds / duration) * strip.clientWidth;
      const [left, wide] = [scroller.scrollLeft, scroller.clientWidth];
      if (x < left || x > left + wide) scroller.scrollLeft = x - wide / 8;
    },
    sound(channels, rate) {
      for (const { canvas, answer } of lanes) {
        const samples = channels[answer.channel ?? 0];
        if (samples) drawWaveform(canvas, strip, scroller, { samples, rate }, answer, labels);
      }
    },
  };
}

/**
 * @param {Answer} answer
 * @returns {string} who speaks
 */
export function nameOf({ speaker, channel }) {
  if (speaker) return speaker;
  return channel == null ? "Recording" : `Channel ${channel}`;
}

function toldOf({ emotion, confidence, speech, duration }) {
  const sure = emotion === "no speech" ? "" : `, ${percent(confidence)}`;
  return `${emotion}${sure} · ${speech.toFixed(1)} s of speech in ${duration.toFixed(1)} s`;
}

function fillList(list, answer, duration, labels, strip, on) {
  const spoken = answer.segments.filter(({ emotion }) => emotion !== SILENCE);
  const buttons = spoken.map((segment, at) => {
    const { start, end, emotion, confidence } = segment;
    const told = `${clock(start)} to ${clock(end)}: ${emotion}, ${percent(confidence)}`;
    return make(
      "button",
      {
        type: "button",
        title: told,
        "aria-label": told,
        tabindex: at ? -1 : 0,
        class: emotion === "uncertain" ? "uncertain" : null,
        "--tone": toneOf(emotion, labels),
        "--sure": confidence,
        "--from": start / duration,
        "--long": (end - start) / duration,
        click: ({ currentTarget }) => {
          strip.querySelector("[aria-current]")?.removeAttribute("aria-current");
          currentTarget.setAttribute("aria-current", "true");
          on.choose(segment, answer);
        },
      },
      make("span", {}, emotion),
      make("small", {}, percent(confidence)),
    );
  });
  list.append(...buttons.map((button) => make("li", {}, button)));
  list.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (!buttons[to]) return;
    event.preventDefault();
    buttons.forEach((button, index) => (button.tabIndex = index === to ? 0 : -1));
    buttons[to].focus();
  });
}

function axis(duration) {
  const step = [1, 2, 5, 10, 30, 60].find((each) => each * SECOND >= 60 && duration / each <= 200) ?? 60;
  const marks = [];
  for (let second = 0; second <= duration; second += step) {
    marks.push(make("span", { "--at": second / duration }, clock(second).replace(/\.0$/, "")));
  }
  return make("div", { class: "axis", "aria-hidden": "true" }, ...marks);
}
