"""Fine-tuning: the weights of a bundle to go on from, and the recipe's training made gentle enough for few clips."""

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Self

from emotone.bundle import Bundle, BundleInfo
from emotone.errors import UsageError
from emotone.export.unbundle import system_of
from emotone.recipes.schema import Recipe, TrainingConfig
from emotone.training.system import FittedSystem

__all__ = ["Start"]

_RATE = 0.3  # of the recipe's learning rate
_EPOCHS, _BATCH = 30, 16  # at most
_AVERAGE = 0.9  # at most: 60 clips give four steps an epoch, of which an average over hundreds would see little
_TOLD = 3  # differences that an error names
_SAME = ("model", "audio", "features", "scaler")  # of two recipes whose weights mean the same


@dataclass(frozen=True)
class Start:
    """A bundle as the start of another training.

    Attributes:
        name: the file, as an error names it.
        system: the system that it was made of.
        info: its card.
        digest: of the file.
    """

    name: str
    system: FittedSystem
    info: BundleInfo
    digest: str

    @classmethod
    def read(cls, source: Path | bytes) -> Self:
        """Read a bundle, a file or its content.

        Raises:
            BundleError: no bundle, or one whose network cannot be made again of its card.
        """
        info = Bundle.load(source).info
        content = source if isinstance(source, bytes) else source.read_bytes()
        name = info.name if isinstance(source, bytes) else str(source)
        return cls(name, system_of(source), info, blake2b(content, digest_size=16).hexdigest())

    def tuned(self, given: Recipe | None = None) -> Recipe:
        """Return the bundle's recipe with the training of a fine-tuning; what is changed stands under its `choices`.

        A recipe that was tuned already keeps its settings.

        Args:
            given: instead of the bundle's; of the same network.

        Raises:
            UsageError: a recipe of another network, or of other features.
        """
        own = self.system.recipe
        recipe = given or own
        ours, theirs = (each.model_dump(mode="json") for each in (recipe, own))
        if found := [difference for key in _SAME for difference in _differences(ours[key], theirs[key], key)]:
            differences = "; ".join(f"its {key} is {new!r}, not {old!r}" for key, new, old in found[:_TOLD])
            raise UsageError(
                f"{recipe.id} cannot go on from the weights of {self.name}, which is {own.id}: {differences}. "
                "Leave the system out, and the bundle's own is taken."
            )
        before = recipe.training
        assert before is not None  # the schema has it for networks, and only those are in bundles
        training = before if before.start else _gentle(before)
        training = training.model_copy(update={"start": self.digest})
        changes = _differences(training.model_dump(), before.model_dump())
        choice = f"Fine-tuned from {self.info.name}, written by emotone {self.info.version}: " + "; ".join(
            f"{key} is {new}, not {old}" for key, new, old in changes
        )
        return recipe.model_copy(update={"training": training, "choices": (*recipe.choices, choice)})

    def heard(self, corpus: str) -> set[str]:
        """Return the speakers of a corpus that the weights were trained on, here or before.

        Args:
            corpus: its name, or those of joined corpora, a+b, whose speakers are called a:01.
        """
        speakers: set[str] = set()
        origin = self.info.trained_on
        asked = corpus.split("+")
        while origin:
            named = str(origin.get("corpus", ""))
            for each in origin.get("speakers", ()):
                own, _, speaker = each.partition(":") if "+" in named else (named, "", each)
                if own in asked:
                    speakers.add(f"{own}:{speaker}" if len(asked) > 1 else speaker)
            origin = origin.get("from", {}).get("trained_on", {})
        return speakers

    @property
    def origin(self) -> dict[str, Any]:
        """What a system that was trained from it says of it."""
        info = self.info
        return {
            "name": info.name,
            "version": info.version,
            "digest": self.digest,
            "licence": info.licence,
            "trained_on": info.trained_on,
        }


def _gentle(training: TrainingConfig) -> TrainingConfig:
    """Return settings for weights that are good already, and for few clips."""
    regulariser = training.regulariser
    return training.model_copy(
        update={
            "epochs": min(training.epochs, _EPOCHS),
            "batch": min(training.batch, _BATCH),
            "learning_rate": float(f"{training.learning_rate * _RATE:.3g}"),  # no 0.00030000000000000003
            "keep_statistics": True,
            "regulariser": regulariser
            and regulariser.model_copy(update={"average": min(regulariser.average, _AVERAGE)}),
        }
    )


def _differences(new: Any, old: Any, key: str = "") -> list[tuple[str, Any, Any]]:
    """Return where two mappings differ: key, new and old value; of two kinds of thing, only that they are two."""
    if not (isinstance(new, dict) and isinstance(old, dict)):
        return [] if new == old else [(key, new, old)]
    if new.get("kind") != old.get("kind"):
        return _differences(new.get("kind"), old.get("kind"), f"{key}.kind")
    inner = (_differences(new.get(name), old.get(name), f"{key}.{name}".strip(".")) for name in new)
    return [difference for differences in inner for difference in differences]
