"""A recording explained: which model, which emotion, which stretch."""

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emotone.audio import Samples, Source, open_blocks
from emotone.bundle import Bundle
from emotone.errors import AudioError, BundleError, UsageError, unknown
from emotone.explanation.result import Explanation

if TYPE_CHECKING:
    from emotone.recognition.windows import Window

__all__ = ["explain"]

_BLOCK = 1 << 20  # samples that are decoded at a time
_NEEDED = ("captum", "lightning", "matplotlib", "onnx", "safetensors", "torch")


def explain(source: Source, model: str | Path | None = None, *, emotion: str | None = None) -> Explanation:
    """Explain why a model hears an emotion in a recording.

    Integrated gradients (Sundararajan et al., 2017) follow the logit of the emotion from a baseline to the sound, and
    give every band of every frame its share of the difference. They are taken of what the network's first layer reads.
    Before its normalisation they would say nothing: a clip whose level and contrast are normalised is the same all the
    way up from any constant. The baseline is the clip with every band at its own mean over time: its colour without
    what happens in it. An even spectrum in its place would be a sound that frozen layers never heard.

    Of a recording longer than the model's window, the window is explained that speaks most for the emotion.

    Args:
        source: a path, a file's bytes, or an open binary file.
        model: as in `Recognizer.load`. It must read log-mels.
        emotion: a label of the model; None for the one that the recording gets, or, where that is uncertain, the
            likeliest.

    Raises:
        UsageError: an unknown emotion, no such model, the extra `explain` is not installed.
        BundleError: a model that is no network over log-mels.
        AudioError: what cannot be read; a recording without speech.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise UsageError(f"Explanations need {', '.join(missing)}: pip install emotone[explain]")
    from emotone.bundle.hub import locate
    from emotone.explanation.gradients import explain_window
    from emotone.export.serving import Serving

    place = locate(model)
    bundle = Bundle.load(place)
    if emotion is not None and emotion not in bundle.info.labels:
        raise unknown("emotion", emotion, bundle.info.labels, where=bundle.info.name)
    serving = Serving(_system(place, bundle)).requires_grad_(False)
    with open_blocks(source) as recording:
        name, rate = getattr(recording, "name", "recording"), recording.rate
        answer, likely, duration, window = _strongest(bundle, rate, recording.blocks(_BLOCK), emotion, name)
    return explain_window(serving, bundle.info, window, emotion or likely, file=name, answer=answer, duration=duration)


def _system(place: Path | bytes, bundle: Bundle) -> Any:
    """Return the system of a bundle, if it can be explained."""
    from emotone.export.unbundle import system_of

    recipe = bundle.info.recipe
    features = recipe.get("features", {})
    if list(features.get("streams", ())) != ["logmel"] or features.get("layout") not in ("ragged", "frames"):
        read = ", ".join(features.get("streams", ())) or "no recipe's features"
        raise BundleError(
            f"{bundle.info.name} cannot be explained: it reads {read}; only what a network reads of log-mels, frame "
            "by frame, is drawn over them."
        )
    return system_of(place)


def _strongest(
    bundle: Bundle, rate: int, blocks: Iterable[Samples], emotion: str | None, name: str
) -> tuple[str, str, float, "Window"]:
    """Return a recording's answer, its likeliest emotion, its duration, and a window.

    The window is the one that speaks most for the emotion; of None, for the likeliest.
    """
    from emotone.recognition.result import NO_SPEECH, judge
    from emotone.recognition.stream import Settings, Track, answers

    labels = bundle.info.labels
    track = Track(bundle.info, rate, Settings.of(bundle.info), live=False)
    best: dict[str, tuple[float, Window]] = {}

    def take(windows: list["Window"]) -> None:
        for window, answer in zip(windows, answers(bundle, windows), strict=True):
            track.add(window, answer)
            for label, probability in zip(labels, answer.probabilities.tolist(), strict=True):
                if label not in best or probability > best[label][0]:
                    best[label] = (probability, window)

    for block in blocks:
        take(track.push(block))
    take(track.close())
    result = track.result()
    if result.emotion == NO_SPEECH:
        raise AudioError(f"{name}: no speech in it, so there is nothing to explain")
    likely, _ = judge(result.scores, 0)
    return result.emotion, likely, result.duration, best[emotion or likely][1]
