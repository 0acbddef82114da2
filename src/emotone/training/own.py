"""emotone's own network trained: distorted, mixed, by one cycle of the learning rate, its weights averaged."""

from collections.abc import Callable
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from emotone.bundle.adaptation import Head
from emotone.models.config import OwnConfig
from emotone.models.own import Own
from emotone.recipes.schema import DistortionConfig, RegulariserConfig, TrainingConfig
from emotone.training.batches import Source
from emotone.training.classifier import Classifier, Samples
from emotone.training.distort import distort
from emotone.training.linear import fit_rows
from emotone.training.losses import surprise
from emotone.training.module import Training
from emotone.training.spread import Spread

__all__ = ["OwnClassifier", "RaggedClassifier", "rates_of"]

Distort = Callable[..., tuple[Tensor, Tensor]]

_ELSEWHERE = DistortionConfig(share=0.25, tilt=10, noise=15, low_pass=24)
_HEARD = (DistortionConfig(), _ELSEWHERE, _ELSEWHERE, _ELSEWHERE)
"""What the functionals are fitted on: each clip as it comes, and copies as if recorded elsewhere, for many functionals
tell the room or the line first."""


class RaggedClassifier(Classifier):
    """A network on lists of clips of any length, each (channels, frames), which has `normalise`, `score`, `embed` and a
    last layer `output`; `options` are those of `Classifier`.

    Args:
        training: how it is trained; has a regulariser.
        classes: how many.
        frames_per_second: of the clips.

    Attributes:
        distort: what training clips go through.
    """

    distort: Distort = staticmethod(distort)

    def __init__(self, training: TrainingConfig, classes: int, *, frames_per_second: float, **options: Any) -> None:
        super().__init__(training, classes, **options)
        self.frames_per_second = frames_per_second

    def embed(self, X: Samples) -> NDArray[np.float32]:
        """Return what the output layer reads, (samples, width)."""
        network: Any = self.network_
        return self._over(X, lambda clips: network.embed(network.normalise(*clips), clips[1])[0]).numpy()

    def head(self, X: Samples) -> Head:
        """Return the output layer, and how the embeddings of training samples `X` are distributed."""
        output = cast(nn.Linear, self.network_.output)
        spread = self._spread(torch.from_numpy(self.embed(X)))
        return Head(
            weight=tuple(map(tuple, output.weight.tolist())),
            bias=tuple(output.bias.tolist()),
            mean=tuple(spread.mean.tolist()),
            deviation=tuple(spread.deviation.tolist()),
        )

    def _spread(self, embeddings: Tensor) -> Spread:
        """Return where the training samples' embeddings lie."""
        return Spread.of(embeddings, weights=self.weights)

    def _module(self, network: nn.Module) -> Training:
        return _RaggedTraining(
            network,
            self.training,
            lambda: self._optimiser(network),
            epochs=self.epochs,
            seed=self.seed,
            meant=self.meant,
            distort=partial(self.distort, frames_per_second=self.frames_per_second),
        )

    def _source(self, X: Samples, device: torch.device) -> Source:
        clips = [torch.from_numpy(clip.T).to(device) for clip in X]
        lengths = torch.tensor([len(clip) for clip in clips])

        def inputs(batch: Tensor) -> tuple[Tensor, Tensor]:
            padded = nn.utils.rnn.pad_sequence([clips[index] for index in batch.tolist()], batch_first=True)
            return padded.transpose(1, 2), lengths[batch].to(device)

        return inputs


class OwnClassifier(RaggedClassifier):
    """An `Own` network on lists of log-mels, each (bands, frames); `options` are those of `Classifier`.

    Args:
        model: the network.
        training: how it is trained; has a regulariser.
        classes: how many.
        frames_per_second: of the log-mels.
    """

    def __init__(
        self, model: OwnConfig, training: TrainingConfig, classes: int, *, frames_per_second: float, **options: Any
    ) -> None:
        super().__init__(training, classes, frames_per_second=frames_per_second, evaluation_batch=64, **options)
        self.model = model

    @torch.no_grad()
    def _finish(self, X: Samples, y: Tensor) -> None:
        """Fit what the functionals weigh, unless the training went on from weights that know it."""
        network = cast(Own, self.network_)
        if network.functionals is None or self.begin:
            return
        functionals, output = network.functionals, network.output
        torch.manual_seed(self.seed)
        heard = [self._over(X, partial(self._functionals, distortion)) for distortion in _HEARD]
        functionals.standardise(heard[0])
        read, copies = functionals.standardised(torch.cat(heard)), len(heard)
        nothing = torch.zeros(len(self.classes_), functionals.width), torch.zeros(len(self.classes_))
        with torch.enable_grad():
            weight, bias = fit_rows(
                read,
                y.repeat(copies),
                *nothing,
                range(len(self.classes_)),
                copies=copies,
                meant=self.meant,
                weights=None if self.weights is None else self.weights.repeat(copies),
            )
        output.weight[:, -functionals.width :] = weight
        output.bias.add_(bias)

    def _functionals(self, distortion: DistortionConfig, clips: tuple[Tensor, Tensor]) -> Tensor:
        """Return the functionals, as they are, of clips distorted so."""
        network = cast(Own, self.network_)
        assert network.functionals is not None
        frames, lengths = distort(*clips, distortion, frames_per_second=self.frames_per_second)
        return network.functionals.raw(network.normalise(frames, lengths), lengths)

    def build(self, X: Samples) -> nn.Module:
        """Return an `Own` network for such samples, with its initial weights."""
        return Own(self.model, X[0].shape[0], len(self.classes_))

    def _optimiser(self, network: nn.Module) -> torch.optim.Optimizer:
        """Return AdamW, which leaves biases and normalisation alone."""
        regulariser = self.training.regulariser or RegulariserConfig()
        groups = rates_of(network, self.training.learning_rate, regulariser.weight_decay)
        return torch.optim.AdamW(groups, fused=True)


def rates_of(module: nn.Module, rate: float, weight_decay: float) -> list[dict[str, Any]]:
    """Return an optimiser's groups for a module at one learning rate; biases and normalisation do not decay."""
    matrices = [parameter for parameter in module.parameters() if parameter.ndim > 1]
    vectors = [parameter for parameter in module.parameters() if parameter.ndim <= 1]
    return [
        {"params": matrices, "lr": rate, "weight_decay": weight_decay},
        {"params": vectors, "lr": rate, "weight_decay": 0.0},
    ]


class _RaggedTraining(Training):
    """A `Training` whose kept and monitored weights are the averaged ones.

    Args:
        network: of a `RaggedClassifier`.
        distort: what a batch and the clips' lengths go through, as the regulariser has it.
        rest: as `Training` has it.
    """

    def __init__(
        self,
        network: nn.Module,
        config: TrainingConfig,
        optimiser: Callable[[], torch.optim.Optimizer],
        *,
        distort: Distort,
        **rest: Any,
    ) -> None:
        super().__init__(network, config, optimiser, **rest)
        self.distort = distort
        self.loss = self._surprise
        self.regulariser = config.regulariser or RegulariserConfig()
        decay = self.regulariser.average
        self.averaged = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
        self.averaged.requires_grad_(False)  # several devices would wait for its gradients

    def configure_optimizers(self) -> Any:
        optimiser = super().configure_optimizers()
        steps = int(self.trainer.estimated_stepping_batches)
        cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=self.full_rates, total_steps=steps)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": cycle, "interval": "step"}}

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.averaged.update_parameters(self.network)

    @property
    def kept(self) -> nn.Module:
        averaged: nn.Module = self.averaged.module
        return averaged

    def learn(self, batch: tuple[Any, Tensor]) -> tuple[Tensor, Tensor]:
        (frames, lengths), target = batch
        network: Any = self.network
        regulariser = self.regulariser
        frames, lengths = self.distort(frames, lengths, regulariser.distortion)
        inputs = network.normalise(frames, lengths)
        if not regulariser.mixup:
            logits = network.score(inputs, lengths)
            return logits, self._surprise(logits, target, label_smoothing=regulariser.label_smoothing)
        share = torch.distributions.Beta(regulariser.mixup, regulariser.mixup).sample((len(target),)).to(frames.device)
        share = torch.maximum(share, 1 - share)  # the clip itself stays the larger part
        other = torch.randperm(len(target), device=frames.device)
        inputs = share[:, None, None] * inputs + (1 - share[:, None, None]) * inputs[other]
        logits = network.score(inputs, torch.maximum(lengths, lengths[other]))
        losses = [
            self._surprise(logits, wanted, label_smoothing=regulariser.label_smoothing, reduction="none")
            for wanted in (target, target[other])
        ]
        return logits, (share * losses[0] + (1 - share) * losses[1]).mean()

    def _surprise(self, logits: Tensor, target: Tensor, **options: Any) -> Tensor:
        return surprise(logits, target, self.meant, **options)
