"""A pretrained encoder fine-tuned, or a linear head on a frozen one, trained as any network is."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from emotone.models.config import PretrainedConfig
from emotone.models.pretrained import Encoder
from emotone.recipes.schema import TrainingConfig
from emotone.training.batches import Source
from emotone.training.classifier import Classifier, Samples, at_hand

__all__ = ["EncoderClassifier"]


class EncoderClassifier(Classifier):
    """Fit an encoder with its head on waveforms, or the head alone on a frozen encoder's mean frames.

    Samples are lists of waveforms, each (1, samples), or arrays (samples, hidden) where the encoder is frozen. What is
    evaluated goes through an encoder one by one, as `transformers.pipeline` has it: no pads, whatever the batch.

    Args:
        model: what of it is trained, and how fast.
        training: how it is trained.
        classes: how many.
        folder: of the encoder.
        rate: sampling rate of the waveforms in Hz.
        options: those of `Classifier`.

    Attributes:
        encoder_: the encoder with the fitted head. parameters_: how many it has, and how many were trained.
    """

    skips = True  # layers, at random, in some architectures

    def __init__(
        self,
        model: PretrainedConfig,
        training: TrainingConfig,
        classes: int,
        *,
        folder: Path,
        rate: int,
        **options: Any,
    ) -> None:
        options |= {"warmup": model.warmup, "accumulate": model.accumulate, "evaluation_batch": 1}
        super().__init__(training, classes, **options)
        self.model, self.folder, self.rate = model, folder, rate

    def load(self, *, with_head: bool) -> nn.Module:
        """Read the encoder, and return what of it is the network: its head alone where the rest is frozen."""
        self.encoder_ = Encoder.load(
            self.folder, classes=len(self.classes_), with_head=with_head, own_length=self.model.own_length
        )
        self.encoder_.check_rate(self.rate, self.folder)
        self.encoder_.freeze(self.model.frozen)
        sizes = [(own.numel(), own.requires_grad) for own in self.encoder_.parameters()]
        self.parameters_ = sum(size for size, _ in sizes), sum(size for size, trained in sizes if trained)
        return self.encoder_.head if self.model.frozen == "encoder" else self.encoder_

    def build(self, X: Samples) -> nn.Module:
        """Return the encoder with a new head, or the head alone where the rest is frozen."""
        return self.load(with_head=False).train()  # transformers gives its models ready for inference

    def _optimiser(self, network: nn.Module) -> torch.optim.Optimizer:
        groups = self.encoder_.rates(
            head=self.training.learning_rate, top=self.model.encoder_rate or 0.0, decay=self.model.layer_decay
        )
        return torch.optim.Adam(groups, fused=True)

    def _source(self, X: Samples, device: torch.device) -> Source:
        if isinstance(X, np.ndarray):
            return at_hand(X, device).__getitem__

        def inputs(batch: Tensor) -> dict[str, Tensor]:
            return self.encoder_.inputs([X[index] for index in batch])

        return inputs
