"""Ask a service: python examples/client.py RECORDING [--url URL] [--key KEY] [--live]. Needs websockets for --live."""

import argparse
import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode


class Client:
    """A service of `emotone serve`.

    Args:
        url: where it is.
        key: where it asks for one.
    """

    def __init__(self, url: str = "http://127.0.0.1:8000", key: str | None = None) -> None:
        self.url, self.headers = url, {"Authorization": f"Bearer {key}"} if key else {}

    def recognize(self, recording: Path, **options: object) -> list[dict[str, Any]]:
        """Return the answers to a recording, one or one for each channel; options are those of the service."""
        request = urllib.request.Request(
            f"{self.url}/v1/recognize?{urlencode(options)}",
            recording.read_bytes(),
            {"Content-Type": "application/octet-stream", **self.headers},
        )
        with urllib.request.urlopen(request) as reply:
            return json.load(reply)["answers"]

    def live(
        self, blocks: Iterator[bytes], *, rate: int, channels: int = 1, **options: object
    ) -> Iterator[dict[str, Any]]:
        """Yield what is heard in sound (16-bit integers, channels interleaved) as it comes; the last is the summary."""
        from threading import Thread

        from websockets.sync.client import connect

        start = {"type": "start", "format": "s16le", "rate": rate, "channels": channels, **options}
        with connect(f"ws{self.url.removeprefix('http')}/v1/stream", additional_headers=self.headers) as stream:

            def send() -> None:
                for block in blocks:
                    stream.send(block)
                stream.send('{"type": "end"}')

            stream.send(json.dumps(start))
            Thread(target=send, daemon=True).start()
            for message in stream:
                yield json.loads(message)


def blocks_of(recording: Path, seconds: float = 0.25) -> tuple[Iterator[bytes], int, int]:
    """Return a recording's sound block by block as a microphone would give it, its rate and channels."""
    import soundfile

    sound = soundfile.SoundFile(recording)
    blocks = sound.blocks(round(seconds * sound.samplerate), dtype="int16", always_2d=True)
    return (block.tobytes() for block in blocks), sound.samplerate, sound.channels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recording", type=Path)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--key")
    parser.add_argument("--live", action="store_true", help="send it as a stream")
    options = parser.parse_args()
    client = Client(options.url, options.key)
    if not options.live:
        for answer in client.recognize(options.recording):
            print(f"{answer['emotion']} {answer['confidence']:.0%}")
        return
    blocks, rate, channels = blocks_of(options.recording)
    for told in client.live(blocks, rate=rate, channels=channels):
        if told["type"] == "update":
            print(f"{told['start']:6.2f} - {told['end']:6.2f} s  {told['emotion']} {told['confidence']:.0%}")
        elif told["type"] == "summary":
            print(f"all: {told['result']['emotion']} {told['result']['confidence']:.0%}")
        elif told["type"] == "error":
            raise SystemExit(told["detail"])


if __name__ == "__main__":
    main()
