"""An explanation is of what is served, adds up, marks what matters more than chance, and says what it cannot do."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

import emotone as package
from emotone import corpora, recipes
from emotone.audio import load
from emotone.augment import ORIGINAL
from emotone.bundle import Bundle
from emotone.errors import AudioError, BundleError, UsageError
from emotone.explanation import Explanation, explain, recording
from emotone.explanation.deletion import REGION, SHARES, deletion
from emotone.export import export
from emotone.export.serving import Serving
from emotone.export.unbundle import system_of
from emotone.protocols import Fold, Sample
from emotone.recipes.schema import Recipe
from emotone.recognition import Recognizer
from emotone.storage import save_system
from emotone.training import fit
from emotone.training.frames import frames_of

CLASSES = ("sad", "angry")
DISTORTION = {"stretch": 0.2, "shift": 3, "mask_bands": 8, "mask_frames": 20}


@dataclass
class Trained:
    """A bundle, and clips that it was not trained on."""

    bundle: Path
    clips: list[Path]


def has_ravdess() -> bool:
    return bool(os.environ.get("EMOTONE_DATA") and corpora.find("ravdess"))


def trained(recipe: Recipe, folder: Path, *, epochs: int, count: int) -> Trained:
    """Train a recipe on clips of a corpus's first speakers, RAVDESS's where it is found; the last one's are left out.

    No clips validate, so the temperature is 1. Fitted to clips that are all recognised, it would be so low that every
    probability is 0 or 1, and stays so, whatever is deleted.
    """
    torch.set_num_threads(1)
    corpus = corpora.load("ravdess" if has_ravdess() else "synthetic")
    speakers = sorted({clip.speaker for clip in corpus.utterances if clip.speaker})[:count]
    clips = [clip for clip in corpus.utterances if clip.speaker in speakers and clip.emotion in CLASSES]
    samples = [Sample(position) for position in range(len(clips))]
    learnt = tuple(each for each in samples if clips[each.clip].speaker != speakers[-1])
    frames = frames_of(recipe, [(clip.path, str(clip.path), ORIGINAL) for clip in clips], workers=1)
    system = fit(
        recipe,
        Fold(0, 1, learnt, (), (), "none"),
        dict(zip(samples, frames, strict=True)),
        [clip.emotion for clip in clips],
        CLASSES,
        seed=0,
        epochs=epochs,
        device="cpu",
    )
    save_system(system, folder / "run", licence="CC0", trained_on={})
    export(folder / "run", folder / "small.onnx")
    return Trained(folder / "small.onnx", [clip.path for clip in clips if clip.speaker == speakers[-1]])


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    data = recipes.load("emotone/base").model_dump()
    data["model"] |= {"stem": 16, "channels": (16, 32), "width": 32, "mixers": 1, "dropout": 0.1}
    data["training"] |= {"epochs": 12, "batch": 16, "learning_rate": 0.005}
    data["training"]["regulariser"] |= {"average": 0.5, "mixup": 0.0, "label_smoothing": 0.2, "distortion": DISTORTION}
    return trained(Recipe.parse(data, where="small"), tmp_path_factory.mktemp("own"), epochs=12, count=8)


@pytest.fixture(scope="module")
def explained(own: Trained) -> list[Explanation]:
    """The explanations of every other clip, one take of each."""
    return [explain(clip, own.bundle) for clip in own.clips[::2]]


def check(found: Explanation) -> None:
    """What holds of every explanation."""
    assert found.attributions.shape == found.logmel.shape == (len(found.frequencies), len(found.times))
    gap = found.logit - found.baseline_logit
    assert found.attributions.sum() == pytest.approx(gap, abs=0.02 * max(1.0, abs(gap))), "completeness"
    assert (np.diff(found.times) > 0).all() and (np.diff(found.frequencies) > 0).all()
    assert found.start <= found.times[0] and found.times[-1] <= found.end + 0.05 and found.end <= found.duration + 0.05
    assert sum(found.scores.values()) == pytest.approx(1, abs=1e-5)
    if found.attention is not None and found.attention_times is not None:
        assert found.attention.sum() == pytest.approx(1, abs=1e-4)
        assert found.attention.shape == found.attention_times.shape
        assert found.times[0] <= found.attention_times[0] <= found.attention_times[-1] <= found.end + 0.3


def test_attributions_add_up_and_have_their_place(explained: list[Explanation]) -> None:
    for found in explained:
        check(found)
        assert found.attention is not None


def test_it_explains_what_is_served(own: Trained, explained: list[Explanation]) -> None:
    recognizer = Recognizer.load(own.bundle)
    for clip, found in zip(own.clips[::2], explained, strict=True):
        served = recognizer(clip)
        assert found.emotion == found.answer == served.emotion and found.duration == served.duration
        answer = Bundle.load(own.bundle).run(found.samples[None]).probabilities[0]
        assert list(found.scores.values()) == pytest.approx(answer.tolist(), abs=1e-3)


def odds(probabilities: np.ndarray) -> np.ndarray:
    """The logarithm of the odds: a model that is sure of all that it was trained on loses few per cent of anything."""
    return np.log(probabilities) - np.log1p(-np.minimum(probabilities, 1 - 1e-6))


def test_what_is_marked_matters_more_than_chance(explained: list[Explanation]) -> None:
    for position, share in enumerate(SHARES):
        marked, random = (
            np.array([getattr(found.deletion[position], name) for found in explained]) for name in ("marked", "random")
        )
        assert {found.deletion[position].share for found in explained} == {share}
        assert (odds(random) - odds(marked)).mean() > 1
        if has_ravdess():  # of computer-made voices the network is too sure to lose a tenth
            assert (random - marked).mean() > 0.1
        assert np.mean(marked < random) > 0.8


def test_marks_by_chance_do_not_pass_the_test_of_deletion(own: Trained, explained: list[Explanation]) -> None:
    serving = Serving(system_of(own.bundle))
    noise = np.random.default_rng(1)
    gaps = []
    for found in explained:
        target = list(found.scores).index(found.emotion)
        features, frames, _ = serving.hear(torch.from_numpy(found.samples)[None], torch.tensor([len(found.samples)]))
        inputs = serving.read(features[..., : int(frames)], frames)[0].detach()
        baseline = (inputs.mean(1, keepdim=True) + 1e-6).expand_as(inputs)

        def ask(batch: torch.Tensor, frames: torch.Tensor = frames, target: int = target) -> np.ndarray:
            with torch.no_grad():
                logits = serving.judge(batch, frames.expand(len(batch)))[0]
            return torch.softmax(logits / serving.temperature, 1)[:, target].numpy()

        again = deletion(ask, inputs, baseline, found.attributions)
        assert [each.marked for each in again] == pytest.approx([each.marked for each in found.deletion], abs=1e-3)
        for _ in range(3):
            by_chance = deletion(ask, inputs, baseline, noise.normal(size=inputs.shape).astype(np.float32))
            gaps.append([each.random - each.marked for each in by_chance])
    assert (np.mean(gaps, axis=0) < 0.1).all()


def test_deletion_replaces_the_largest_regions_whole() -> None:
    inputs, baseline = torch.ones(2 * REGION, 5 * REGION - 3), torch.zeros(2 * REGION, 5 * REGION - 3)
    attributions = np.zeros(inputs.shape, np.float32)
    attributions[REGION, -1] = 1.0
    seen: list[torch.Tensor] = []

    def ask(batch: torch.Tensor) -> np.ndarray:
        seen.append(batch)
        return batch.mean((1, 2)).numpy()

    first = deletion(ask, inputs, baseline, attributions)[0]
    expected = inputs.clone()
    expected[REGION:, 4 * REGION :] = 0
    assert torch.equal(seen[0][0], expected)
    assert first.marked == pytest.approx(float(expected.mean()))
    assert all(each.eq(0).any() and each.eq(0).sum() <= REGION * REGION for each in seen[0])


def test_a_time_distributed_network_is_explained_too(tmp_path: Path) -> None:
    data = recipes.load("bhanbhro/cnn-bilstm-attention").model_dump()
    data["model"]["convolution"]["channels"] = [4] * len(data["model"]["convolution"]["channels"])
    data["model"]["recurrent"]["units"] = [6]
    data["augment"] = None
    small = trained(Recipe.parse(data, where="small"), tmp_path, epochs=1, count=2)
    found = explain(small.clips[0], small.bundle)
    check(found)
    assert found.attention is not None
    answer = Bundle.load(small.bundle).run(found.samples[None]).probabilities[0]
    assert list(found.scores.values()) == pytest.approx(answer.tolist(), abs=1e-3)


def test_of_a_long_recording_the_stretch_that_says_most_is_explained(own: Trained, tmp_path: Path) -> None:
    parts = [load(clip, rate=16_000)[0] for clip in own.clips[:6]]
    path = tmp_path / "long.wav"
    soundfile.write(path, np.concatenate([np.zeros(16_000, np.float32), *parts]), 16_000)
    result = Recognizer.load(own.bundle)(path)
    for label in CLASSES:
        found = explain(path, own.bundle, emotion=label)
        check(found)
        most = max(each.scores.get(label, 0) for each in result.segments)
        assert found.emotion == label and found.answer == result.emotion
        assert found.scores[label] >= most - 1e-3 and found.start > 0.8
    samples = load(path, rate=16_000)[0]
    at = round(found.start * 16_000)
    np.testing.assert_array_equal(found.samples, samples[at : at + len(found.samples)])


def test_an_uncertain_answer_is_explained_by_the_likeliest_emotion(synthetic: Path) -> None:
    clip = next((synthetic / "synthetic").rglob("*.wav"))
    answer = Recognizer.load()(clip)
    found = explain(clip)
    check(found)
    assert found.answer == answer.emotion == "uncertain", "no human ever spoke so"
    assert found.emotion == max(answer.scores, key=answer.scores.__getitem__)
    assert any("answer is “uncertain”" in text.get_text() for text in found.figure().texts)


@pytest.mark.usefixtures("ravdess")  # the model has to be sure, as it is of real speech alone
def test_what_is_marked_matters_to_frozen_layers_too() -> None:
    """To `emotone/probe` an even spectrum is no sound at all: any region, so replaced, cost as much as those marked."""
    clips = [each for each in corpora.load("ravdess").utterances if each.clip.endswith("02-02-02-05")]
    found = [explain(each.path) for each in clips if each.emotion in (*CLASSES, "happy", "fearful")]
    for position in range(len(SHARES)):
        gaps = [each.deletion[position].random - each.deletion[position].marked for each in found]
        assert np.mean(gaps) > 0.2


def test_python_and_the_command_line(own: Trained, emotone: Callable[..., Any], tmp_path: Path) -> None:
    out = tmp_path / "new" / "why.png"
    done = emotone("explain", own.clips[0], "--model", own.bundle, "--emotion", "angry", "--out", out)
    assert done.code == 0 and done.err == ""
    assert "explained: angry" in done.out and "without random 20%" in done.out and str(out) in done.out
    from PIL import Image

    with Image.open(out) as picture:
        assert picture.format == "PNG" and min(picture.size) > 500
        assert len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)) > 200
    found = package.explain(own.clips[0], own.bundle, emotion="angry")
    found.save(str(tmp_path / "python.svg"))
    assert (tmp_path / "python.svg").stat().st_size > 1_000
    words = [text.get_text() for text in found.figure().texts]
    assert any("angry" in each for each in words) and any(own.clips[0].name in each for each in words)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--emotion", "angri"), 2, "Unknown emotion 'angri' in emotone/base. Valid: angry, sad."),
        (("--out", "why.jpg"), 2, "why.jpg: its suffix is '.jpg'; allowed: .png, .svg, .pdf."),
        (("--model", "nothing.onnx"), 1, "nothing.onnx: no such file."),
    ],
)
def test_wrong_usage_is_named(
    own: Trained,
    emotone: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: int,
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    done = emotone("explain", own.clips[0], "--model", own.bundle, *arguments)
    assert done.code == code and words in done.err and len(done.err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_explained_says_why(own: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    silence = tmp_path / "silence.wav"
    soundfile.write(silence, np.zeros(16_000), 16_000)
    with pytest.raises(AudioError, match=r"silence\.wav: no speech in it"):
        explain(silence, own.bundle)
    from ..made_bundles import make_bundle

    with pytest.raises(BundleError, match=r"made/by-hand cannot be explained: it reads no recipe's features"):
        explain(own.clips[0], make_bundle(tmp_path / "hand.onnx"))
    monkeypatch.setattr(recording, "_NEEDED", ("captum", "no_such_library"))
    with pytest.raises(UsageError, match=r"no_such_library: pip install emotone\[explain\]"):
        explain(own.clips[0], own.bundle)
