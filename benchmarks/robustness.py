"""What a user gets of hostile input: each case is made, run through the command line, and written down.

    python benchmarks/robustness.py     # writes results/robustness.json, which docs/robustness.md is made of

Nothing is timed. The voice is synthetic, so that everybody has it.
"""

# ruff: noqa: E501 -- a case is a line

import io
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import soundfile

from emotone.corpora.synthetic import synthesise

RATE = 16_000
OUT = Path(__file__).parents[1] / "results" / "robustness.json"
COMMAND = [sys.executable, "-m", "emotone"]


class Case(NamedTuple):
    """A kind of input, one of its kind, how it is made in a folder, and the command on it."""

    kind: str
    what: str
    make: Callable[[Path], object]
    command: Sequence[str]


def voice(repetition: int = 1) -> np.ndarray:
    return synthesise("angry", "strong", "01", repetition, 2).astype("f4") / 32768


def pcm() -> bytes:
    return (voice() * 32767).astype("<i2").tobytes()


def wav(data: bytes, *, size: int | None = None, before: bytes = b"") -> bytes:
    fmt = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, RATE, 2 * RATE, 2, 16)
    body = b"WAVE" + fmt + b"data" + struct.pack("<I", len(data) if size is None else size) + data
    return before + b"RIFF" + struct.pack("<I", len(body)) + body


def rf64() -> bytes:
    fmt = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, RATE, 2 * RATE, 2, 16)
    ds64 = b"ds64" + struct.pack("<IQQQI", 28, 0, 0, 0, 0)
    return b"RF64\xff\xff\xff\xffWAVE" + ds64 + fmt + b"data\xff\xff\xff\xff" + pcm()


def encoded(container: str, codec: str) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        track = output.add_stream(codec, rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(voice()[None], format="fltp", layout="mono")
        frame.sample_rate = RATE
        fit = av.AudioResampler(format=track.codec_context.format, layout="mono", rate=RATE)
        fifo = av.AudioFifo()
        for part in fit.resample(frame):
            fifo.write(part)
        while (part := fifo.read(track.codec_context.frame_size or 1024, partial=True)) is not None:
            output.mux(track.encode(part))
        output.mux(track.encode(None))
    return file.getvalue()


def put(name: str, content: bytes | str | Callable[[], bytes]) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        data = content() if callable(content) else content
        (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)

    return make


def sound(name: str, *, channels: Sequence[float] = (1.0,), seconds: float | None = None) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        samples = voice() if seconds is None else voice()[6_000 : 6_000 + round(seconds * RATE)]
        soundfile.write(folder / name, np.outer(samples, channels), RATE, subtype="PCM_16")

    return make


def with_recording(content: str, name: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        sound("a.wav")(folder)
        put(name, content)(folder)

    return make


def links(folder: Path) -> None:
    (folder / "calls").mkdir()
    sound("calls/a.wav")(folder)
    put("calls/notes.txt", "none")(folder)
    (folder / "else").mkdir()
    sound("else/b.aiff")(folder)
    (folder / "calls" / "linked").symlink_to(folder / "else")
    (folder / "else" / "back").symlink_to(folder / "calls")


def piped(folder: Path) -> None:
    sound("a.wav")(folder)
    os.mkfifo(folder / "pipe")
    threading.Thread(target=lambda: (folder / "pipe").write_bytes(wav(pcm()))).start()


def bound(folder: Path) -> None:
    sound("a.wav")(folder)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "socket"))


def two_sides(folder: Path) -> None:
    one, other = voice(), voice(2)
    samples = np.zeros((2, len(one) + len(other)), "f4")
    samples[0, : len(one)], samples[1, len(one) :] = one, other
    soundfile.write(folder / "call.wav", samples.T, RATE, subtype="PCM_16")


RTTM = "SPEAKER call 1 0.0 1.4 <NA> <NA> anna <NA> <NA>\nSPEAKER call 1 1.5 1.4 <NA> <NA> ben <NA> <NA>\n"
HEAD = "file,emotion,speaker\n"
CASES = [
    Case("WAV", "written to a pipe: its size is 0", put("a.wav", lambda: wav(pcm(), size=0)), ["predict", "a.wav"]),
    Case("WAV", "written to a pipe: its size is 0xFFFFFFFF", put("a.wav", lambda: wav(pcm(), size=0xFFFFFFFF)), ["predict", "a.wav"]),
    Case("WAV", "its size is 16 bytes too many", put("a.wav", lambda: wav(pcm(), size=len(pcm()) + 16)), ["predict", "a.wav"]),
    Case("WAV", "an ID3 tag before it", put("a.wav", lambda: wav(pcm(), before=b"ID3\x03\0\0\0\0\0\x0a" + bytes(10))), ["predict", "a.wav"]),
    Case("WAV", "RF64 of a stream", put("a.wav", rf64), ["predict", "a.wav"]),
    Case("WAV", "mp3 in it", put("a.wav", lambda: encoded("wav", "mp3")), ["predict", "a.wav"]),
    Case("WAV", "ADPCM", put("a.wav", lambda: encoded("wav", "adpcm_ms")), ["predict", "a.wav"]),
    Case("WAV", "named .wav, and FLAC", put("a.wav", lambda: encoded("flac", "flac")), ["predict", "a.wav"]),
    Case("WAV", "cut in the middle", put("a.wav", lambda: wav(pcm())[: len(pcm()) // 2]), ["predict", "a.wav"]),
    Case("WAV", "cut in the middle, `--strict`", put("a.wav", lambda: wav(pcm())[: len(pcm()) // 2]), ["predict", "a.wav", "--strict"]),
    Case("no audio", "text", put("a.wav", "these are words\n" * 100), ["predict", "a.wav"]),
    Case("no audio", "empty", put("a.mp3", b""), ["predict", "a.mp3"]),
    Case("no audio", "silence", put("a.wav", lambda: wav(bytes(2 * RATE))), ["predict", "a.wav"]),
    Case("paths", "a pipe beside a recording", piped, ["predict", "a.wav", "pipe"]),
    Case("paths", "a socket beside a recording", bound, ["predict", "a.wav", "socket"]),
    Case("paths", "a device beside a recording", sound("a.wav"), ["predict", "a.wav", "/dev/zero"]),
    Case("paths", "a name of 300 letters", sound("a.wav"), ["predict", "a.wav", "x" * 300 + ".wav"]),
    Case("paths", "a NUL in a table", with_recording("file\na.wav\na\0b.wav\n", "m.csv"), ["predict", "m.csv"]),
    Case("folders", "AIFF behind links that go in a circle, a text file", links, ["predict", "calls"]),
    Case("folders", "nothing to hear in it", lambda folder: (folder / "in").mkdir(), ["predict", "in"]),
    Case("channels", "one turned round, so that they cancel each other", sound("a.wav", channels=(1, -1)), ["predict", "a.wav"]),
    Case("channels", "a call with a speaker on each, `--channels each`", two_sides, ["predict", "call.wav", "--channels", "each"]),
    Case("channels", "one that is not there", sound("a.wav"), ["predict", "a.wav", "--channels", "0,1"]),
    Case("length", "half a second", sound("a.wav", seconds=0.5), ["predict", "a.wav"]),
    Case("length", "half a second, `--min-confidence 0`", sound("a.wav", seconds=0.5), ["predict", "a.wav", "--min-confidence", "0"]),
    Case("stretches", "`start` and `end` in a table", lambda folder: (two_sides(folder), put("m.csv", "file,start,end\ncall.wav,0,1.4\ncall.wav,1.5,\n")(folder)), ["predict", "m.csv"]),
    Case("stretches", "beyond the recording's end", with_recording("file,start,end\na.wav,1,9\na.wav,50,60\n", "m.csv"), ["predict", "m.csv"]),
    Case("stretches", "diarised turns, `--segments-from d.rttm`", lambda folder: (two_sides(folder), put("d.rttm", RTTM)(folder)), ["predict", "call.wav", "--segments-from", "d.rttm"]),
    Case("tables", "semicolons and capitals", with_recording("File;Speaker\na.wav;x\n", "m.csv"), ["predict", "m.csv"]),
    Case("tables", "paths of Windows", with_recording("file\n.\\a.wav\n", "m.csv"), ["predict", "m.csv"]),
    Case("tables", "NaN as an emotion", with_recording(HEAD + "a.wav,nan,x\n", "m.csv"), ["corpora", "check", "m.csv"]),
    Case("tables", "arousal as an emotion", with_recording(HEAD + "a.wav,0.12,x\n", "m.csv"), ["corpora", "check", "m.csv"]),
    Case("tables", "Latin-1", lambda folder: put("m.csv", (HEAD + "a.wav,\xe4rger,x\n").encode("latin-1"))(folder), ["corpora", "check", "m.csv"]),
    Case("speakers", "one in two spellings", lambda folder: (sound("a.wav")(folder), sound("b.wav", channels=(0.5,))(folder), put("m.csv", HEAD + "a.wav,sad,01\nb.wav,sad,1\n")(folder)), ["features", "--system", "nguyen/cnn", "--data", "m.csv", "--out", "f.csv"]),
    Case("speakers", "two with nearly one name", lambda folder: (sound("a.wav")(folder), sound("b.wav", channels=(0.5,))(folder), put("m.csv", HEAD + "a.wav,sad,Anna K\nb.wav,sad,anna_k\n")(folder)), ["corpora", "check", "m.csv"]),
    Case("models", "the folder of a trained system", lambda folder: (sound("a.wav")(folder), (folder / "mine").mkdir(), put("mine/system.json", "{}")(folder)), ["predict", "a.wav", "--model", "mine"]),
]  # fmt: skip


def run(case: Case) -> dict[str, object]:
    """Return what a user gets: the exit code, the lines of both outputs, without bars and with the folder left out."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        case.make(folder)
        done = subprocess.run(
            [*COMMAND, *case.command],
            cwd=folder,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )
    shown = done.stdout.decode().replace(f"{folder}/", "").replace(str(folder), "this folder")
    said = done.stderr.decode().replace(f"{folder}/", "").replace("x" * 300, "xxx...")
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    bars = [line for line in lines if any(sign in line for sign in "█▏▎▍▌▋▊▉") or line.endswith(" 0%")]
    answers = [line for line in lines if line not in bars or line.count(" of ")]
    short = [" ".join("".join(" " if sign in "█▏▎▍▌▋▊▉" else sign for sign in line).split()) for line in answers]
    return {
        "kind": case.kind,
        "what": case.what,
        "command": " ".join(["emotone", *(word if len(word) < 99 else "xxx....wav" for word in case.command)]),
        "code": done.returncode,
        "shown": [line for line in short if line],
        "said": said.splitlines(),
    }


def main() -> None:
    OUT.write_text(json.dumps([run(case) for case in CASES], indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(OUT)


if __name__ == "__main__":
    main()
