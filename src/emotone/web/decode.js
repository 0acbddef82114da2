// A file's sound, every channel at the rate that the file states where it is known, decoded by the browser.

import { Problem } from "./engine/server.js";

const USUAL = [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000];
const OTHERWISE = 48_000;
const LONGEST = 30 * 60; // seconds: the browser decodes in one piece
const HEAD = 65_536; // bytes in which a rate is looked for

/**
 * @param {Blob} file
 * @returns {Promise<{samples: Float32Array[], rate: number}>} in [-1, 1]
 */
export async function decode(file) {
  if (!file.size) throw new Problem("The file is empty (0 bytes).");
  const seconds = await durationOf(file);
  if (seconds > LONGEST) {
    throw new Problem(
      `The recording lasts ${Math.ceil(seconds / 60)} minutes; a browser decodes ${LONGEST / 60} at a time. ` +
        "`emotone predict` takes recordings of any length.",
    );
  }
  const stated = rateOf(new DataView(await file.slice(0, HEAD).arrayBuffer()));
  const rate = USUAL.includes(stated) ? stated : OTHERWISE;
  let buffer;
  try {
    buffer = await new OfflineAudioContext(1, 1, rate).decodeAudioData(await file.arrayBuffer());
  } catch {
    throw new Problem("Not audio, or of a format that this browser cannot decode.");
  }
  const samples = Array.from({ length: buffer.numberOfChannels }, (_, channel) => buffer.getChannelData(channel));
  for (const one of samples) one.forEach((value, at) => Math.abs(value) > 1 && (one[at] = Math.sign(value)));
  return { samples, rate };
}

/** Seconds that a player says a file lasts; 0 where it does not know. */
function durationOf(file) {
  return new Promise((resolve) => {
    const player = new Audio();
    const done = (seconds) => {
      URL.revokeObjectURL(player.src);
      resolve(Number.isFinite(seconds) ? seconds : 0);
    };
    player.preload = "metadata";
    player.addEventListener("loadedmetadata", () => done(player.duration));
    player.addEventListener("error", () => done(0));
    player.src = URL.createObjectURL(file);
  });
}

/**
 * @param {DataView} head of a file
 * @returns {number | null} the sampling rate in Hz that wav, flac, ogg or mp3 state
 */
export function rateOf(head) {
  const text = (at, length) => String.fromCharCode(...new Uint8Array(head.buffer, at, length));
  if (head.byteLength < 64) return null;
  if (text(0, 4) === "RIFF" && text(8, 4) === "WAVE") {
    for (let at = 12; at + 16 <= head.byteLength; at += 8 + head.getUint32(at + 4, true)) {
      if (text(at, 4) === "fmt ") return head.getUint32(at + 12, true);
    }
    return null;
  }
  if (text(0, 4) === "fLaC") return head.getUint32(18) >>> 12;
  if (text(0, 4) === "OggS") {
    if (text(29, 6) === "vorbis") return head.getUint32(40, true);
    return text(28, 8) === "OpusHead" ? OTHERWISE : null;
  }
  return rateOfMp3(head, text);
}

function rateOfMp3(head, text) {
  const size = (at) => [0, 1, 2, 3].reduce((sum, byte) => (sum << 7) | head.getUint8(at + byte), 0); // 7 bits of each
  const first = text(0, 3) === "ID3" ? 10 + size(6) : 0;
  if (first + 4 > head.byteLength || head.getUint16(first) >>> 5 !== 0x7ff) return null;
  const version = (head.getUint8(first + 1) >>> 3) & 3;
  const rate = [44_100, 48_000, 32_000][(head.getUint8(first + 2) >>> 2) & 3];
  return rate && version !== 1 ? rate / { 3: 1, 2: 2, 0: 4 }[version] : null;
}
