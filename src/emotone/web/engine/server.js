// The engine that asks `emotone serve`, over HTTP and a WebSocket.

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
 */

/** Why there is no answer. */
export class Problem extends Error {
  /**
   * @param {string} message
   * @param {number} [status] of HTTP
   */
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

const AWAY = "The service cannot be reached. Is `emotone serve` running?";

/** @returns {Engine & {key: string}} `key`: what is sent for access, kept in memory alone */
export function serverEngine() {
  const engine = {
    key: "",
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
      return (await asked(`v1/recognize?${query}`, { method: "POST", body })).answers;
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
        error: (problem) => fail(new Problem(problem.detail ?? problem.title, problem.status)),
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
            speaker: null,
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
    if (!response.ok) throw new Problem(told.detail ?? told.title ?? `HTTP ${response.status}`, response.status);
    return told;
  }

  return engine;
}
