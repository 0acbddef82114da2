// The engine that asks `emotone serve`, over HTTP and a WebSocket.

import { Problem } from "../problem.js";

/**
 * An engine recognises. There are two, with one interface: this one and local.js.
 *
 * @typedef {object} Asked
 * @property {"mix" | "each"} [channels]
 * @property {number | null} least below it, an emotion is "uncertain"; null where that depends on how much speech there is
 *
 * @typedef {import("../local/timeline.js").Result & {channel: number | null, speaker?: string}} Answer
 *
 * @typedef {object} Listener what is told of live sound
 * @property {(told: {until: number, speech: boolean}) => void} heard
 * @property {(told: import("../local/timeline.js").Segment & {attention: number[] | null}) => void} update
 * @property {(result: import("../local/timeline.js").Result) => void} summary
 * @property {(problem: Problem) => void} problem
 *
 * @typedef {object} Engine
 * @property {string} promise what happens to what is heard
 * @property {() => Promise<import("../local/track.js").Card>} model its card
 * @property {() => Promise<void>} ready once it can answer at once
 * @property {(file: File, asked: Asked, onProgress: (share: number) => void) => Promise<Answer[]>} recognize
 * @property {(rate: number, asked: Asked, listener: Listener) => {push: (samples: Float32Array) => void, end: () => void}} listen
 * @property {string | null} [speaker] who all answers are for; null is anybody. Not there where it cannot get used to a voice
 * @property {(files: File[]) => Promise<{recordings: number, until: Date}>} [adapt] get used to a voice; answers are for that
 *   speaker then
 */

const AWAY = "The service cannot be reached. Is `emotone serve` running?";

/** @returns {Engine & {key: string}} `key`: what is sent for access, kept in memory alone */
export function serverEngine() {
  const engine = {
    key: "",
    speaker: null,
    promise: "What you record or choose is sent to this service alone, which answers and keeps nothing.",

    async model() {
      return asked("v1/model", {});
    },

    async ready() {},

    async recognize(file, { channels = "mix", least }) {
      const body = new FormData();
      body.append("file", file, file.name);
      const query = new URLSearchParams({ channels });
      if (least !== null) query.set("min_confidence", least);
      if (engine.speaker) query.set("speaker", engine.speaker);
      return (await asked(`v1/recognize?${query}`, { method: "POST", body })).answers;
    },

    async adapt(files) {
      const body = new FormData();
      for (const file of files) body.append("files", file, file.name);
      const { speaker, recordings, expires_in } = await asked("v1/adapt", { method: "POST", body });
      engine.speaker = speaker;
      return { recordings, until: new Date(Date.now() + 1000 * expires_in) };
    },

    listen(rate, { least }, listener) {
      const address = new URL("v1/stream", document.baseURI);
      address.protocol = address.protocol.replace("http", "ws");
      const socket = new WebSocket(address, engine.key ? [`emotone.key.${engine.key}`] : []);
      socket.binaryType = "arraybuffer";
      const waiting = []; // sound from before the service is ready
      let state = "starting";
      const send = (message) => (state === "ready" ? socket.send(message) : waiting.push(message));
      const fail = (problem) => {
        if (state === "over") return;
        state = "over";
        socket.close();
        listener.problem(problem);
      };
      const told = {
        ready() {
          state = "ready";
          waiting.splice(0).forEach((message) => socket.send(message));
        },
        heard: listener.heard,
        update: listener.update,
        summary({ result }) {
          state = "over";
          listener.summary(result);
        },
        error: (problem) => fail(problemOf(problem.status, problem)),
      };
      socket.addEventListener("open", () =>
        socket.send(
          JSON.stringify({
            type: "start",
            format: "f32le",
            rate,
            channels: 1,
            window: null,
            hop: null,
            min_confidence: least,
            speaker: engine.speaker,
            attention: true,
          }),
        ),
      );
      socket.addEventListener("message", ({ data }) => {
        const message = JSON.parse(data);
        told[message.type]?.(message);
      });
      socket.addEventListener("close", ({ reason }) => fail(new Problem(reason || AWAY)));
      return {
        push: (samples) => send(samples.buffer),
        end: () => send(JSON.stringify({ type: "end" })),
      };
    },
  };

  async function asked(path, options) {
    const headers = engine.key ? { Authorization: `Bearer ${engine.key}` } : {};
    let response;
    try {
      response = await fetch(new URL(path, document.baseURI), { ...options, headers });
    } catch {
      throw new Problem(AWAY);
    }
    const told = await response.json().catch(() => ({}));
    if (!response.ok) throw problemOf(response.status, told);
    return told;
  }

  function problemOf(status, { title, detail = title ?? `HTTP ${status}` }) {
    if (engine.speaker && status === 422 && detail.startsWith("speaker ")) {
      engine.speaker = null; // its time is over, or the service has begun anew
      return new Problem("The service no longer knows the speaker’s voice: answers are for anybody again. Try once more.", status);
    }
    return new Problem(detail, status);
  }

  return engine;
}
