// The worker in which the browser recognises by itself: the page stays alive meanwhile.

import { loadDetector } from "./detector.js";
import { loadNetwork } from "./network.js";
import { round } from "./numbers.js";
import { MODE } from "./speech.js";
import { UNCERTAIN, judge } from "./timeline.js";
import { Track } from "./track.js";

const VENDOR = new URL("../vendor/", import.meta.url).href;
const MODEL = new URL("../model/", import.meta.url).href;
const STEPS = 100; // of the mixer, that are taken at a time: 10 s
const LATE = 1000; // ms behind the sound at which windows are passed over
const TOLD = 0.25; // seconds of live sound between two tellings of how far it got

const card = fetch(new URL("card.json", MODEL)).then((answer) => answer.json());
const parts = Promise.all([
  card,
  loadNetwork(VENDOR, new URL("emotone.onnx", MODEL).href),
  loadDetector(new URL("fvad.js", VENDOR).href, MODE),
]);
parts.catch(() => {}); // told to whoever asks

let live = null;

const tasks = {
  card: () => card,
  ready: async () => void (await parts),

  /** Recognise a whole recording; `channels` together. */
  async recognize({ channels, rate, least }, tell) {
    const [card, network, makeDetector] = await parts;
    const track = new Track(card, rate, makeDetector(), { least, live: false });
    const length = channels[0].length;
    const block = STEPS * track.step;
    const answer = async (windows) => {
      for (const window of windows) track.add(window, await network(window.samples));
    };
    for (let at = 0; at < length; at += block) {
      await answer(track.push(channels.map((channel) => channel.subarray(at, at + block))));
      tell({ done: Math.min(1, (at + block) / length) });
    }
    await answer(track.close());
    return track.result();
  },

  async start({ rate, least }) {
    const [card, , makeDetector] = await parts;
    live = { track: new Track(card, rate, makeDetector(), { least, live: true }), least, seq: 0, told: 0 };
    return { model: card.name, labels: card.labels, window: card.window, hop: card.hop, rate };
  },

  /** Take live sound. */
  async push({ samples, at }, tell) {
    const { track } = live;
    const windows = track.push([samples]);
    if (track.seconds - live.told >= TOLD) {
      live.told = track.seconds;
      tell({ type: "heard", seq: live.seq++, until: round(track.seconds, 4), speech: track.speaking });
    }
    await update(windows, tell, Date.now() - at > LATE);
  },

  async end(_, tell) {
    await update(live.track.close(), tell, true);
    return live.track.result();
  },
};

/** Answer for live windows; where it is `late`, only for those that the result needs. */
async function update(windows, tell, late) {
  const [card, network] = await parts;
  for (const window of windows) {
    if (late && !window.full) continue;
    const heard = await network(window.samples);
    const { probabilities, attention } = heard;
    live.track.add(window, heard);
    const scores = Object.fromEntries(card.labels.map((label, index) => [label, probabilities[index]]));
    const [judged, confidence] = judge(scores, live.least ?? 0);
    const emotion = live.track.isUncertain(heard) ? UNCERTAIN : judged;
    const [start, end] = [window.start, window.end].map((at) => round(at / card.rate, 4));
    tell({ type: "update", seq: live.seq++, start, end, emotion, confidence, scores, attention });
  }
}

let before = Promise.resolve(); // one task after the other
self.addEventListener("message", ({ data: { id, task, ...given } }) => {
  before = before.then(async () => {
    try {
      const answer = await tasks[task](given, (told) => self.postMessage({ id, told }));
      self.postMessage({ id, answer });
    } catch (error) {
      self.postMessage({ id, error: error.message ?? String(error) });
    }
  });
});
