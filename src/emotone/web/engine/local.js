// The engine that is the browser itself: a worker with the model. Nothing leaves the page.

import { decode } from "../decode.js";
import { Problem } from "./server.js";

/** @returns {import("./server.js").Engine} */
export function localEngine() {
  const worker = new Worker(new URL("../local/worker.js", import.meta.url), { type: "module" });
  const asked = new Map(); // what the worker is about
  let last = 0;

  worker.addEventListener("message", ({ data: { id, told, answer, error } }) => {
    const one = asked.get(id);
    if (told) return one.tell(told);
    asked.delete(id);
    return error === undefined ? one.resolve(answer) : one.reject(new Problem(error));
  });
  worker.addEventListener("error", ({ message }) => {
    for (const one of asked.values()) one.reject(new Problem(`The recogniser cannot start: ${message ?? "no reason"}`));
    asked.clear();
  });

  /** Let the worker do a task; `tell` gets what it says meanwhile. */
  function ask(task, given = {}, tell = () => {}, transfer = []) {
    return new Promise((resolve, reject) => {
      asked.set(++last, { resolve, reject, tell });
      worker.postMessage({ id: last, task, ...given }, transfer);
    });
  }

  return {
    promise: "Everything happens in this browser: what you record or choose never leaves it.",

    model: () => ask("card"),

    ready: () => ask("ready"),

    async recognize(file, { channels = "mix", least }, onProgress) {
      const { samples, rate } = await decode(file);
      const parts = channels === "each" ? samples.map((one) => [one]) : [samples];
      const answers = [];
      for (const [at, part] of parts.entries()) {
        const tell = ({ done }) => onProgress((at + done) / parts.length);
        const result = await ask("recognize", { channels: part, rate, least }, tell);
        answers.push({ channel: channels === "each" ? at : null, ...result });
      }
      return answers;
    },

    listen(rate, { least }, listener) {
      const tell = (told) => listener[told.type](told);
      const fail = (problem) => {
        if (!failed) listener.problem(problem);
        failed = true;
      };
      let failed = false;
      ask("start", { rate, least }).catch(fail);
      return {
        push: (samples) => void ask("push", { samples, at: Date.now() }, tell).catch(fail),
        end: () => void ask("end", {}, tell).then(listener.summary, fail),
      };
    },
  };
}
