"""A stream gives the same whatever its blocks are, and what it gives is what the windows over speech say."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotone.audio import load, resample
from emotone.errors import AudioError, UsageError
from emotone.recognition import Recognizer, Result, Update
from emotone.recognition.speech import Speech

from ..made_bundles import LABELS


def listen(
    recognizer: Recognizer, samples: np.ndarray, rate: int, sizes: list[int], **options: float
) -> tuple[list[Update], Result]:
    stream = recognizer.stream(rate=rate, channels_last=False, **options)
    updates, at = [], 0
    for size in sizes:
        updates += stream.feed(samples[..., at : at + size])
        at += size
    updates += stream.feed(samples[..., at:])
    result = stream.finish()
    return updates + stream.closing, result


def same(one: Result, other: Result) -> None:
    assert (one.emotion, one.duration) == (other.emotion, other.duration)
    assert [(each.start, each.end, each.emotion) for each in one.segments] == [
        (each.start, each.end, each.emotion) for each in other.segments
    ]
    for first, second in zip((one, *one.segments), (other, *other.segments), strict=True):
        assert list(first.scores) == list(second.scores)
        np.testing.assert_allclose(list(first.scores.values()), list(second.scores.values()), atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 40_000), max_size=40),
    rate=st.sampled_from([16_000, 44_100, 8_000]),
    stereo=st.booleans(),
)
def test_blocks_of_any_size_give_the_same_updates_and_the_result_of_a_file(
    recognizer: Recognizer,
    conversation: tuple[Path, np.ndarray, int],
    sizes: list[int],
    rate: int,
    stereo: bool,
) -> None:
    samples = conversation[1][: 14 * rate]
    if stereo:
        samples = np.stack([samples, 0.5 * samples])
    whole, expected = listen(recognizer, samples, rate, [])
    updates, result = listen(recognizer, samples, rate, sizes)
    same(result, expected)
    same(result, recognizer((samples, rate)))
    assert [(each.start, each.end) for each in updates] == [(each.start, each.end) for each in whole]
    for first, second in zip(updates, whole, strict=True):
        np.testing.assert_allclose(list(first.scores.values()), list(second.scores.values()), atol=1e-5)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("size", [100, 700, 1500, 15_000])
def test_blocks_may_come_in_one_buffer_that_is_filled_again(
    recognizer: Recognizer, clips: list[Path], channels: int, size: int
) -> None:
    samples, rate = load(clips[0])
    speech = next(each for each in recognizer(clips[0]).segments if each.emotion != "silence")
    samples = samples[round((speech.start + 0.3) * rate) :]  # from the first block on
    sound = np.stack([samples, 0.5 * samples])[:channels, : len(samples) // size * size]
    expected = listen(recognizer, sound, rate, [size] * (sound.shape[1] // size))
    stream, buffer, updates = recognizer.stream(rate=rate), np.zeros((channels, size), np.float32), []
    for at in range(0, sound.shape[1], size):
        buffer[:] = sound[:, at : at + size]
        updates += stream.feed(buffer)
        buffer[:] = np.nan
    result = stream.finish()
    assert (updates + stream.closing, result) == expected


def test_updates_tell_where_the_network_looked_if_it_has_attention(recognizer: Recognizer, clips: list[Path]) -> None:
    samples, rate = load(clips[0])
    with_attention = Recognizer.load("emotone/tiny")
    updates, _ = listen(with_attention, samples, rate, [20_000], hop=0.5)
    steps = [len(update.attention or ()) for update in updates]
    seconds = [update.end - update.start for update in updates]
    assert all(sum(update.attention or ()) == pytest.approx(1, abs=1e-5) for update in updates)
    assert len(updates) > 1 and [steps[at] for at in np.argsort(seconds)] == sorted(steps)
    assert {update.attention for update in listen(recognizer, samples, rate, [])[0]} == {None}


def test_a_stream_tells_whether_somebody_speaks(recognizer: Recognizer, clips: list[Path]) -> None:
    samples, rate = load(clips[0], rate=16_000)
    stream = recognizer.stream(rate=rate)
    told = []
    for block in np.split(np.pad(samples, (0, 16_000 - len(samples) % 1_600)), range(1_600, len(samples), 1_600)):
        stream.feed(block)
        told.append(stream.speaking)
    assert not told[0] and any(told) and not told[-1]
    stream.finish()
    assert not stream.speaking


def test_single_samples_are_blocks_too(recognizer: Recognizer, clips: list[Path]) -> None:
    samples, rate = load(clips[1], rate=8_000)
    samples = samples[: 2 * rate]
    same(listen(recognizer, samples, rate, [1] * len(samples))[1], recognizer((samples, rate)))


def test_a_live_listener_hears_of_every_hop_of_speech_soon(
    recognizer: Recognizer, conversation: tuple[Path, np.ndarray, int]
) -> None:
    _, samples, rate = conversation
    stream = recognizer.stream(rate=rate)
    block = rate // 10
    for at in range(0, len(samples), block):
        heard = (at + block) / rate
        for update in stream.feed(samples[at : at + block]):
            assert heard - 1.0 <= update.end <= heard
            assert update.start < update.end <= update.start + 3.0 + 1e-9
            assert sum(update.scores.values()) == pytest.approx(1, abs=1e-5)
            assert update.scores[update.emotion] == update.confidence == max(update.scores.values())
    result = stream.finish()
    ends = [update.end for update in listen(recognizer, samples, rate, [])[0]]
    spoken = [(each.start, each.end) for each in result.segments if each.emotion != "silence"]
    assert len(ends) >= sum(end - start for start, end in spoken) / 0.5
    assert ends == sorted(ends)


def test_scores_of_cells_are_the_mean_of_the_windows_that_cover_them(recognizer: Recognizer, clips: list[Path]) -> None:
    """Computed again, window by window, from the definition."""
    parts = [load(path, rate=16_000)[0][8_000:-12_000] for path in clips[:8]]
    samples, rate = np.concatenate(parts), 16_000
    window, hop = 3 * rate, rate // 2
    speech = Speech(rate)
    found = [each for each in (*speech.feed(samples), *speech.finish(len(samples))) if each.final]
    assert any(each.end - each.start > window for each in found)
    total, weight = np.zeros(len(LABELS)), 0
    for region in found:
        ends = [end for end in range(region.start + hop, region.end, hop) if end - region.start >= window]
        spans = [(max(region.start, end - window), end) for end in (*ends, region.end)]
        said = [recognizer.model.run(samples[None, start:end]).probabilities[0] for start, end in spans]
        for start in range(region.start, region.end, hop):
            end = min(start + hop, region.end)
            shares = [max(0, min(end, until) - max(start, since)) for since, until in spans]
            total += np.average(said, axis=0, weights=shares) * (end - start)
            weight += end - start
    result = recognizer((samples, rate))
    np.testing.assert_allclose(list(result.scores.values()), total / weight, atol=1e-5)


@pytest.mark.parametrize(("window", "hop"), [(3.0, 0.5), (3.0, 0.7), (1.0, 1.0), (2.0, 1.9), (0.5, 0.05), (20.0, 7.0)])
def test_segments_are_without_gaps_and_agree_with_their_scores(
    recognizer: Recognizer, conversation: tuple[Path, np.ndarray, int], window: float, hop: float
) -> None:
    path, samples, rate = conversation
    result = recognizer(path, window=window, hop=hop)
    assert result.duration == pytest.approx(len(samples) / rate, abs=1e-4)
    assert result.segments[0].start == 0 and result.segments[-1].end == result.duration
    for first, second in pairwise(result.segments):
        assert first.end == second.start
        assert first.emotion != second.emotion
    for each in result.segments:
        assert each.start < each.end
        if each.emotion == "silence":
            assert (dict(each.scores), each.confidence) == ({}, 0.0)
        else:
            assert each.emotion == max(each.scores, key=each.scores.get)
            assert sum(each.scores.values()) == pytest.approx(1, abs=1e-9)
            assert tuple(each.scores) == LABELS


def test_speakers_in_turn_get_their_own_segments(
    recognizer: Recognizer, ravdess: Path, conversation: tuple[Path, np.ndarray, int]
) -> None:
    segments = recognizer(conversation[0]).segments
    assert len({each.emotion for each in segments}) >= 3
    assert sum(each.emotion != "silence" for each in segments) >= 4


def test_the_rate_of_the_sound_changes_little(recognizer: Recognizer, clips: list[Path]) -> None:
    samples, rate = load(clips[2])
    expected = recognizer((samples, rate))
    for other in (16_000, 44_100, 96_000):
        result = recognizer((resample(samples, rate, other), other))
        np.testing.assert_allclose(list(result.scores.values()), list(expected.scores.values()), atol=0.02)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"window": 0}, "window is 0 s"),
        ({"window": 1e9}, "window is 1e"),
        ({"window": float("nan")}, "window is nan"),
        ({"hop": 0}, "hop is 0 s"),
        ({"hop": 4}, "hop is 4 s; it must lie in 0.05 s to the window's 3 s"),
        ({"min_confidence": 1.5}, "min_confidence is 1.5"),
        ({"min_confidence": float("nan")}, "min_confidence is nan"),
    ],
)
def test_options_out_of_range(recognizer: Recognizer, options: dict[str, float], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        recognizer.stream(rate=16_000, **options)
    with pytest.raises(UsageError, match=words):
        recognizer(np.zeros(9), rate=16_000, **options)


def test_a_bad_block_is_refused_and_the_stream_goes_on(recognizer: Recognizer, clips: list[Path]) -> None:
    samples, rate = load(clips[0])
    stream = recognizer.stream(rate=rate)
    stream.feed(samples[:50_000])
    bad = samples[:100].copy()
    bad[3] = np.nan
    for block, words in [
        (bad, "NaN"),
        (1000 * np.ones(10), "samples reach 1000"),
        (np.zeros((100, 2)), "channels_last=True"),
        (np.zeros((1, 2, 3)), r"shape \(1, 2, 3\)"),
        (np.zeros(3, "i8"), "type int64"),
        (["a"], "type"),
    ]:
        with pytest.raises(AudioError, match=f"block: .*{words}"):
            stream.feed(block)
    stream.feed(samples[50_000:])
    same(stream.finish(), recognizer((samples, rate)))
    with pytest.raises(UsageError, match="finished"):
        stream.feed(samples)
    with pytest.raises(UsageError, match="finished"):
        stream.finish()
    with pytest.raises(AudioError, match="0 Hz is not supported"):
        recognizer.stream(rate=0)


def test_integers_are_read_at_full_scale(recognizer: Recognizer, clips: list[Path]) -> None:
    samples, rate = load(clips[3], rate=16_000)
    integers = np.round(samples * 32_768).clip(-32_768, 32_767).astype(np.int16)
    expected = recognizer((samples, rate))
    result = recognizer((integers, rate))
    np.testing.assert_allclose(list(result.scores.values()), list(expected.scores.values()), atol=0.02)


LONG = """
import re, sys
from pathlib import Path
import numpy as np, soundfile
from emotone import Recognizer
path, bundle, clip, minutes = *sys.argv[1:4], int(sys.argv[4])
spoken, rate = soundfile.read(clip, dtype="float32")
minute = np.zeros(60 * rate, "f4")
minute[: len(spoken)] = spoken  # the rest is silence, which costs little
with soundfile.SoundFile(path, "w", rate, 1, "PCM_16") as file:
    for _ in range(minutes):
        file.write(minute)
result = Recognizer.load(bundle)(path)
assert result.duration == 60 * minutes and len(result.segments) >= 2 * minutes, result
# Not getrusage's maximum, which begins with that of the process that started this one.
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak of memory from Linux's /proc")
def test_memory_does_not_grow_with_length(bundle: Path, clips: list[Path], tmp_path: Path) -> None:
    """An hour at 48 kHz, mostly silence: 346 MB in the file, 691 MB decoded."""
    used = {}
    for minutes in (5, 60):
        arguments = [tmp_path / "long.wav", bundle, clips[0], str(minutes)]
        done = subprocess.run([sys.executable, "-c", LONG, *arguments], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        used[minutes] = int(done.stdout)
    assert used[60] < 300
    assert used[60] < used[5] + 30  # 64 windows, which wait for the network together, are 12 MB
