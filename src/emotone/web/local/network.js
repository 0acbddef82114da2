// The network: a bundle in ONNX Runtime, compiled to WebAssembly, on one thread.

/**
 * @typedef {{probabilities: Float32Array, embedding: Float32Array, attention: number[] | null}} Heard
 * @typedef {(samples: Float32Array) => Promise<Heard>} Network
 */

/**
 * @param {string} runtime address of the folder that holds ONNX Runtime
 * @param {string} model address of the bundle
 * @returns {Promise<Network>}
 */
export async function loadNetwork(runtime, model) {
  const ort = await import(new URL("ort.js", runtime).href);
  ort.env.wasm.numThreads = 1; // more need headers that a plain web server does not send
  ort.env.wasm.wasmPaths = {
    mjs: new URL("ort-wasm.js", runtime).href,
    wasm: new URL("ort-wasm.wasm", runtime).href,
  };
  const session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
  return async (samples) => {
    const { probabilities, embedding, attention } = await session.run({
      waveform: new ort.Tensor("float32", samples, [1, samples.length]),
      lengths: new ort.Tensor("int64", BigInt64Array.of(BigInt(samples.length)), [1]),
    });
    return {
      probabilities: probabilities.data,
      embedding: embedding.data,
      attention: attention ? trimmed([...attention.data]) : null,
    };
  };
}

/** Weights up to the clip's own end, beyond which they are zero. */
function trimmed(weights) {
  return weights.slice(0, weights.findLastIndex((weight) => weight !== 0) + 1);
}
