"""One recipe fitted on one split: the only place where data, features and a model meet to be fitted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emotone.augment import ORIGINAL
from emotone.bundle.adaptation import Head
from emotone.errors import UsageError
from emotone.evaluation.calibration import fit_temperature, soften
from emotone.evaluation.record import Epoch
from emotone.models.config import LayersConfig, NetworkConfig, OwnConfig, PretrainedConfig
from emotone.protocols import Fold, Sample
from emotone.recipes.schema import Recipe
from emotone.training.frames import encoder_folder, frames_of
from emotone.training.preparation import Preparation
from emotone.training.targets import Targets

__all__ = ["FittedSystem", "classifier_for", "fit"]

_REACH = 0.99  # of the clips of speakers not trained on are thought to be like those that are
_ENOUGH = 8  # clips of a speaker, that they tell of the voice

Array = NDArray[np.float32]
OnEpoch = Callable[[Epoch, int], None]


@dataclass(frozen=True)
class FittedSystem:
    """A fitted model with everything that is needed to use it.

    Attributes:
        recipe: what it was made from.
        classes: the labels, in the order of the probabilities.
        preparation: from frames to the model's input.
        classifier: `predict_proba(X)`: a `NetworkClassifier`, or a scikit-learn estimator of class indices.
        encoder: the folder of its pretrained encoder, where it has one.
        temperature: what its logits are divided by, so that its probabilities mean what they say.
        head: how to judge a known speaker's clips, where the system can.
    """

    recipe: Recipe
    classes: tuple[str, ...]
    preparation: Preparation
    classifier: Any
    encoder: Path | None = None
    temperature: float = 1.0
    head: Head | None = None

    def predict_proba(self, frames: Sequence[Array]) -> Array:
        """Return probabilities (clips, classes) for frames of clips as `frames_of` gives, each (channels, frames)."""
        probabilities = self.classifier.predict_proba(self.preparation(frames))
        if self.temperature != 1:
            probabilities = soften(probabilities, self.temperature)
        return np.asarray(probabilities, dtype=np.float32)

    def predict_adapted(self, frames: Sequence[Array], speakers: Sequence[str]) -> Array:
        """Return probabilities (clips, classes), each clip judged by what the speaker's other clips tell of the voice.

        No label is used. The clips of a speaker with fewer than 8 are judged as `predict_proba` does: so few may all be
        of one emotion, which would be taken for the voice.

        Raises:
            UsageError: a system that cannot adapt.
        """
        if self.head is None:
            raise UsageError(f"{self.recipe.id} cannot adapt to speakers.")
        embeddings, who = self.classifier.embed(self.preparation(frames)), np.asarray(speakers)
        rows = []
        for clip, speaker in enumerate(who):
            others = embeddings[(who == speaker) & (np.arange(len(who)) != clip)]
            others = others if len(others) + 1 >= _ENOUGH else others[:0]
            rows.append(self.head.probabilities(embeddings[clip : clip + 1], others, temperature=self.temperature))
        return np.concatenate(rows)

    def predict_files(self, paths: Sequence[Path]) -> Array:
        """Return probabilities (clips, classes) for recordings."""
        items = [(path, str(path), ORIGINAL) for path in paths]
        return self.predict_proba(frames_of(self.recipe, items, encoder=self.encoder))


def classifier_for(recipe: Recipe, classes: int, encoder: Path | None, **options: Any) -> Any:
    """Return the classifier of a recipe that has epochs, yet to be fitted; `options` are a `NetworkClassifier`'s."""
    model, training = recipe.model, recipe.training
    if training is not None and isinstance(model, NetworkConfig):
        from emotone.training.classifier import NetworkClassifier

        return NetworkClassifier(model, training, classes, **options)
    if training is not None and isinstance(model, PretrainedConfig) and encoder is not None:
        from emotone.training.encoder import EncoderClassifier

        return EncoderClassifier(model, training, classes, folder=encoder, rate=recipe.audio.rate, **options)
    frames_per_second = recipe.audio.rate / recipe.features.step
    if training is not None and isinstance(model, LayersConfig):
        from emotone.training.layers import LayersClassifier

        return LayersClassifier(
            model, training, classes, folder=encoder, frames_per_second=frames_per_second, **options
        )
    if training is not None and isinstance(model, OwnConfig):
        from emotone.training.own import OwnClassifier

        return OwnClassifier(model, training, classes, frames_per_second=frames_per_second, **options)
    raise UsageError(f"{recipe.id}: a {model.kind} is not trained in epochs.")


def fit(
    recipe: Recipe,
    fold: Fold,
    frames: Mapping[Sample, Array],
    labels: Sequence[str],
    classes: Sequence[str],
    *,
    corpora: Sequence[str] | None = None,
    seed: int,
    epochs: int | None = None,
    device: str = "auto",
    devices: int = 1,
    precision: str = "32",
    checkpoint: Path | None = None,
    on_epoch: OnEpoch | None = None,
    start: FittedSystem | None = None,
) -> FittedSystem:
    """Fit a recipe on the training samples of a fold; choose the epoch on the set that the fold names.

    A recipe that is refitted is trained twice: with a set to choose on, then on that set too.

    Args:
        recipe: the system.
        fold: the split.
        frames: of every sample of the fold, each (channels, frames).
        labels: of each clip; of clips of joined corpora, they may mean several classes.
        classes: all classes, in their fixed order.
        corpora: of each clip; those of several are balanced, where the system is one of emotone's own. None: of one.
        seed: of initial weights, batches and dropout, or of the estimator.
        epochs: instead of the recipe's, for a network.
        device: "auto", "cpu" or "cuda".
        devices: how many train a network together.
        precision: "32" or "bf16".
        checkpoint: where a network's training is saved and resumed from.
        on_epoch: called after every epoch.
        start: a system of the same network, whose weights and scaler training goes on from, as `begin_with` has it.
            Without validation its temperature stays.

    Raises:
        UsageError: a recipe that goes on from trained weights, without `start`.
    """
    model, training = recipe.model, recipe.training
    if start is None and training is not None and training.start is not None:
        raise UsageError(f"{recipe.id}: its training goes on from other weights (training.start); name them by --from.")
    balances = isinstance(model, OwnConfig | LayersConfig) and start is None
    even = balances and training is not None and training.even
    targets = Targets(fold, classes, labels, corpora or [""] * len(labels), vague=balances, even=even)

    def gather(samples: Sequence[Sample]) -> tuple[list[Array], NDArray[np.intp]]:
        return [frames[sample] for sample in samples], targets.indices(samples)

    train, y = gather(fold.train)
    preparation = Preparation.fit(train, recipe.features, recipe.scaler)
    if start is not None:
        preparation = start.preparation.over(preparation)
    X, encoder = preparation(train), encoder_folder(recipe)
    if training is None and not isinstance(model, NetworkConfig | OwnConfig | LayersConfig):
        from emotone.models.classical import build_classical

        estimator = build_classical(model, seed=seed).fit(X, y)
        return FittedSystem(recipe, tuple(classes), preparation, estimator, encoder)

    chosen_on = {"validation": fold.validation, "test": fold.test, "none": ()}[fold.monitor]
    monitored, y_monitor = gather(chosen_on)
    X_monitor = preparation(monitored) if monitored else None
    refit = training is not None and training.refit and X_monitor is not None

    def train_network(samples: Sequence[Sample], X: Any, y: NDArray[np.intp], *monitor: Any, **options: Any) -> Any:
        options |= {"seed": seed, "device": device, "devices": devices, "precision": precision}
        if balances and training is not None:
            weights = targets.weights(samples)
            joined = targets.joined(samples)
            drawn = training.balanced if joined else len(samples)
            options |= {"meant": targets.meant, "weights": weights, "drawn": drawn}
            options["corpora"] = targets.corpora_of(samples) if joined else None
        if start is not None:
            from emotone.training.begin import begin_with

            known = start.classifier, start.classes
            options["begin"] = lambda network: begin_with(network, *known, classes, X, y)
        return classifier_for(recipe, len(classes), encoder, **options).fit(X, y, *monitor)

    limit = epochs or (training.epochs if training else 0)
    told = _shifted(on_epoch, 0, limit if refit else 0)
    network = train_network(fold.train, X, y, X_monitor, y_monitor, epochs=limit, checkpoint=checkpoint, on_epoch=told)
    system = FittedSystem(recipe, tuple(classes), preparation, network, encoder)
    if not isinstance(model, OwnConfig | LayersConfig):
        return system
    if X_monitor is None:
        reach = start.head.reach if start and start.head else None
        head = network.head(X).model_copy(update={"reach": reach})
        return replace(system, temperature=start.temperature if start else 1.0, head=head)
    heard, unheard = (*fold.train, *chosen_on), None
    if isinstance(model, LayersConfig) and model.encoder_rate is None and targets.joined(heard):
        unheard = _of_left_out_corpora(targets, heard, [*X, *X_monitor], np.concatenate([y, y_monitor]), train_network)
    if unheard is None:
        distances = network.head(X).distances(network.embed(X_monitor))
        unheard = _Unheard(network.predict_proba(X_monitor), y_monitor, distances, targets.weights(chosen_on))
    true = unheard.y if targets.meant is None else targets.meant[unheard.y]
    temperature = fit_temperature(unheard.probabilities, true, unheard.weights)
    reach = float(np.quantile(unheard.distances, _REACH))
    if refit:
        X, y = X + X_monitor, np.concatenate([y, y_monitor])
        chosen, place = network, checkpoint and checkpoint.with_suffix(".refit")
        told = _shifted(on_epoch, len(chosen.history_), 0)
        other = {"blend_with": chosen} if training is not None and training.blend else {}
        network = train_network(heard, X, y, epochs=chosen.best_epoch_, checkpoint=place, on_epoch=told, **other)
        network.history_, network.best_epoch_ = chosen.history_, chosen.best_epoch_
        if place is not None:
            place.unlink(missing_ok=True)
    head = network.head(X).model_copy(update={"reach": reach})
    return replace(system, classifier=network, temperature=temperature, head=head)


class _Unheard(NamedTuple):
    """What is said of clips that were not trained on: probabilities (clips, classes), and how far the clips lie."""

    probabilities: Array
    y: NDArray[np.intp]
    distances: NDArray[np.float64]
    weights: Array | None


def _of_left_out_corpora(
    targets: Targets, samples: Sequence[Sample], X: list[Array], y: NDArray[np.intp], train_network: Callable[..., Any]
) -> _Unheard | None:
    """Leave out each corpus in turn: how sure a system may be, and what is far, where it has never been.

    Clips whose emotion no other corpus has tell nothing of that; None where all are such.
    """
    own = np.array(targets.corpora_of(samples))
    probabilities, distances, told = [], [], []
    for corpus in sorted(set(own.tolist())):
        rest, out = (np.flatnonzero(which).tolist() for which in (own != corpus, own == corpus))
        out = [row for row in out if targets.is_known(y[row], among=y[rest])]
        if not out:
            continue
        clips = [X[row] for row in rest]
        network = train_network([samples[row] for row in rest], clips, y[rest])
        head, read = network.head(clips), network.embed([X[row] for row in out])
        probabilities.append(head.probabilities(read, read[:0]))
        distances.append(head.distances(read))
        told += out
    if not told:
        return None
    weights = targets.weights([samples[row] for row in told])
    return _Unheard(np.concatenate(probabilities), y[told], np.concatenate(distances), weights)


def _shifted(on_epoch: OnEpoch | None, before: int, after: int) -> OnEpoch | None:
    """Return `on_epoch` for a training that has so many epochs of others before and after it."""
    if on_epoch is None:
        return None
    return lambda epoch, of: on_epoch(epoch.model_copy(update={"epoch": before + epoch.epoch}), before + of + after)
