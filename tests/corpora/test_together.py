"""Several corpora at once: two speakers of one name are two, and what the others have not is left out and counted."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emotone import corpora
from emotone.corpora.together import together
from emotone.errors import UsageError

FILES = (
    "emodb/wav/03a01Fa.wav",
    "emodb/wav/03a01Lb.wav",
    "emodb/wav/16b10Lb.wav",
    "nemo/samples/EB0_anger_12.wav",
    "ravdess/Actor_03/03-01-01-01-02-01-03.wav",
)


@pytest.fixture
def data(tmp_path: Path, record: Callable[..., Path]) -> Path:
    for file in FILES:
        record(tmp_path / file)
    return tmp_path


def test_clips_and_speakers_are_named_with_their_corpus(data: Path) -> None:
    told: list[str] = []
    found = together([corpora.load(name, data=data) for name in ("ravdess", "emodb", "nemo")], tell=told.append)
    assert [(each.corpus, each.clip, each.speaker, each.emotion) for each in found.utterances] == [
        ("ravdess", "ravdess/Actor_03/03-01-01-01-02-01-03", "ravdess:03", "neutral"),
        ("emodb", "emodb/wav/03a01Fa", "emodb:03", "happy"),
        ("nemo", "nemo/samples/EB0_anger_12", "nemo:EB0", "angry"),
    ]
    assert told == ["emodb: left out, for the others have none: 2 bored"]
    info = found.info
    assert (info.name, info.languages, info.speakers) == ("ravdess+emodb+nemo", ("en", "de", "pl"), 43)
    assert info.licence == "ravdess: CC BY-NC-SA 4.0; emodb: CC0 1.0; nemo: CC BY-NC-SA 4.0"
    assert info.use == "train and ship"


def test_the_strictest_terms_are_those_of_all(data: Path, record: Callable[..., Path]) -> None:
    record(data / "tess/OAF_angry/OAF_back_angry.wav")
    found = together([corpora.load(name, data=data) for name in ("emodb", "tess")])
    assert found.info.use == "test only"


def test_one_corpus_twice_is_refused(data: Path) -> None:
    once = corpora.load("emodb", data=data)
    with pytest.raises(UsageError, match="emodb: named twice"):
        together([once, once])


def test_the_command_takes_several(emotone: Callable[..., Any], data: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.csv"
    done = emotone("features", "--system", "nguyen/cnn", "--corpus", "ravdess,emodb", "--data", data, "--out", out)
    assert done.code == 0 and done.err == "emodb: left out, for the others have none: 2 bored\n"
    with out.open(encoding="utf-8", newline="") as file:
        assert [row["speaker"] for row in csv.DictReader(file)] == ["ravdess:03", "emodb:03"]
    done = emotone("features", "--system", "nguyen/cnn", "--corpus", "ravdess,savee", "--data", data, "--out", out)
    assert done.code == 1 and "'savee' was not found" in done.err
