"""Copies of a recording are heard as copies, takes of the same sentence by the same speaker are not."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import soxr
from librosa.effects import pitch_shift, time_stretch

from emotone import corpora
from emotone.audio import load
from emotone.audit import listen
from emotone.corpora.base import Utterance
from emotone.files import cache_folder

Samples = npt.NDArray[np.float32]


def noisy(samples: Samples, decibels: float) -> Samples:
    noise = np.random.default_rng(0).standard_normal(samples.size, np.float32)
    ratio = np.square(samples).mean() / np.square(noise).mean()
    return samples + noise * np.sqrt(ratio * 10 ** (-decibels / 10), dtype=np.float32)


COPIES: dict[str, Callable[[Samples, int], tuple[Samples, int, str]]] = {
    "resampled": lambda x, rate: (soxr.resample(x, rate, 8000), 8000, "wav"),
    "mp3": lambda x, rate: (x, rate, "mp3"),
    "ogg": lambda x, rate: (x, rate, "ogg"),
    "noise 15 dB": lambda x, rate: (noisy(x, 15), rate, "wav"),
    "noise 30 dB": lambda x, rate: (noisy(x, 30), rate, "wav"),
    "slower": lambda x, rate: (time_stretch(x, rate=0.9), rate, "wav"),
    "faster": lambda x, rate: (time_stretch(x, rate=1.1), rate, "wav"),
    "higher": lambda x, rate: (pitch_shift(x, sr=rate, n_steps=2), rate, "wav"),
    "lower": lambda x, rate: (pitch_shift(x, sr=rate, n_steps=-2), rate, "wav"),
    "cut": lambda x, rate: (x[rate // 4 :], rate, "wav"),
    "quieter": lambda x, rate: (0.3 * x, rate, "wav"),
    "stereo": lambda x, rate: (np.stack([x, x], axis=1), rate, "wav"),
}


def utterances(paths: list[Path]) -> list[Utterance]:
    return [Utterance(path, "mine", str(path), "sad") for path in paths]


def copy_of(path: Path, kind: str, folder: Path) -> Path:
    samples, rate = load(path)
    if rate > 24_000:  # librosa's effects take their time
        samples, rate = soxr.resample(samples, rate, 24_000), 24_000
    changed, rate, suffix = COPIES[kind](samples, rate)
    target = folder / f"{path.stem} {kind}.{suffix}"
    soundfile.write(target, np.clip(changed, -1, 1), rate)
    return target


@pytest.mark.parametrize("kind", COPIES)
def test_copies_are_heard_and_other_clips_are_not(kind: str, synthetic: Path, tmp_path: Path) -> None:
    """One take of each: the synthetic voice says a sentence twice more alike than any human does."""
    takes = sorted((synthetic / "synthetic").glob("Actor_*/03-01-0[5678]-02-0?-01-*.wav"))
    assert len(takes) == 24
    quiet = listen(utterances(takes))
    assert not any(quiet.group(clip) for clip in range(24))
    originals = takes[::8]
    sounds = listen(utterances([*takes, *(copy_of(path, kind, tmp_path) for path in originals)]))
    for number in range(len(originals)):
        assert sounds.group(24 + number) == [8 * number]
        assert not sounds.identical(24 + number, 8 * number)
        assert 0.6 < (sounds.similarity(24 + number, 8 * number) or 0) <= 1.0001
    assert sum(bool(sounds.group(clip)) for clip in range(24)) == len(originals)


def test_what_is_silent_or_too_short_is_like_nothing(tmp_path: Path) -> None:
    paths = []
    for number, samples in enumerate((np.zeros(16_000), np.full(16_000, 1e-4), np.zeros(12), 0.5 * np.ones(900))):
        paths.append(tmp_path / f"{number}.wav")
        soundfile.write(paths[-1], samples, 16_000)
    sounds = listen(utterances(paths))
    assert not any(sounds.group(clip) for clip in range(len(paths)))


def test_the_result_is_kept_by_content(synthetic: Path, tmp_path: Path) -> None:
    path = next((synthetic / "synthetic" / "Actor_02").glob("*.wav"))
    clips = utterances([path, copy_of(path, "mp3", tmp_path)])
    reads: list[int] = []
    listen(clips, on_progress=lambda done, _: reads.append(done))
    assert reads == [1, 2, 1, 2]  # their digests, then their maps
    before = set(cache_folder("audit").iterdir())
    reads.clear()
    again = listen(clips, on_progress=lambda done, _: reads.append(done))
    assert reads == [1, 2] and again.group(0) == [1]
    assert set(cache_folder("audit").iterdir()) == before
    for damaged in before:
        damaged.write_text("[[0", encoding="utf-8")
    assert listen(clips).group(0) == [1]


def test_real_takes_are_told_apart_and_the_one_double_of_ravdess_is_found(ravdess: Path) -> None:
    """Of the actor of the double, and of those whose takes are the most alike."""
    actors = ("02", "07", "22", "23", "24")
    clips = [clip for clip in corpora.load("ravdess", data=ravdess).utterances if clip.speaker in actors]
    assert len(clips) == 300
    sounds = listen(clips)
    alike = {clip.clip: [clips[other].clip for other in sounds.group(index)] for index, clip in enumerate(clips)}
    twins = "Actor_07/03-01-03-01-02-01-07", "Actor_07/03-01-03-01-02-02-07"
    assert {clip: others for clip, others in alike.items() if others} == {twins[0]: [twins[1]], twins[1]: [twins[0]]}


def test_copies_of_real_clips_are_heard(ravdess: Path, tmp_path: Path) -> None:
    takes = sorted(
        path for path in (ravdess / "Actor_24").iterdir() if path.stem.startswith("03-01-")
    )  # the actor whose takes are the most alike
    originals = takes[3::14]
    copies = [copy_of(path, kind, tmp_path) for path in originals for kind in COPIES]
    sounds = listen(utterances([*takes, *copies]))
    for number, _ in enumerate(copies):
        original = takes.index(originals[number // len(COPIES)])
        assert original in sounds.group(60 + number), copies[number].name
    assert sum(bool(sounds.group(clip)) for clip in range(60)) == len(originals)
