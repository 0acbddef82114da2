// The page: which engine answers, and what happens when something is pressed or dropped.

import { showComparison } from "./comparison.js";
import { byId, make } from "./dom.js";
import { localEngine } from "./engine/local.js";
import { serverEngine } from "./engine/server.js";
import { listen } from "./live.js";
import { followPlayer, showRecording } from "./recording.js";
import { makeTabs } from "./tabs.js";
import { toneOf } from "./tones.js";
import { offerVoice } from "./voice.js";

/** @type {import("./engine/server.js").Engine} */
let engine;
/** @type {import("./local/track.js").Card} */
let card;
let listening = null;
let busy = false;
let shown = null; // the file whose answers are shown
const voice = offerVoice({ adapt, undo });

async function configured() {
  const response = await fetch(new URL("config.json", import.meta.url));
  return response.ok ? response.json() : { engine: "server" };
}

function asked() {
  const least = byId("least").value;
  return { channels: byId("channels").value, least: least === "" ? null : Number(least) };
}

function show(problem) {
  const place = byId("problem");
  place.hidden = problem === null;
  place.textContent = problem === null ? "" : problem.message;
  if (problem?.status === 401) {
    byId("access").hidden = false;
    byId("key").focus();
  }
  if (problem && !engine.speaker) voice.tell(null);
}

async function load() {
  try {
    card = await engine.model();
  } catch (problem) {
    show(problem);
    return;
  }
  show(null);
  byId("engine").textContent = `${card.name} is loading …`;
  engine.ready().then(() => (byId("engine").textContent = card.name), show);
  byId("terms").textContent = `${card.name} is under ${card.licence}.`;
  byId("known").replaceChildren(...card.labels.map((label) => make("li", { "--tone": toneOf(label, card.labels) }, label)));
  byId("record").disabled = byId("file").disabled = false;
  voice.allow(engine.adapt !== undefined && card.adapts);
}

async function recognize(file) {
  await work(`Listening to ${file.name} …`, async (onProgress) => {
    const adapted = Boolean(engine.speaker);
    const answers = await engine.recognize(file, asked(), onProgress);
    showAnswers(file, answers, adapted);
  });
}

/** Do what takes a while, unless something else is being done; return whether it was. */
async function work(name, task) {
  if (busy || listening) return false;
  busy = true;
  show(null);
  const progress = byId("progress");
  progress.removeAttribute("value"); // how long it takes is not known yet
  byId("working-name").textContent = name;
  byId("working").hidden = false;
  try {
    await task((share) => (progress.value = share));
    return true;
  } catch (problem) {
    show(problem);
    return false;
  } finally {
    byId("working").hidden = true;
    busy = false;
  }
}

function showAnswers(file, answers, adapted) {
  shown = file;
  voice.offer([file]);
  showRecording(file, answers, card.labels, adapted);
}

/** Get used to the voice in some recordings. */
async function adapt(files) {
  const done = await work("Getting used to the voice …", async () => {
    const known = await engine.adapt(files);
    voice.tell(known);
    setTimeout(forget, known.until - Date.now(), engine.speaker);
  });
  if (done) answerAnew("The model is used to the speaker’s voice.", "voice-undo");
}

function undo() {
  forget(engine.speaker);
  answerAnew("Answers are for anybody again.", "voice-summary");
}

function forget(speaker) {
  if (engine.speaker !== speaker) return;
  engine.speaker = null;
  voice.tell(null);
}

/** Say whom answers are for now, and let what is shown be so; else go on at an element. */
function answerAnew(said, id) {
  byId("said").textContent = said;
  if (shown) recognize(shown);
  else byId(id).focus();
}

async function record() {
  if (busy) return;
  if (listening) {
    listening.stop();
    return;
  }
  busy = true;
  show(null);
  byId("recording").hidden = true;
  try {
    const adapted = Boolean(engine.speaker);
    listening = await listen(engine, card, asked());
    busy = false;
    recordingIs(true);
    const { file, result } = await listening.done;
    showAnswers(file, [{ channel: null, ...result }], adapted);
  } catch (problem) {
    show(problem);
  } finally {
    busy = false;
    listening = null;
    recordingIs(false);
  }
}

function recordingIs(on) {
  byId("listen").classList.toggle("listening", on);
  byId("record-name").textContent = on ? "Stop" : "Record";
  if (!on) byId("record-note").textContent = "speak, and watch";
}

function acceptDrops() {
  const over = (on) => (byId("dropping").hidden = !on);
  addEventListener("dragover", (event) => {
    event.preventDefault();
    byId("dropping-what").textContent = voice.isOpen() ? "Drop the speaker’s recordings" : "Drop it";
    over(event.dataTransfer.types.includes("Files"));
  });
  addEventListener("dragleave", (event) => event.relatedTarget === null && over(false));
  addEventListener("drop", (event) => {
    event.preventDefault();
    over(false);
    const [file] = event.dataTransfer.files;
    if (!file || !card) return;
    byId("tab-listen").click();
    if (voice.isOpen()) voice.offer(event.dataTransfer.files);
    else recognize(file);
  });
}

makeTabs(document.querySelector('[role="tablist"]'));
followPlayer();
acceptDrops();
byId("record").addEventListener("click", record);
byId("file").addEventListener("change", ({ target }) => {
  const [file] = target.files;
  target.value = ""; // the same file may be chosen again
  if (file) recognize(file);
});
byId("access").addEventListener("submit", (event) => {
  event.preventDefault();
  engine.key = byId("key").value.trim();
  load();
});
showComparison();
const { engine: kind } = await configured();
engine = kind === "local" ? localEngine() : serverEngine();
byId("promise").textContent = engine.promise;
await load();
