"""Why a network hears an emotion: integrated gradients over its log-mels, put to the test by deletion."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from emotone.audio import Samples, Source, open_blocks
from emotone.bundle import Bundle
from emotone.errors import AudioError, BundleError, UsageError, unknown

if TYPE_CHECKING:
    from torch import Tensor

    from emotone.recognition.windows import Window
    from emotone.training.serving import Serving

__all__ = ["Deletion", "Explanation", "deletion", "explain"]

Array = npt.NDArray[np.float32]

SHARES = (0.1, 0.2, 0.3)
"""Of a stretch's regions, that deletion takes away."""
REGION = 8
"""Bands, and frames, of a region: large enough to be something that is heard."""

_STEPS = 64  # of the integral
_BATCH = 16
_DRAWS = 20  # of random regions, for each share
_BLOCK = 1 << 20  # samples that are decoded at a time
_NEEDED = ("captum", "lightning", "matplotlib", "onnx", "safetensors", "torch")
_FORMATS = (".png", ".svg", ".pdf")


@dataclass(frozen=True, slots=True)
class Deletion:
    """How sure the network is of the explained emotion when a share of the sound is replaced by the baseline.

    Attributes:
        share: of the regions that are replaced.
        marked: the probability without the regions of the largest attributions.
        random: the mean probability without as many random regions.
    """

    share: float
    marked: float
    random: float


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """What in a stretch of a recording speaks for an emotion.

    Attributes:
        file: what the recording is called.
        model: the bundle's name.
        answer: the emotion of the whole recording.
        emotion: the explained one.
        scores: label -> probability, of the stretch.
        start: of the stretch, in seconds from the recording's beginning.
        duration: of the recording, in seconds.
        samples: the stretch, (samples,) at `rate` Hz.
        rate: in Hz.
        times: the middle of every frame in seconds from the recording's beginning, (frames,). Silence that the model
            cuts off has none.
        frequencies: the middle of every mel band in Hz, (bands,).
        logmel: what the front end takes, (bands, frames), in dB unless the recipe standardises it.
        attributions: integrated gradients, (bands, frames). They add up to `logit` - `baseline_logit`.
        logit: of the explained emotion, before the temperature.
        baseline_logit: the same for the baseline, the stretch flattened to its own mean.
        attention: weights over time, (steps,), which sum to 1; None for a network that does not attend.
        attention_times: the middle of every step, as `times`.
        deletion: how much the marked regions matter, by share.
    """

    file: str
    model: str
    answer: str
    emotion: str
    scores: Mapping[str, float]
    start: float
    duration: float
    samples: Samples
    rate: int
    times: npt.NDArray[np.float64]
    frequencies: npt.NDArray[np.float64]
    logmel: Array
    attributions: Array
    logit: float
    baseline_logit: float
    attention: Array | None
    attention_times: npt.NDArray[np.float64] | None
    deletion: tuple[Deletion, ...]

    @property
    def end(self) -> float:
        """Of the stretch, in seconds."""
        return self.start + len(self.samples) / self.rate

    def figure(self) -> Any:
        """Return the explanation as a matplotlib figure."""
        from emotone.report.figures_explanation import draw

        return draw(self)

    def save(self, path: Path) -> None:
        """Draw the figure into a .png, .svg or .pdf file, whole or not at all.

        Raises:
            UsageError: another suffix, or a folder.
        """
        from emotone.files import atomic_path
        from emotone.report.theme import style

        check_suffix(path)
        with style(), atomic_path(path) as temporary:
            self.figure().savefig(temporary)


def check_suffix(path: Path) -> None:
    """Refuse a file that no figure can be drawn into."""
    if path.is_dir():
        raise UsageError(f"{path}: is a folder; name a file, as {path / 'explained.png'}.")
    if path.suffix.lower() not in _FORMATS:
        raise UsageError(f"{path}: its suffix is {path.suffix!r}; allowed: {', '.join(_FORMATS)}.")


def explain(source: Source, model: str | Path | None = None, *, emotion: str | None = None) -> Explanation:
    """Explain why a model hears an emotion in a recording.

    Integrated gradients (Sundararajan et al., 2017) follow the logit of the emotion from a baseline to the sound, and
    give every band of every frame its share of the difference. They are taken of what the network's first layer reads.
    Before its normalisation they would say nothing: a clip whose level and contrast are normalised is the same all the
    way up from any constant. The baseline is the clip flattened to its own mean level, with which training masks too.

    Of a recording longer than the model's window, the window is explained that speaks most for the emotion.

    Args:
        source: a path, a file's bytes, or an open binary file.
        model: as in `Recognizer.load`. It must read log-mels.
        emotion: a label of the model; None for the one that the recording gets.

    Raises:
        UsageError: an unknown emotion, no such model, the extra `explain` is not installed.
        BundleError: a model that is no network over log-mels.
        AudioError: what cannot be read; a recording without speech.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise UsageError(f"Explanations need {', '.join(missing)}: pip install emotone[explain]")
    from emotone.recognition.hub import locate
    from emotone.training.serving import Serving

    place = locate(model)
    bundle = Bundle.load(place)
    if emotion is not None and emotion not in bundle.info.labels:
        raise unknown("emotion", emotion, bundle.info.labels, where=bundle.info.name)
    serving = Serving(_system(place, bundle)).requires_grad_(False)
    with open_blocks(source) as recording:
        name, rate = getattr(recording, "name", "recording"), recording.rate
        answer, duration, window = _strongest(bundle, rate, recording.blocks(_BLOCK), emotion, name)
    return _explained(serving, bundle, window, emotion or answer, file=name, answer=answer, duration=duration)


def _system(place: Path | bytes, bundle: Bundle) -> Any:
    """Return the system of a bundle, if it can be explained."""
    from emotone.training.export import system_of

    recipe = bundle.info.recipe
    features = recipe.get("features", {})
    if list(features.get("streams", ())) != ["logmel"] or features.get("layout") not in ("ragged", "frames"):
        read = ", ".join(features.get("streams", ())) or "no recipe's features"
        raise BundleError(
            f"{bundle.info.name} cannot be explained: it reads {read}; only what a network reads of log-mels, frame "
            "by frame, is drawn over them."
        )
    return system_of(place)


def _strongest(bundle: Bundle, rate: int, blocks: Any, emotion: str | None, name: str) -> tuple[str, float, "Window"]:
    """Return a recording's answer, its duration, and the window that speaks most for the emotion, or for the answer."""
    from emotone.recognition.result import NO_SPEECH
    from emotone.recognition.stream import Settings, Track, answers

    labels = bundle.info.labels
    track = Track(bundle.info, rate, Settings.of(bundle.info), live=False)
    best: dict[str, tuple[float, Window]] = {}

    def take(windows: list["Window"]) -> None:
        for window, answer in zip(windows, answers(bundle, windows), strict=True):
            track.add(window, answer.probabilities)
            for label, probability in zip(labels, answer.probabilities.tolist(), strict=True):
                if label not in best or probability > best[label][0]:
                    best[label] = (probability, window)

    for block in blocks:
        take(track.push(block))
    take(track.close())
    result = track.result()
    if result.emotion == NO_SPEECH:
        raise AudioError(f"{name}: no speech in it, so there is nothing to explain")
    return result.emotion, result.duration, best[emotion or result.emotion][1]


def _explained(serving: "Serving", bundle: Bundle, window: "Window", emotion: str, **known: Any) -> Explanation:
    import torch
    from captum.attr import IntegratedGradients

    info = bundle.info
    target = info.labels.index(emotion)
    with torch.no_grad():
        waveform = torch.from_numpy(window.samples)[None]
        features, frames, begin = serving.hear(waveform, torch.tensor([waveform.shape[1]]))
        features = features[..., : int(frames)]
        # Not quite the mean: where it is 0 the network could take the sound for padding.
        flat = torch.full_like(features, float(features.mean()) + 1e-6)
        inputs, baseline = serving.read(features, frames), serving.read(flat, frames)
        logits, _, attention = serving.judge(inputs, frames)
        baseline_logit = float(serving.judge(baseline, frames)[0][0, target])
        scores = torch.softmax(logits[0] / serving.temperature, dim=0)
    gradients = IntegratedGradients(lambda batch, own: serving.judge(batch, own)[0])
    found = gradients.attribute(
        inputs,
        baseline,
        target=target,
        additional_forward_args=(frames,),
        n_steps=_STEPS,
        internal_batch_size=_BATCH,
    )
    read = min(int(frames), inputs.shape[2])  # a network of one length leaves out what is beyond it
    attributions = found[0, :, :read].numpy().astype(np.float32)

    def ask(batch: "Tensor") -> Array:
        with torch.no_grad():
            asked = serving.judge(batch, frames.expand(len(batch)))[0]
            probabilities: Array = torch.softmax(asked / serving.temperature, dim=1)[:, target].numpy()
        return probabilities

    hop, start = serving.frontend.config.hop, (window.start + int(begin)) / info.rate
    seconds = hop / info.rate
    return Explanation(
        model=info.name,
        emotion=emotion,
        scores=dict(zip(info.labels, scores.tolist(), strict=True)),
        start=window.start / info.rate,
        samples=window.samples,
        rate=info.rate,
        times=start + np.arange(read) * seconds,
        frequencies=_frequencies(serving),
        logmel=features[0, :, :read].numpy(),
        attributions=attributions,
        logit=float(logits[0, target]),
        baseline_logit=baseline_logit,
        attention=None if attention is None else attention[0].numpy(),
        attention_times=None if attention is None else start + _steps(serving, attention.shape[1], read) * seconds,
        deletion=deletion(ask, inputs[0], baseline[0], attributions),
        **known,
    )


def deletion(
    ask: Callable[["Tensor"], Array],
    inputs: "Tensor",
    baseline: "Tensor",
    attributions: Array,
    *,
    seed: int = 0,
) -> tuple[Deletion, ...]:
    """Replace regions by the baseline: those with the largest attributions, and, drawn often, as many random ones.

    Args:
        ask: from a batch like `inputs`, (batch, bands, frames), to probabilities (batch,).
        inputs: (bands, frames).
        baseline: the same.
        attributions: (bands, frames), or fewer frames, where the last ones are padding.
        seed: of the random regions.

    Returns:
        One for each of `SHARES`.
    """
    import torch

    bands, frames = attributions.shape
    rows, columns = -(-bands // REGION), -(-frames // REGION)
    padded = np.pad(attributions, ((0, rows * REGION - bands), (0, columns * REGION - frames)))
    worth = padded.reshape(rows, REGION, columns, REGION).sum((1, 3)).ravel()
    random = np.random.default_rng(seed)
    found = []
    for share in SHARES:
        count = max(1, round(share * len(worth)))
        chosen = [np.argsort(-worth)[:count], *(random.permutation(len(worth))[:count] for _ in range(_DRAWS))]
        regions = np.zeros((len(chosen), len(worth)), bool)
        for row, each in zip(regions, chosen, strict=True):
            row[each] = True
        cells = regions.reshape(-1, rows, columns).repeat(REGION, 1).repeat(REGION, 2)[:, :bands, :frames]
        deleted = np.zeros((len(chosen), *inputs.shape), bool)
        deleted[:, :, :frames] = cells
        probabilities = ask(torch.where(torch.from_numpy(deleted), baseline, inputs))
        found.append(Deletion(share, float(probabilities[0]), float(probabilities[1:].mean())))
    return tuple(found)


def _frequencies(serving: "Serving") -> npt.NDArray[np.float64]:
    """Return the middle of each mel band in Hz."""
    from emotone.features.functional import hertz_to_mel, mel_to_hertz

    config, rate = serving.frontend.config, serving.frontend.rate
    low, high = (hertz_to_mel(hertz, htk=config.htk) for hertz in (config.fmin, config.fmax or rate / 2))
    return np.asarray(mel_to_hertz(np.linspace(low, high, config.mels + 2), htk=config.htk)[1:-1], np.float64)


def _steps(serving: "Serving", steps: int, frames: int) -> npt.NDArray[np.float64]:
    """Return the middle of each step of the attention, in frames."""
    config = serving.network.config
    if config.kind == "own":  # convolutions of stride 2, each step on the first of two
        return np.arange(steps) * 2.0 ** (1 + len(config.channels))
    if config.chunk_frames and config.chunk_hop:
        return np.arange(steps) * float(config.chunk_hop) + min(config.chunk_frames, frames) / 2
    return (np.arange(steps) + 0.5) * frames / steps
