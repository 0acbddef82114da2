"""Networks trained by Lightning behind the interface of a scikit-learn classifier."""

import logging
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from copy import copy
from functools import partial
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Self

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.fabric.utilities import move_data_to_device
from lightning.pytorch.plugins.environments import LightningEnvironment
from lightning.pytorch.strategies import DDPStrategy
from numpy.typing import NDArray
from torch import Tensor, nn

from emotone.evaluation.record import Epoch
from emotone.models.config import NetworkConfig
from emotone.models.network import Network
from emotone.recipes.schema import TrainingConfig
from emotone.training.batches import Source, batches_of
from emotone.training.devices import Tell, on_devices
from emotone.training.module import OnEpoch, SaveSometimes, Training, epoch_seed
from emotone.training.together import Together

__all__ = ["Classifier", "NetworkClassifier", "Samples", "at_hand"]

Array = NDArray[np.float32]
Samples = Any
"""An array (samples, ...), or a list of clips that have no shape in common."""


class Classifier(ABC):
    """Fit a network, keep its best epoch, predict probabilities. Which network, its subclasses know.

    Args:
        training: how it is trained.
        classes: how many.
        epochs: at most this many; None as the recipe says.
        seed: of initial weights, batches and dropout.
        device: "auto", "cpu" or "cuda".
        devices: how many train together, each with its part of every batch; the result is one device's, to the last
            digits and what is drawn at random within a batch.
        precision: "32" or "bf16" (mixed).
        checkpoint: where to keep the state of training; if it exists, training goes on from it to the same result.
        checkpoint_seconds: at most this much work is lost in a kill.
        on_epoch: called after every epoch with its record and the number of epochs at most.
        warmup: the share of all steps in which the learning rates rise from 0.
        accumulate: batches whose gradients make one step.
        evaluation_batch: samples at a time where nothing is learnt.
        begin: gives a network other weights than its initial ones, before it is trained.
        meant: (labels, classes), true for the classes that a label may mean; then `y` are indices of labels.
        weights: of the training samples, (samples,), 1 on average: how often they are drawn, `drawn` in an epoch. None
            takes each once an epoch.
        drawn: see `weights`.
        corpora: of the training samples, (samples,), where they are of several.

    Attributes:
        classes_: the class indices. network_: the fitted network. history_: one record an epoch.
        best_epoch_: the epoch whose weights were kept, from 1.
    """

    skips = False
    """Whether the network leaves some of its weights out of some batches."""

    def __init__(
        self,
        training: TrainingConfig,
        classes: int,
        *,
        epochs: int | None = None,
        seed: int = 0,
        device: str = "auto",
        devices: int = 1,
        precision: str = "32",
        checkpoint: Path | None = None,
        checkpoint_seconds: float = 60.0,
        on_epoch: OnEpoch | None = None,
        warmup: float = 0.0,
        accumulate: int = 1,
        evaluation_batch: int = 256,
        begin: Callable[[nn.Module], None] | None = None,
        meant: NDArray[np.bool_] | None = None,
        weights: Array | None = None,
        drawn: int = 0,
        corpora: Sequence[str] | None = None,
    ) -> None:
        self.training, self.classes_ = training, np.arange(classes)
        self.epochs, self.seed, self.device, self.precision = epochs or training.epochs, seed, device, precision
        self.checkpoint, self.checkpoint_seconds, self.on_epoch = checkpoint, checkpoint_seconds, on_epoch
        self.warmup, self.accumulate, self.evaluation_batch = warmup, accumulate, evaluation_batch
        self.devices, self.begin = devices, begin
        self.meant = None if meant is None else torch.from_numpy(meant)
        self.weights = None if weights is None else torch.from_numpy(weights)
        self.drawn, self.corpora = drawn, corpora

    def fit(
        self,
        X: Samples,
        y: NDArray[np.intp],
        X_monitor: Samples | None = None,
        y_monitor: NDArray[np.intp] | None = None,
    ) -> Self:
        """Train on `X`, class indices `y`; choose the epoch on the monitored set, if any."""
        torch.manual_seed(self.seed)
        network = self._begun(X, y)
        data = self._resumable(), X, y, X_monitor, y_monitor
        if self.devices > 1:
            train = partial(self._unfitted()._join, network.state_dict(), *data)
            result = on_devices(self.devices, train, self.on_epoch, on_gpu=self._on_gpu)
        else:
            result = self._train(network, *data, self.on_epoch)
        network.load_state_dict(result["best"])
        device = torch.device("cuda", 0) if self._on_gpu else torch.device("cpu")
        self.network_ = network.to(device).eval()  # Lightning leaves it on the CPU
        self.history_ = tuple(Epoch(**epoch) for epoch in result["history"])
        self.best_epoch_ = result["best_epoch"]
        self.device_ = str(device)
        self._finish(X, torch.from_numpy(y))
        return self

    def _join(self, begun: dict[str, Tensor], resumed: Path | None, X: Samples, *rest: Any) -> dict[str, Any]:
        """Train with others, in a process that knows of the network what it begins with."""
        network = self.build(X)
        network.load_state_dict(begun)
        return self._train(network, resumed, X, *rest)

    def _train(
        self,
        network: nn.Module,
        resumed: Path | None,
        X: Samples,
        y: NDArray[np.intp],
        X_monitor: Samples | None,
        y_monitor: NDArray[np.intp] | None,
        tell: Tell | None,
    ) -> dict[str, Any]:
        """Train where this process's device is, alone or as one of several; return the result."""
        module, trainer = self._module(network), self._trainer()
        device, place = trainer.strategy.root_device, {"rank": trainer.global_rank, "devices": self.devices}
        module.on_epoch = tell
        train = batches_of(
            self._source(X, device),
            y,
            self.training.batch,
            lambda: epoch_seed(self.seed, len(module.history)),
            weights=self.weights,
            drawn=self.drawn,
            **place,
        )
        monitor = None
        if X_monitor is not None and y_monitor is not None and len(y_monitor):
            monitored = self._source(X_monitor, device)
            monitor = batches_of(monitored, y_monitor, self.evaluation_batch * self.devices, **place)
        trainer.fit(module, train, monitor, ckpt_path=resumed, weights_only=True)
        return module.result

    def _unfitted(self) -> Self:
        """Return a copy that other processes can train: without what is made here before and after that."""
        other = copy(self)
        other.begin = other.on_epoch = None
        for name in [name for name in vars(self) if name.endswith("_") and name != "classes_"]:
            delattr(other, name)
        return other

    def _begun(self, X: Samples, y: NDArray[np.intp]) -> nn.Module:
        """Return the network as its training begins."""
        network = self.build(X)
        if self.begin:
            self.begin(network)
        else:
            self._prepare(network, X, torch.from_numpy(y))
        return network

    def predict_proba(self, X: Samples) -> Array:
        """Return probabilities (samples, classes) for `X`."""
        probabilities: Array = torch.softmax(self._over(X, self.network_), dim=1).numpy()
        return probabilities

    def _over(self, X: Samples, read: Callable[[Any], Tensor]) -> Tensor:
        """Return what `read` makes of `X` where the network is, batch by batch, on the CPU."""
        return self._through(self.network_, X, read)

    @torch.inference_mode()
    def _through(self, network: nn.Module, X: Samples, read: Callable[[Any], Tensor]) -> Tensor:
        device = next(network.parameters()).device
        source = self._source(X, device)
        batches = (
            move_data_to_device(source(batch), device) for batch in torch.arange(len(X)).split(self.evaluation_batch)
        )
        return torch.cat([read(batch).float().cpu() for batch in batches])

    def _prepare(self, network: nn.Module, X: Samples, y: Tensor) -> None:  # noqa: B027
        """Give a network what its training begins with beside its initial weights; most have no such thing."""

    def _finish(self, X: Samples, y: Tensor) -> None:  # noqa: B027
        """Fit what the epochs do not train; most subclasses have no such thing."""

    def _module(self, network: nn.Module) -> Training:
        return Training(
            network,
            self.training,
            lambda: self._optimiser(network),
            epochs=self.epochs,
            seed=self.seed,
            warmup=self.warmup,
        )

    @abstractmethod
    def build(self, X: Samples) -> nn.Module:
        """Return the network for such samples, with its initial weights."""

    @abstractmethod
    def _optimiser(self, network: nn.Module) -> torch.optim.Optimizer: ...

    @abstractmethod
    def _source(self, X: Samples, device: torch.device) -> Source:
        """Return how to fetch batches of `X` for a network on `device`; what is elsewhere is moved there."""

    def _resumable(self) -> Path | None:
        """Return the checkpoint where there is a whole one; a broken one is trained over."""
        if self.checkpoint is None:
            return None
        try:
            torch.load(self.checkpoint, map_location="cpu", weights_only=True)
        except (OSError, EOFError, RuntimeError, UnpicklingError):
            return None
        return self.checkpoint

    @property
    def _on_gpu(self) -> bool:
        return self.device == "cuda" or (self.device == "auto" and torch.cuda.is_available())

    def _trainer(self) -> pl.Trainer:
        callbacks = [SaveSometimes(self.checkpoint, self.checkpoint_seconds)] if self.checkpoint else []
        for name in ("lightning.pytorch.utilities.rank_zero", "lightning.pytorch.accelerators.cuda"):
            logging.getLogger(name).setLevel(logging.WARNING)
        warnings.filterwarnings("ignore", module="lightning")  # advice on loaders and loggers that does not apply
        together: dict[str, Any] = {}
        if self.devices > 1:
            strategy = DDPStrategy(find_unused_parameters=self.skips, broadcast_buffers=False)
            together = {"strategy": strategy, "plugins": [LightningEnvironment(), Together(on_gpu=self._on_gpu)]}
        return pl.Trainer(
            accelerator="gpu" if self._on_gpu else "cpu",
            devices=self.devices,
            precision="bf16-mixed" if self.precision == "bf16" else "32-true",
            max_epochs=self.epochs,
            accumulate_grad_batches=self.accumulate,
            callbacks=callbacks,
            logger=False,
            enable_checkpointing=bool(callbacks),
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,  # batches are shared here
            **together,
        )


class NetworkClassifier(Classifier):
    """A `Network` on arrays (samples, *input_shape); `options` are those of `Classifier`."""

    def __init__(self, model: NetworkConfig, training: TrainingConfig, classes: int, **options: Any) -> None:
        super().__init__(training, classes, **options)
        self.model = model

    def build(self, X: Array) -> nn.Module:
        """Return a `Network` for such samples, with its initial weights."""
        return Network(self.model, X.shape[1:], len(self.classes_))

    def _optimiser(self, network: nn.Module) -> torch.optim.Optimizer:
        epsilon = 1e-7 if self.model.framework == "keras" else 1e-8
        return torch.optim.Adam(network.parameters(), lr=self.training.learning_rate, eps=epsilon, fused=True)

    def _source(self, X: Array, device: torch.device) -> Source:
        return at_hand(X, device).__getitem__


def at_hand(X: Array, device: torch.device) -> Tensor:
    """Return the samples, on a GPU if they leave room there for a network and for other runs, else where they are."""
    samples = torch.from_numpy(X)
    if device.type == "cuda" and samples.nbytes < torch.cuda.mem_get_info(device)[0] / 4:
        return samples.to(device)
    return samples
