"""A corpus is known by what was said and how it is labelled, not by how it is stored."""

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emotone.corpora.base import Utterance
from emotone.corpora.fingerprint import fingerprint, sample_digests
from emotone.errors import AudioError


@pytest.fixture(autouse=True)
def own_cache(no_data: Path) -> None:
    pass


@pytest.fixture
def clips(tmp_path: Path) -> list[Utterance]:
    random = np.random.default_rng(0)
    utterances = []
    for number in range(3):
        path = tmp_path / f"{number}.wav"
        soundfile.write(path, random.integers(-9000, 9000, 500).astype(np.int16), 16_000, subtype="PCM_16")
        utterances.append(Utterance(path, "mine", str(number), "sad", speaker="anna", gender="female", repetition=1))
    return utterances


def whole(utterances: Sequence[Utterance]) -> str:
    return fingerprint(utterances, sample_digests(utterances))


def as_format(utterances: Sequence[Utterance], suffix: str, rate: int = 16_000) -> list[Utterance]:
    copies = []
    for utterance in utterances:
        samples, _ = soundfile.read(utterance.path, dtype="int16")
        path = utterance.path.with_name(f"{utterance.path.stem}-{rate}{suffix}")
        soundfile.write(path, samples, rate, subtype="PCM_16")
        copies.append(replace(utterance, path=path))
    return copies


def test_a_flac_copy_is_the_same_corpus(clips: list[Utterance]) -> None:
    assert whole(clips) == whole(as_format(clips, ".flac"))
    assert len(whole(clips)) == 32


def test_where_it_lies_does_not_matter(clips: list[Utterance], tmp_path: Path) -> None:
    moved = []
    for utterance in clips:
        path = tmp_path / "elsewhere" / utterance.path.name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(utterance.path.read_bytes())
        moved.append(replace(utterance, path=path))
    assert whole(moved) == whole(clips)


@pytest.mark.parametrize(
    "change",
    [{"clip": "other"}, {"emotion": "happy"}, {"speaker": "berta"}, {"gender": "male"}, {"gender": None},
     {"repetition": 2}, {"intensity": "strong"}, {"statement": "01"}],
)  # fmt: skip
def test_every_label_that_splits_or_scores_use_matters(clips: list[Utterance], change: dict[str, object]) -> None:
    changed = [replace(clips[0], **change), *clips[1:]]  # type: ignore[arg-type]
    assert whole(changed) != whole(clips)


def test_samples_rate_and_number_of_clips_matter(clips: list[Utterance]) -> None:
    before = whole(clips)
    assert whole(as_format(clips, ".wav", rate=8_000)) != before
    assert whole(clips[:2]) != before
    samples, rate = soundfile.read(clips[1].path, dtype="int16")
    samples[250] += 1
    soundfile.write(clips[1].path, samples, rate, subtype="PCM_16")
    assert whole(clips) != before


def test_what_is_remembered_gives_the_same_and_is_not_trusted_when_broken(
    clips: list[Utterance], no_data: Path
) -> None:
    before = whole(clips)
    memory = no_data / "fingerprints.json"
    assert len(json.loads(memory.read_text())) == 3
    written = memory.stat().st_mtime_ns
    assert whole(clips) == before and memory.stat().st_mtime_ns == written
    for broken in ('{"a', "[]", ""):
        memory.write_text(broken)
        assert whole(clips) == before


def test_progress_counts_to_the_end(clips: list[Utterance]) -> None:
    told: list[tuple[int, int]] = []
    sample_digests(clips, on_progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_clip_that_cannot_be_read_is_named(clips: list[Utterance]) -> None:
    clips[1].path.write_bytes(b"no audio")
    with pytest.raises(AudioError, match=r"1\.wav"):
        whole(clips)
    clips[1].path.unlink()
    with pytest.raises(AudioError, match=r"1\.wav"):
        whole(clips)


def test_one_channel_of_a_file_is_other_data_than_all_of_it(tmp_path: Path) -> None:
    path = tmp_path / "stereo.wav"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.1, 0.1, (400, 2)), 16_000)
    whole, one = (Utterance(path, "mine", "a", "sad", channel=channel) for channel in (None, 0))
    assert sample_digests([whole]) != sample_digests([one])


def test_a_clock_that_goes_back_changes_nothing_and_hides_nothing(tmp_path: Path, record) -> None:
    """Neither is a file known by its time: one that was changed and bears the old time is another."""
    path = tmp_path / "a.wav"
    record(path)
    clip = Utterance(path=path, corpus="mine", clip="a", emotion="sad")
    before, then = sample_digests([clip]), path.stat().st_mtime_ns
    for time in (0, 4_102_444_800 * 10**9):  # 1970 and 2100
        os.utime(path, ns=(time, time))
        assert sample_digests([clip]) == before
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(then, then))
    assert sample_digests([clip]) != before
