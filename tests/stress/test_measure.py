"""`emotone stress`: the same clips under every condition, by speakers whom the model has not heard."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emotone import corpora
from emotone.bundle import BundleInfo
from emotone.corpora.base import Corpus
from emotone.corpora.synthetic import write
from emotone.errors import UsageError
from emotone.recognition import Recognizer
from emotone.stress import CONDITIONS, askable, stress

from ..made_bundles import make_bundle

Emotone = Callable[..., Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("voices"), actors=(1, 2, 3))


@pytest.fixture(scope="module")
def corpus(folder: Path) -> Corpus:
    return corpora.load("ravdess", data=folder)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("model") / "made.onnx")


def card(**changes: Any) -> BundleInfo:
    told = {
        "name": "made", "version": "0", "labels": ("neutral", "calm", "happy"), "rate": 16_000, "window": 1.0,
        "hop": 0.5, "temperature": 1.0, "licence": "CC0", "trained_on": {}, "intended_use": "", "limits": "",
        "recipe": {},
    }  # fmt: skip
    return BundleInfo.parse(told | changes, where="card")


def test_speakers_who_were_trained_on_are_left_out_and_calm_may_count_as_neutral(corpus: Corpus) -> None:
    found = askable(card(), corpus)
    assert {told.name for _, told in found} == {"neutral", "calm", "happy"}
    plain = replace(corpus, utterances=tuple(each for each in corpus.utterances if each.emotion != "calm"))
    assert {told.counted for _, told in askable(card(), plain) if told.name == "neutral"} == {("neutral", "calm")}
    partly = card(trained_on={"corpus": "ravdess", "speakers": ["01", "03"]})
    assert {clip.speaker for clip, _ in askable(partly, corpus)} == {"02"}
    joined = card(trained_on={"corpus": "ravdess+emodb", "speakers": ["ravdess:01", "ravdess:02", "emodb:03"]})
    assert {clip.speaker for clip, _ in askable(joined, corpus)} == {"03"}
    elsewhere = card(trained_on={"corpus": "emodb", "speakers": ["01", "02", "03"]})
    assert {clip.speaker for clip, _ in askable(elsewhere, corpus)} == {"01", "02", "03"}
    with pytest.raises(UsageError, match="was trained on every speaker of ravdess: name another corpus"):
        askable(card(trained_on={"corpus": "ravdess", "speakers": ["01", "02", "03"]}), corpus)
    with pytest.raises(UsageError, match="ravdess has no clip of an emotion that made knows"):
        askable(card(labels=("bored", "tired")), corpus)


def test_what_is_measured_as_recorded_is_what_the_recogniser_says(corpus: Corpus, model: Path) -> None:
    recogniser = Recognizer.load(model)
    named = {each.name: each for each in CONDITIONS}
    clean, loud, faint = (named[name] for name in ("clean", "level, peak -20 dB", "white noise, -5 dB"))
    done = stress(recogniser, corpus, clips=24, conditions=(clean, loud, faint))
    chosen = {clip.clip: told.name for clip, told in askable(recogniser.model.info, corpus)}
    assert (done.clips, done.speakers, set(done.classes)) == (24, 3, set(chosen.values()))
    first = done.conditions[0]
    assert first.low <= first.uar <= first.high
    everything = stress(recogniser, corpus, clips=10_000, conditions=(clean,))
    right = [
        max(name_scores, key=name_scores.__getitem__) == chosen[clip.clip]
        for clip in corpus.utterances
        if clip.clip in chosen
        for name_scores in [recogniser(clip.part, min_confidence=0).scores]
    ]
    assert everything.clips == len(right)
    assert everything.conditions[0].accuracy == pytest.approx(sum(right) / len(right))
    assert done.hard == pytest.approx((done.conditions[1].uar + done.conditions[2].uar) / 2)


def test_the_command_writes_every_condition_and_a_figure(
    emotone: Emotone, folder: Path, model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "stress.json"
    asked = ("--model", model, "--corpus", "ravdess", "--data", folder, "--clips", "6")
    done = emotone("stress", *asked, "--out", out)
    assert done.code == 0, done.err
    told = json.loads(out.read_text())
    assert [(each["kind"], each["degree"]) for each in told["conditions"]] == [
        (each.kind, each.degree) for each in CONDITIONS
    ]
    assert told["clips"] == 6 and out.with_suffix(".png").stat().st_size > 10_000
    assert all(each.degree in done.out for each in CONDITIONS)
    assert emotone("stress", *asked[:-1], "0").code == 2
