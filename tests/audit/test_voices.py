"""Voices that are near under different names are found, and different voices are not taken for one."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emotone import corpora
from emotone.audit.voices import FEWEST_CLIPS, NEAR, near_voices, nearness
from emotone.corpora.base import Utterance
from emotone.corpora.synthetic import write


def renamed(utterances: list[Utterance]) -> list[Utterance]:
    """Give every second clip of a speaker to another name."""
    seen: dict[str | None, int] = {}
    out = []
    for utterance in utterances:
        seen[utterance.speaker] = seen.get(utterance.speaker, -1) + 1
        second = seen[utterance.speaker] % 2
        out.append(replace(utterance, speaker=f"{utterance.speaker}, again") if second else utterance)
    return out


def test_one_is_expected_of_halves_and_more_of_others() -> None:
    random = np.random.default_rng(0)
    halves = {name: random.normal(size=(40, 200)) for name in "ab"}
    assert nearness(halves)["a", "b"] == pytest.approx(1, abs=0.2)
    apart = halves | {"c": 1 + random.normal(size=(40, 200))}
    assert nearness(apart)["a", "b"] < NEAR < nearness(apart)["a", "c"]


def test_real_speakers_under_a_second_name_are_found_and_no_others(ravdess: Path) -> None:
    known = list(corpora.load("ravdess", data=ravdess).utterances)
    pairs = near_voices(renamed(known))
    assert all(other == f"{one}, again" for one, other in pairs), "nobody is taken for another"
    assert len(pairs) >= 12, "half of the 24 at least"
    assert near_voices(known) == []


@pytest.mark.parametrize("clips", [FEWEST_CLIPS - 1, FEWEST_CLIPS])
def test_few_clips_tell_nothing(tmp_path: Path, clips: int) -> None:
    write(tmp_path / "synthetic", actors=(1,))
    known = list(corpora.load("synthetic", data=tmp_path).utterances)
    some = renamed(known)[: 2 * clips]
    assert len(near_voices(some)) == (1 if clips == FEWEST_CLIPS else 0)


def test_the_check_and_the_audit_name_them(emotone: Callable[..., Any], tmp_path: Path) -> None:
    write(tmp_path / "synthetic", actors=(1, 2))
    rows = ["file,emotion,speaker,split"]
    for actor in ("01", "02"):
        for at, path in enumerate(sorted((tmp_path / "synthetic" / f"Actor_{actor}").glob("*.wav"))):
            shutil.copy(path, tmp_path / path.name)
            who, side = (f"{actor}-b", "test") if at % 2 else (f"{actor}-a", "train")
            rows.append(f"{path.name},sad,{who},{side}")
    (tmp_path / "m.csv").write_text("\n".join(rows) + "\n")
    done = emotone("corpora", "check", tmp_path / "m.csv")
    assert done.code == 0 and "nearly the voice of '01-b': are they one?" in done.out, done.out
    (tmp_path / "broken.wav").write_text("no sound")
    (tmp_path / "m.csv").write_text("\n".join([*rows, "broken.wav,sad,01-b,test"]) + "\n")
    done = emotone("corpora", "check", tmp_path / "m.csv")
    assert done.code == 1 and "nearly the voice of '01-b'" in done.out, "the rest is compared all the same"
    (tmp_path / "m.csv").write_text("\n".join(rows) + "\n")
    done = emotone("audit", "--manifest", tmp_path / "m.csv")
    assert "speakers on both sides sound as one speaker does" in done.out, done.out  # a narrow column goes on below
