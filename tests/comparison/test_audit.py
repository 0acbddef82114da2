"""Audits end to end: of recipes, of manifests with fabricated leaks, of trained systems; exit codes and JSON."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from emotone import recipes
from emotone.audio import load
from emotone.comparison.plan import folds_of
from emotone.comparison.run import items_of
from emotone.corpora import load as load_corpus
from emotone.corpora.base import Corpus
from emotone.corpora.fingerprint import sample_digests
from emotone.features.extract import extract
from emotone.protocols import Sample
from emotone.storage import load_system, save_system
from emotone.training.preparation import Preparation

Emotone = Callable[..., Any]

SCALED = """
extends: boucheta/decision-tree
id: small/scaled
audio: {rate: 16000}
features: {mfcc: 13, layout: means}
scaler: standard
augment: null
"""


@pytest.fixture
def split(synthetic: Path, tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a sound manifest of 24 clips, one speaker to each side, and what is added to it."""

    def write(*more: str) -> Path:
        rows = ["file,emotion,speaker,split,parent"]
        for side, actor in (("train", "01"), ("validation", "02"), ("test", "03")):
            for path in sorted((synthetic / "synthetic" / f"Actor_{actor}").glob("03-01-0[5678]-02-0?-01-*.wav")):
                rows.append(f"{path},happy,{actor},{side},")
        path = tmp_path / "splits.csv"
        path.write_text("\n".join([*rows, *more]) + "\n", encoding="utf-8")
        return path

    return write


def findings(emotone: Emotone, manifest: Path, *more: str) -> tuple[int, dict[str, Any], str]:
    out = manifest.with_name("audit.json")
    done = emotone("audit", "--manifest", manifest, "--out", out, *more)
    assert not done.err, done.err
    told = json.loads(out.read_text(encoding="utf-8"))
    return done.code, {finding["kind"]: finding for finding in told["findings"]}, done.out


def test_a_sound_split_passes(emotone: Emotone, split: Callable[..., Path]) -> None:
    code, found, out = findings(emotone, split(), "--protocol", "loso")
    assert code == 0 and set(found) == {"near-voices"}, "the synthetic men differ in pitch, hardly in timbre"
    assert "leaks: 0, notes: 1" in out


def test_identical_audio_under_another_name(
    emotone: Emotone, split: Callable[..., Path], synthetic: Path, tmp_path: Path
) -> None:
    source = synthetic / "synthetic" / "Actor_01" / "03-01-05-02-01-01-01.wav"
    samples, rate = soundfile.read(source, dtype="int16")
    soundfile.write(tmp_path / "again.flac", samples, rate)
    code, found, out = findings(emotone, split(f"{tmp_path / 'again.flac'},angry,04,test,"))
    assert code == 1 and {kind for kind in found if found[kind]["severity"] == "leak"} == {"identical"}
    (case,) = found["identical"]["cases"]
    assert case["test"].endswith("again") and case["seen"].endswith("03-01-05-02-01-01-01") and case["side"] == "train"
    assert "again" in out and "leak" in out


def test_a_noisy_copy_that_does_not_say_so(
    emotone: Emotone, split: Callable[..., Path], synthetic: Path, tmp_path: Path
) -> None:
    samples, rate = load(synthetic / "synthetic" / "Actor_02" / "03-01-06-02-02-01-02.wav")
    noise = np.random.default_rng(0).standard_normal(samples.size) * samples.std() * 10 ** (-20 / 20)
    soundfile.write(tmp_path / "noisy.wav", np.clip(samples + noise, -1, 1), rate)
    code, found, _ = findings(emotone, split(f"{tmp_path / 'noisy.wav'},fearful,04,test,"))
    assert code == 1 and {kind for kind in found if found[kind]["severity"] == "leak"} == {"near-identical"}
    (case,) = found["near-identical"]["cases"]
    assert case["test"].endswith("noisy") and case["seen"].endswith("03-01-06-02-02-01-02")
    assert case["side"] == "validation" and case["similarity"] > 0.8


def test_a_copy_that_names_its_parent(
    emotone: Emotone, split: Callable[..., Path], synthetic: Path, tmp_path: Path
) -> None:
    source = synthetic / "synthetic" / "Actor_01" / "03-01-07-02-01-01-01.wav"
    samples, rate = load(source)
    soundfile.write(tmp_path / "reversed.wav", samples[::-1], rate)  # no ear would find it
    row = f"{tmp_path / 'reversed.wav'},disgust,04,test,"
    assert findings(emotone, split(row))[0] == 0
    code, found, _ = findings(emotone, split(row + str(source)))
    assert code == 1 and {kind for kind in found if found[kind]["severity"] == "leak"} == {"kin"}
    assert found["kin"]["cases"][0]["seen"].endswith("03-01-07-02-01-01-01")


def test_speakers_on_both_sides_are_a_leak_where_others_are_promised(
    emotone: Emotone, split: Callable[..., Path], synthetic: Path
) -> None:
    manifest = split(f"{synthetic / 'synthetic' / 'Actor_01' / '03-01-02-01-01-01-01.wav'},calm,01,test,")
    code, found, _ = findings(emotone, manifest)
    assert code == 0 and found["speakers"]["severity"] == "note"
    code, found, out = findings(emotone, manifest, "--protocol", "luna5")
    assert code == 1 and found["speakers"]["severity"] == "leak"
    assert found["speakers"]["cases"][0]["test"] == "speaker 01" and "speaker 01" in out


def test_a_recipe_that_chooses_on_test(emotone: Emotone, synthetic: Path, tmp_path: Path) -> None:
    """What the synthetic voice repeats too alike is found besides; here the choice alone is looked at."""
    recipe = tmp_path / "mine.yaml"
    kinds = []
    for monitor in ("none", "test"):
        recipe.write_text(f"extends: onah/cnn\nid: mine/chosen\ntraining: {{monitor: {monitor}}}\n", encoding="utf-8")
        done = emotone("audit", recipe, "--corpus", "synthetic", "--data", synthetic, "--out", tmp_path / "audit.json")
        told = json.loads((tmp_path / "audit.json").read_text(encoding="utf-8"))
        assert (told["subject"], told["protocol"], told["folds"]) == ("mine/chosen", "published", 1)
        assert done.code == int(any(finding["severity"] == "leak" for finding in told["findings"]))
        kinds.append({finding["kind"] for finding in told["findings"]})
    assert kinds[1] - kinds[0] == {"chosen-on-test"}


@pytest.fixture(scope="module")
def digested(ravdess: Path) -> tuple[Corpus, tuple[str, ...]]:
    corpus = load_corpus("ravdess", data=ravdess)
    return corpus, sample_digests(corpus.utterances)


@pytest.mark.parametrize("name", [name for name in recipes.names() if not recipes.load(name).needs_weights])
def test_no_recording_of_ravdess_is_on_both_sides_of_a_clean_split(
    name: str, digested: tuple[Corpus, tuple[str, ...]]
) -> None:
    """One of its recordings has two names, and random splits draw them apart."""
    (corpus, digests), recipe = digested, recipes.load(name)
    assert len(set(digests)) == 1439
    for seed in range(5):
        (fold,) = folds_of(recipe, corpus, "clean", seed, digests)
        seen = {digests[sample.clip] for sample in fold.train + fold.validation}
        assert seen.isdisjoint(digests[sample.clip] for sample in fold.test)


def test_speakers_held_out_leave_nothing_to_find(emotone: Emotone, synthetic: Path) -> None:
    done = emotone("audit", "boucheta/knn", "--protocol", "loso", "--corpus", "synthetic", "--data", synthetic)
    assert "folds: 3" in done.out and "speakers stand on both sides" not in done.out


def test_statistics_fit_on_test_clips_are_found_in_a_trained_system(
    emotone: Emotone, synthetic: Path, tmp_path: Path
) -> None:
    recipe, folder = tmp_path / "scaled.yaml", tmp_path / "trained"
    recipe.write_text(SCALED, encoding="utf-8")
    data = ("--corpus", "synthetic", "--data", synthetic)
    assert emotone("train", recipe, "--out", folder, "--protocol", "loso", "--fold", 2, *data).code == 0
    honest = emotone("audit", folder, "--data", synthetic)
    assert "feature statistics" not in honest.out and "under loso" in honest.out

    system, corpus = load_system(folder), load_corpus("synthetic", data=synthetic)
    described = json.loads((folder / "system.json").read_text(encoding="utf-8"))
    fold = folds_of(system.recipe, corpus, "loso", 0, ())[1]

    def refit(*samples: Sample) -> None:
        audio, features = system.recipe.audio, system.recipe.features
        frames = extract(items_of(samples, corpus), audio=audio, features=features)
        leaking = replace(system, preparation=Preparation.fit(frames, features, "standard"))
        save_system(leaking, folder, licence="CC0", trained_on=described["trained_on"])

    refit(*fold.train, *fold.test)
    done = emotone("audit", folder, "--data", synthetic)
    assert done.code == 1 and "statistics are fit on test clips too" in done.out
    refit(*fold.train[:50])
    assert "statistics are not those of the training clips" in emotone("audit", folder, "--data", synthetic).out

    other = emotone("audit", folder, "--corpus", "synthetic", "--data", tmp_path / "nowhere")
    assert other.code == 2
    refused = emotone("audit", folder, "--protocol", "clean", "--data", synthetic)
    assert refused.code == 2 and "states the protocol" in refused.err
    described["trained_on"]["data_hash"] = "0" * 32
    (folder / "system.json").write_text(json.dumps(described), encoding="utf-8")
    foreign = emotone("audit", folder, "--data", synthetic)
    assert foreign.code == 1 and "0" * 32 in foreign.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "either a system or --manifest"),
        (("onah/cnn", "--manifest", "splits.csv"), "either a system or --manifest"),
        (("onah/cn",), "Unknown system 'onah/cn'"),
        (("onah/cnn", "--protocol", "lose"), "Unknown protocol 'lose'"),
        (("--manifest", "splits.csv", "--corpus", "ravdess"), "--manifest names its own files"),
    ],
)
def test_what_cannot_be_audited_is_said(emotone: Emotone, arguments: tuple[str, ...], words: str) -> None:
    done = emotone("audit", *arguments)
    assert done.code == 2 and words in done.err and not done.out
