"""A part of a recording, a stretch or a channel, is heard as the samples in it, whatever the recording is in."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from emotone import Part
from emotone.audio import load, open_blocks, read
from emotone.errors import AudioError, EmotoneError, UsageError
from emotone.recognition import Recognizer

Write = Callable[..., Path]


def test_a_stretch_is_heard_as_the_samples_in_it(recognizer: Recognizer, conversation: tuple[Path, Any, int]) -> None:
    path, samples, rate = conversation
    expected = recognizer((samples[2 * rate : 9 * rate], rate))
    for source in (path, path.read_bytes()):
        found = recognizer(Part(source, start=2.0, end=9.0))
        assert (found.emotion, found.scores, found.duration, found.start) == (
            expected.emotion, expected.scores, 7.0, 2.0,
        )  # fmt: skip
        assert [each.start for each in found.segments] == pytest.approx([each.start + 2 for each in expected.segments])
        assert [each.end for each in found.segments] == pytest.approx([each.end + 2 for each in expected.segments])
    late = recognizer(Part(path, start=20.0))
    assert late.segments[-1].end == pytest.approx(len(samples) / rate, abs=1e-3)


@pytest.mark.parametrize("end", [25.01, 99.0])
def test_a_stretch_beyond_the_end_says_so(recognizer: Recognizer, clips: list[Path], end: float) -> None:
    samples, rate = load(clips[0])
    seconds = len(samples) / rate
    found = recognizer(Part(clips[0], start=1.0, end=seconds + end))
    assert found.duration == pytest.approx(seconds - 1, abs=1e-3)
    assert found.notes == (f"ends at {seconds:.2f} s; the stretch was to go on to {seconds + end:g} s",)
    with pytest.raises(AudioError, match=f"ends at {seconds:.2f} s; the stretch begins at 60 s"):
        recognizer(Part(clips[0], start=60.0))


@pytest.mark.parametrize("end", [np.inf, 1e300, 1.7e308])
def test_a_stretch_without_end_goes_to_the_end(recognizer: Recognizer, clips: list[Path], end: float) -> None:
    for start in (0.0, 1.0):
        found, expected = recognizer(Part(clips[0], start, end)), recognizer(Part(clips[0], start))
        assert (found.scores, found.segments, found.duration) == (expected.scores, expected.segments, expected.duration)
        assert len(found.notes) == (end < np.inf)


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (np.inf, None, r": from inf s to its end is no stretch; allowed: 0 <= start < end"),
        (np.nan, None, r": from nan s to its end is no stretch"),
        (np.inf, np.inf, r": from inf s to inf s is no stretch"),
        (np.nan, 2.0, r": from nan s to 2 s is no stretch"),
        (-np.inf, 2.0, r": from -inf s to 2 s is no stretch"),
        (1.0, np.nan, r": from 1 s to nan s is no stretch"),
        (-1.0, np.inf, r": from -1 s to inf s is no stretch"),
        (1.7e308, None, r"; the stretch begins at 1\.7e\+308 s"),
        (1e300, np.inf, r"; the stretch begins at 1e\+300 s"),
    ],
)
def test_a_stretch_that_cannot_be_is_refused_and_costs_no_other(
    recognizer: Recognizer, clips: list[Path], start: float, end: float | None, words: str
) -> None:
    for source in (clips[0], clips[0].read_bytes()):
        bad, good = recognizer.each([Part(source, start, end), clips[0]])
        assert isinstance(bad, AudioError) and re.search(words, str(bad)), bad
        assert not isinstance(good, EmotoneError)


def test_a_part_of_whatever_a_recording_is_in(recognizer: Recognizer, clips: list[Path]) -> None:
    samples, rate = read(clips[0])
    both = np.concatenate([0 * samples, samples])
    content = clips[0].read_bytes()
    expected = recognizer(Part(clips[0], 1, 2))
    for source in (
        bytearray(content), memoryview(content), {"bytes": content}, {"array": samples, "sampling_rate": rate},
        (samples, rate), (rate, samples), (torch.from_numpy(samples), rate),
    ):  # fmt: skip
        assert recognizer(Part(source, 1, 2)) == expected
        assert recognizer.channels(source) == [recognizer(source)]
    assert recognizer(Part(samples, 1, 2), rate=rate) == expected
    assert recognizer(Part((both, rate), 1, 2, channel=1)) == expected
    assert recognizer(Part((both.T, rate), 1, channel=1), channels_last=True) == recognizer(Part(clips[0], 1))
    assert recognizer.channels((both, rate))[1] == recognizer.channels(both.T, rate=rate, channels_last=True)[1]
    assert recognizer.channels(Part((both, rate), 1, 2))[1] == expected
    assert recognizer.channels(Part((both, rate), 1, 2, channel=1)) == [expected]
    for source in (bytearray(content), memoryview(content)):
        np.testing.assert_array_equal(read(source)[0], samples)
    assert recognizer(Part(io.BytesIO(content), 1, 2)) == expected
    seconds = samples.shape[1] / rate
    for part, words in (
        (Part((both, rate), channel=2), "array: has no channel 2; allowed: 0 to 1"),
        (Part((both, rate), 60), f"array: ends at {seconds:.2f} s; the stretch begins at 60 s"),
        (Part((both, rate), 2, 1), "array: from 2 s to 1 s is no stretch"),
    ):
        with pytest.raises(AudioError, match=words):
            recognizer(part)


@pytest.mark.parametrize("given", [None, 7, (np.zeros(9), 16_000), np.zeros(9), Part("a.wav")])
def test_what_is_no_file_is_said_not_to_be_one(given: Any) -> None:
    for take in (lambda: read(Part(given)), lambda: open_blocks(given).__enter__()):
        with pytest.raises(
            UsageError, match="no recording's file; allowed: a path, a file's bytes, an open binary file"
        ):
            take()


def test_channels_have_answers_of_their_own(
    recognizer: Recognizer, clips: list[Path], tmp_path: Path, write: Write
) -> None:
    (one, rate), (other, _) = load(clips[0], rate=16_000), load(clips[5], rate=16_000)
    both = np.zeros((2, max(len(one), len(other))), "f4")
    both[0, : len(one)], both[1, : len(other)] = one, other
    path = write(tmp_path / "call.wav", both, rate, subtype="FLOAT")
    expected = [recognizer((channel, rate)) for channel in both]
    for source in (path, path.read_bytes(), io.BytesIO(path.read_bytes())):
        assert recognizer.channels(source) == expected
    assert recognizer(Part(path, channel=1)) == expected[1]
    assert recognizer(path) == recognizer((both.mean(axis=0), rate))
    with pytest.raises(AudioError, match="has no channel 2; allowed: 0 to 1"):
        recognizer(Part(path, channel=2))
