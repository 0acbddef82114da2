// Live: what the microphone hears, and what the engine makes of it.

import { bars, sureness } from "./scores.js";
import { byId, clock, percent } from "./dom.js";
import { openMicrophone } from "./microphone.js";
import { Problem } from "./problem.js";
import { Spectrogram } from "./spectrogram.js";
import { StreamGraph } from "./stream-graph.js";
import { toneOf } from "./tones.js";
import { toInt16, wavFile } from "./wav.js";

const QUIET = 1; // seconds without speech after which the page says so
const SPOKEN = 3; // seconds between two things that are said to a screen reader
const PATIENCE = 4_000; // ms after which a microphone that gave nothing will give nothing
const CALM = 500; // ms between two drawings where motion is unwanted

const SILENT =
  "The browser gives no sound from the microphone. Some need something to play on, too: connect headphones or a loudspeaker, " +
  "and reload the page.";

/**
 * Listen until `stop` is called.
 * @param {import("./engine/server.js").Engine} engine
 * @param {import("./local/track.js").Card} card
 * @param {import("./engine/server.js").Asked} asked
 * @returns {Promise<{stop: () => void, done: Promise<{file: File, result: import("./local/timeline.js").Result}>}>}
 */
export async function listen(engine, card, asked) {
  const blocks = [];
  let view;
  let line;
  const microphone = await openMicrophone((samples) => {
    blocks.push(toInt16(samples));
    view.hear(samples);
    line.push(samples);
  });
  view = new View(card, microphone.rate);
  let stopped = false;
  let stop;
  const done = new Promise((resolve, reject) => {
    const close = async () => {
      if (stopped) return;
      stopped = true;
      await microphone.stop();
    };
    const fail = async (problem) => {
      view.end();
      await close();
      reject(problem);
    };
    line = engine.listen(microphone.rate, asked, {
      heard: (told) => view.heard(told),
      update: (told) => view.update(told),
      summary: (result) => {
        view.end();
        const name = `recording ${new Date().toLocaleString("sv").replaceAll(":", ".")}.wav`;
        resolve({ file: wavFile(blocks, microphone.rate, name), result });
      },
      problem: fail,
    });
    setTimeout(async () => {
      if (blocks.length > 0 || stopped) return;
      await fail(new Problem(SILENT));
      line.end();
    }, PATIENCE);
    stop = async () => {
      if (stopped) return;
      await close();
      byId("record-note").textContent = "finishing …";
      line.end();
    };
  });
  microphone.begin();
  byId("now-what").textContent = engine.speaker ? "Now, adapted to the speaker’s voice" : "Now";
  view.begin();
  return { stop, done };
}

/** What is shown meanwhile. */
class View {
  #labels;
  #rate;
  #taken = 0;
  #peak = 0;
  #spoke = 0; // second until which speech was heard
  #said = { emotion: "", at: -SPOKEN };
  #spectrogram;
  #stream;
  #ended = false;
  #shown = "";

  constructor(card, rate) {
    this.#labels = card.labels;
    this.#rate = rate;
    const seconds = matchMedia("(max-width: 640px)").matches ? 12 : 30;
    // Canvases of their own: what drew an earlier recording must not draw on them any more.
    this.#spectrogram = new Spectrogram(fresh("spectrogram"), seconds, rate);
    this.#stream = new StreamGraph(fresh("stream"), seconds, card.labels);
    byId("attention-note").textContent = loudness();
  }

  begin() {
    byId("live").hidden = false;
    this.#show("listening", "listening …", null);
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const frame = () => {
      if (this.#ended) return;
      this.#spectrogram.show();
      this.#stream.show(this.#spectrogram.until);
      this.#level();
      if (calm) setTimeout(frame, CALM);
      else requestAnimationFrame(frame);
    };
    frame();
  }

  end() {
    this.#ended = true;
    byId("live").hidden = true;
  }

  hear(samples) {
    this.#taken += samples.length;
    this.#spectrogram.push(samples);
    for (const sample of samples) this.#peak = Math.max(this.#peak, Math.abs(sample));
    byId("record-note").textContent = clock(this.#taken / this.#rate);
  }

  heard({ until, speech }) {
    if (speech) this.#spoke = until;
    if (until - this.#spoke > QUIET && this.#shown !== "no speech") {
      this.#show("none", "no speech", null);
      this.#say("no speech", until);
    }
  }

  update(told) {
    this.#stream.add(told);
    this.#spectrogram.attend(told);
    this.#note(told.attention);
    this.#spoke = Math.max(this.#spoke, told.end);
    this.#show(told.emotion === "uncertain" ? "uncertain" : "sure", told.emotion, told);
    this.#say(`${told.emotion}, ${percent(told.confidence)}`, told.end, told.emotion);
  }

  #note(attention) {
    const orange = "Orange: where the model looked in the last stretch of speech, its attention.";
    byId("attention-note").textContent = attention ? `${loudness()} ${orange}` : loudness();
  }

  #show(state, emotion, told) {
    this.#shown = emotion;
    const now = byId("now");
    now.dataset.state = state;
    now.style.setProperty("--tone", told ? toneOf(emotion, this.#labels) : "var(--soft)");
    byId("now-emotion").textContent = emotion;
    byId("now-sure").textContent = told ? sureness(told) : "";
    byId("now-scores").replaceChildren(...(told ? bars(told.scores, this.#labels) : []));
  }

  #say(text, at, emotion = text) {
    if (emotion === this.#said.emotion || at - this.#said.at < SPOKEN) return;
    this.#said = { emotion, at };
    byId("said").textContent = text;
  }

  #level() {
    const decibels = Math.max(-60, 20 * Math.log10(this.#peak + 1e-9));
    this.#peak *= 0.9;
    const meter = byId("level");
    meter.setAttribute("aria-valuenow", Math.round(decibels));
    meter.setAttribute("aria-valuetext", `${Math.round(decibels)} decibels`);
    meter.style.setProperty("--level", (decibels + 60) / 60);
    meter.classList.toggle("clipped", decibels > -0.5);
  }
}

function loudness() {
  return `${matchMedia("(prefers-color-scheme: dark)").matches ? "Bright" : "Dark"} is loud, from 60 Hz to 8 kHz.`;
}

function fresh(id) {
  const old = byId(id);
  const canvas = old.cloneNode();
  old.replaceWith(canvas);
  return canvas;
}
