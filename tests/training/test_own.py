"""Our own network learns, keeps its averaged weights, is calibrated, adapts to speakers, and survives a kill."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch.nn.utils.rnn import pad_sequence

from emotone import corpora, recipes
from emotone.audio import load
from emotone.augment import ORIGINAL
from emotone.emotions import EMOTIONS
from emotone.errors import UsageError
from emotone.evaluation.record import Epoch
from emotone.protocols import Fold, Sample
from emotone.recipes.schema import Recipe
from emotone.training import fit
from emotone.training.frames import frames_of

from ..small_tasks import CLASSES, fitted

MODEL = {"kind": "own", "stem": 4, "channels": (4, 6), "width": 8, "mixers": 1, "dropout": 0.1, "functionals": False}
EPOCHS = 4
FUNCTIONALS = {"functionals": True}


def small(
    *, epochs: int = EPOCHS, refit: bool = False, model: dict[str, Any] | None = None, **regulariser: Any
) -> Recipe:
    data = recipes.load("emotone/base").model_dump()
    data["model"] |= MODEL | (model or {})
    data["training"] |= {"epochs": epochs, "batch": 6, "learning_rate": 0.02, "refit": refit}
    data["training"]["regulariser"] |= {"average": 0.5, **regulariser}
    return Recipe.parse(data, where="small")


def harmless() -> dict[str, Any]:
    """A regulariser for clips that are noise of ten frames, of which stripes and shifts would leave nothing."""
    return {"mixup": 0.2, "distortion": {"stretch": 0.1, "tilt": 0.1}}


def test_a_small_task_is_learnt(task_for: Callable[..., Any]) -> None:
    recipe = small(epochs=40, **harmless())
    task = task_for(recipe, distance=1.0, per_class=24)
    system = fitted(recipe, task)
    probabilities = system.predict_proba(task.tested)
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)
    assert task.accuracy(probabilities) >= 0.8
    rates = [epoch.learning_rate for epoch in system.classifier.history_]
    peak = int(np.argmax(rates))
    assert 5 < peak < 20 and rates[0] < rates[peak] / 5 > rates[-1] and max(rates) == pytest.approx(0.02, rel=0.01)


@pytest.mark.parametrize("killed_after", [1, 3])
def test_a_killed_training_goes_on_to_the_same_result(
    task_for: Callable[..., Any], tmp_path: Path, killed_after: int
) -> None:
    recipe, checkpoint = small(mixup=0.3, model=FUNCTIONALS), tmp_path / "a.ckpt"
    task = task_for(recipe)

    class Kill(Exception):  # noqa: N818, it is no error
        pass

    def kill(epoch: Epoch, epochs: int) -> None:
        if epoch.epoch == killed_after + 1:
            raise Kill

    monkey = pytest.MonkeyPatch()
    monkey.setattr("emotone.training.module.monotonic", iter(range(0, 10**6, 100)).__next__)  # save after every epoch
    with pytest.raises(Kill), monkey.context():
        fitted(recipe, task, checkpoint=checkpoint, on_epoch=kill)
    assert checkpoint.exists()
    seen: list[int] = []
    resumed = fitted(recipe, task, checkpoint=checkpoint, on_epoch=lambda epoch, _: seen.append(epoch.epoch))
    monkey.undo()
    undisturbed = fitted(recipe, task)
    assert seen == list(range(killed_after + 1, EPOCHS + 1))
    assert resumed.classifier.history_ == undisturbed.classifier.history_
    assert np.array_equal(resumed.predict_proba(task.tested), undisturbed.predict_proba(task.tested))
    assert resumed.temperature == undisturbed.temperature


def test_a_refit_hears_validation_too_for_as_long_as_it_was_best(task_for: Callable[..., Any], tmp_path: Path) -> None:
    once, twice = (small(epochs=6, refit=refit, model=FUNCTIONALS, **harmless()) for refit in (False, True))
    task = task_for(once)
    first, checkpoint = fitted(once, task), tmp_path / "a.ckpt"
    told: list[tuple[int, int]] = []
    second = fitted(twice, task, checkpoint=checkpoint, on_epoch=lambda epoch, of: told.append((epoch.epoch, of)))
    assert second.classifier.history_ == first.classifier.history_
    assert (second.classifier.best_epoch_, second.temperature) == (first.classifier.best_epoch_, first.temperature)
    assert not checkpoint.with_suffix(".refit").exists()
    best = first.classifier.best_epoch_
    assert told == [(n, 12) for n in range(1, 7)] + [(6 + n, 6 + best) for n in range(1, best + 1)]

    everything = replace(task.fold, train=task.fold.train + task.fold.validation, validation=(), monitor="none")
    alone = fit(once, everything, task.frames, task.labels, CLASSES, seed=0, device="cpu", epochs=best)
    expected = alone.classifier.predict_proba(alone.preparation(task.tested))
    found = second.classifier.predict_proba(second.preparation(task.tested))
    assert np.array_equal(found, expected)
    assert first.head is not None and alone.head is not None
    known = {"reach": first.head.reach}  # as far as those lay whom the first training had not heard
    assert second.head == alone.head.model_copy(update=known) != first.head


def test_the_kept_weights_are_an_average(task_for: Callable[..., Any]) -> None:
    task = task_for(small())
    jumping, calm = (fitted(small(average=average), task).classifier for average in (0.0, 0.95))
    assert jumping.history_[0].train_loss == calm.history_[0].train_loss, "the average does not touch the training"
    assert jumping.history_[0].monitor_loss != calm.history_[0].monitor_loss, "it is what is monitored"


def test_it_is_calibrated_on_validation_clips(task_for: Callable[..., Any]) -> None:
    recipe = small(epochs=30, label_smoothing=0.4, **harmless())
    task = task_for(recipe, distance=1.0, per_class=24)
    system = fitted(recipe, task)
    assert system.temperature < 0.9, "label smoothing makes too modest"
    plain = system.classifier.predict_proba(system.preparation(task.tested))
    calibrated = system.predict_proba(task.tested)
    assert (plain.argmax(1) == calibrated.argmax(1)).all()
    assert calibrated.max(1).mean() > plain.max(1).mean()


def test_functionals_are_fitted_beside_the_same_network(task_for: Callable[..., Any]) -> None:
    plain, both = small(epochs=1), small(epochs=1, model=FUNCTIONALS)
    task = task_for(plain, distance=1.0, per_class=24)
    alone, beside = fitted(plain, task), fitted(both, task)
    assert [epoch.train_loss for epoch in beside.classifier.history_] == pytest.approx(
        [epoch.train_loss for epoch in alone.classifier.history_]
    )
    known, network = beside.preparation(task.frames[sample] for sample in task.fold.train), beside.classifier.network_
    lengths = torch.tensor([clip.shape[1] for clip in known])
    padded = pad_sequence([torch.from_numpy(clip.T) for clip in known], batch_first=True).transpose(1, 2)
    raw = network.functionals.raw(network.normalise(padded, lengths), lengths)
    np.testing.assert_allclose((network.functionals.mean - raw.mean(0)) / network.functionals.deviation, 0, atol=1e-4)
    told = beside.classifier.embed(known)[:, 16:]
    np.testing.assert_allclose(told, network.functionals.standardised(raw), atol=1e-4)
    first, second = (task.accuracy(system.predict_proba(task.tested)) for system in (alone, beside))
    assert second >= 0.8 > first, "statistics tell in one epoch what the network does not yet"
    assert beside.head is not None and len(beside.head.weight[0]) == beside.classifier.network_.output.in_features


def test_a_known_speaker_is_judged_by_the_other_clips_alone(task_for: Callable[..., Any]) -> None:
    recipe = small()
    task = task_for(recipe)
    system = fitted(recipe, task)
    frames, speakers = list(task.frames.values())[:24], ["a"] * 7 + ["b"] * 8 + ["c"] * 9
    adapted = system.predict_adapted(frames, speakers)
    assert adapted.shape == (24, 3)
    plain = system.predict_proba(frames)
    np.testing.assert_allclose(adapted[:7], plain[:7], atol=1e-5, err_msg="seven clips are too few to know a voice by")
    assert (np.abs(adapted[7:] - plain[7:]).max(1) > 1e-6).all()
    changed = [*frames[:15], frames[15] + 30 * np.eye(*frames[15].shape, dtype=np.float32), *frames[16:]]
    again = system.predict_adapted(changed, speakers)
    np.testing.assert_allclose(again[:15], adapted[:15], atol=1e-6)
    assert (np.abs(again[16:] - adapted[16:]).max(1) > 1e-6).all(), "b's clips tell nothing of c, c's tell of c"


def test_it_knows_how_far_unheard_speakers_lie(task_for: Callable[..., Any]) -> None:
    task = task_for(small())
    system = fitted(small(), task)
    assert system.head is not None and system.head.reach is not None
    heard = [task.frames[sample] for sample in task.fold.validation]
    embeddings = system.classifier.embed(system.preparation(heard))
    near = system.head.distances(embeddings)
    assert 0.5 < np.median(near) <= system.head.reach
    assert system.head.are_far(embeddings).sum() == 1, "99 % of nine clips: all but the farthest"
    beyond = np.asarray(system.head.mean) + 2 * near.max() * np.asarray(system.head.deviation)
    assert system.head.are_far(beyond[None]).all()


def test_other_systems_do_not_adapt(task_for: Callable[..., Any]) -> None:
    recipe = recipes.load("boucheta/knn")
    task = task_for(recipe)
    with pytest.raises(UsageError, match="boucheta/knn cannot adapt"):
        fitted(recipe, task).predict_adapted(task.tested, ["a"] * len(task.tested))


def test_functionals_tell_through_a_telephone_too(tmp_path: Path) -> None:
    """Fitted on the clips as they come alone, they are right about a fifth of the telephoned ones."""
    if not corpora.find("ravdess"):
        pytest.skip("RAVDESS is not here: EMOTONE_DATA")
    known, unknown = (
        [clip for clip in corpora.load("ravdess").utterances if clip.speaker in speakers]
        for speakers in (("01", "02", "03", "04"), ("07", "08"))
    )
    heard = [(clip.path, clip.clip, ORIGINAL) for clip in known]
    for clip in unknown:
        path = tmp_path / f"{clip.clip.replace('/', '-')}.wav"
        soundfile.write(path, load(clip.path, rate=8_000)[0], 8_000, subtype="ULAW")
        heard.append((path, str(path), ORIGINAL))
    recipe = small(epochs=1, model=FUNCTIONALS)
    frames = frames_of(recipe, heard, workers=1)
    samples = [Sample(position) for position in range(len(known))]
    labels = [clip.emotion for clip in known]
    everything = Fold(0, 1, tuple(samples), (), (), "none")
    given = dict(zip(samples, frames[: len(known)], strict=True))
    system = fit(recipe, everything, given, labels, EMOTIONS, seed=0, device="cpu")
    answers = system.predict_proba(frames[len(known) :]).argmax(1)
    assert np.mean([EMOTIONS[answer] == clip.emotion for answer, clip in zip(answers, unknown, strict=True)]) > 0.33
