"""One stretch explained: integrated gradients of what the network's first layer reads of it."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from emotone.bundle import BundleInfo
from emotone.explanation.deletion import deletion
from emotone.explanation.result import Explanation

if TYPE_CHECKING:
    from torch import Tensor

    from emotone.export.serving import Serving
    from emotone.recognition.windows import Window

__all__ = ["explain_window"]

Array = npt.NDArray[np.float32]

_STEPS = 128  # of the integral
_BATCH = 16


def explain_window(
    serving: "Serving", info: BundleInfo, window: "Window", emotion: str, *, file: str, answer: str, duration: float
) -> Explanation:
    """Explain the logit of an emotion in one window of a recording.

    Args:
        serving: the bundle's network, whose parameters need no gradients.
        info: the bundle's card.
        window: the stretch.
        emotion: one of the card's labels.
        file: what the recording is called.
        answer: the emotion of the whole recording.
        duration: of the recording, in seconds.
    """
    import torch
    from captum.attr import IntegratedGradients

    target = info.labels.index(emotion)
    with torch.no_grad():
        waveform = torch.from_numpy(window.samples)[None]
        features, frames, begin = serving.hear(waveform, torch.tensor([waveform.shape[1]]))
        features = features[..., : int(frames)]
        inputs = serving.read(features, frames)
        read = min(int(frames), inputs.shape[2])  # a network of one length leaves out what is beyond it
        baseline = inputs.clone()
        # Not quite the mean: where it is 0 the network could take the sound for padding.
        baseline[..., :read] = inputs[..., :read].mean(2, keepdim=True) + 1e-6
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
    attributions = found[0, :, :read].numpy().astype(np.float32)

    def ask(batch: "Tensor") -> Array:
        with torch.no_grad():
            asked = serving.judge(batch, frames.expand(len(batch)))[0]
            probabilities: Array = torch.softmax(asked / serving.temperature, dim=1)[:, target].numpy()
        return probabilities

    weights = None if attention is None else attention[0].numpy()
    if weights is not None:
        weights = weights[: int(np.flatnonzero(weights)[-1]) + 1]  # the steps of pads have no weight
    hop, start = serving.frontend.config.hop, (window.start + int(begin)) / info.rate
    seconds = hop / info.rate
    return Explanation(
        file=file,
        model=info.name,
        answer=answer,
        emotion=emotion,
        scores=dict(zip(info.labels, scores.tolist(), strict=True)),
        start=window.start / info.rate,
        duration=duration,
        samples=window.samples,
        rate=info.rate,
        times=start + np.arange(read, dtype=np.float64) * seconds,
        frequencies=_frequencies(serving),
        logmel=features[0, :, :read].numpy(),
        attributions=attributions,
        logit=float(logits[0, target]),
        baseline_logit=baseline_logit,
        attention=weights,
        attention_times=None if weights is None else start + _steps(serving, len(weights), read) * seconds,
        deletion=deletion(ask, inputs[0], baseline[0], attributions),
    )


def _frequencies(serving: "Serving") -> npt.NDArray[np.float64]:
    """Return the middle of each mel band in Hz."""
    from emotone.features.functional import hertz_to_mel, mel_to_hertz

    config, rate = serving.frontend.config, serving.frontend.rate
    low, high = (hertz_to_mel(hertz, htk=config.htk) for hertz in (config.fmin, config.fmax or rate / 2))
    return np.asarray(mel_to_hertz(np.linspace(low, high, config.mels + 2), htk=config.htk)[1:-1], np.float64)


def _steps(serving: "Serving", steps: int, frames: int) -> npt.NDArray[np.float64]:
    """Return the middle of each step of the attention, in frames."""
    config = serving.network.config
    assert config.kind != "whisper" and config.kind != "wav2vec2", "it has no attention over time"
    if config.kind == "own":  # convolutions of stride 2, each step on the first of two
        return np.arange(steps, dtype=np.float64) * 2.0 ** (1 + len(config.channels))
    if config.chunk_frames and config.chunk_hop:
        return np.arange(steps, dtype=np.float64) * float(config.chunk_hop) + min(config.chunk_frames, frames) / 2
    return (np.arange(steps, dtype=np.float64) + 0.5) * frames / steps
