"""MP3s that were put one after the other are read to their end, though the first one's tag counts its own frames."""

import io

import numpy as np
import pytest

from emotone.audio import open_blocks, read

av = pytest.importorskip("av")

RATE = 44_100


def mp3(seed: int, tags: dict[str, str]) -> bytes:
    """A second of noise by LAME, with the tag that counts the frames, as encoders write it."""
    content = io.BytesIO()
    with av.open(content, "w", format="mp3") as container:
        container.metadata.update(tags)
        stream = container.add_stream("libmp3lame", rate=RATE, layout="mono")
        noise = np.random.default_rng(seed).uniform(-0.3, 0.3, (1, RATE)).astype("f4")
        frame = av.AudioFrame.from_ndarray(noise, format="fltp", layout="mono")
        frame.sample_rate = RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return content.getvalue()


@pytest.mark.parametrize("end", [b"", b"TAG" + b" " * 125], ids=["", "ID3v1"])
@pytest.mark.parametrize("tags", [{}, {"title": "a talk"}])
def test_mp3s_put_one_after_the_other_are_read_to_the_end(tags: dict[str, str], end: bytes) -> None:
    parts = [mp3(seed, tags) + end for seed in (1, 2, 3)]
    lengths = [read(part)[0].shape[1] for part in parts]
    samples, rate = read(b"".join(parts))
    assert samples.shape[1] >= sum(lengths)
    third = samples[0, -rate:]
    assert np.sqrt(np.mean(third[: rate // 2] ** 2)) > 0.1, "sound to the end"
    with open_blocks(b"".join(parts), strict=False) as recording:
        for _ in recording.blocks(1 << 16):
            pass
    assert recording.notes == []
