// The microphone: blocks of mono sound at the rate of the browser's audio.

import { Problem } from "./engine/server.js";

const REFUSED = {
  NotAllowedError: "The microphone is not allowed. Allow it for this page, in the address bar, and press record again.",
  NotFoundError: "There is no microphone.",
  NotReadableError: "The microphone is used by another program.",
};

/**
 * @param {(samples: Float32Array) => void} onSamples
 * @returns {Promise<{rate: number, begin: () => void, stop: () => Promise<void>}>}
 */
export async function openMicrophone(onSamples) {
  if (!navigator.mediaDevices) {
    throw new Problem("Browsers give a page the microphone only over https, or at localhost.");
  }
  let sound;
  try {
    // As it is: what cleans speech for calls also takes away how it sounds.
    const asItIs = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 1 };
    sound = await navigator.mediaDevices.getUserMedia({ audio: asItIs });
  } catch (error) {
    throw new Problem(REFUSED[error.name] ?? `The microphone cannot be used: ${error.message}`);
  }
  const context = new AudioContext();
  await context.audioWorklet.addModule(new URL("capture.worklet.js", import.meta.url));
  const capture = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
  let stopped;
  capture.port.addEventListener("message", ({ data }) => (data === null ? stopped() : onSamples(data)));
  capture.port.start();
  const source = context.createMediaStreamSource(sound);
  return {
    rate: context.sampleRate,
    begin: () => source.connect(capture),
    async stop() {
      await new Promise((resolve) => {
        stopped = resolve;
        capture.port.postMessage(null);
      });
      sound.getTracks().forEach((track) => track.stop());
      await context.close();
    },
  };
}
