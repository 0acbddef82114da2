"""Networks trained by Lightning behind the interface of a scikit-learn classifier."""

import logging
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Self

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.fabric.utilities import move_data_to_device
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Sampler

from emotone.models.config import NetworkConfig
from emotone.models.network import Network
from emotone.recipes.schema import TrainingConfig
from emotone.training.module import OnEpoch, SaveSometimes, Training, epoch_seed

__all__ = ["Classifier", "NetworkClassifier", "Samples", "Source", "at_hand"]

Array = NDArray[np.float32]
Samples = Any
"""An array (samples, ...), or a list of clips that have no shape in common."""
Source = Callable[[Tensor], Any]
"""From indices of samples to what the network takes."""


class Classifier(ABC):
    """Fit a network, keep its best epoch, predict probabilities. Which network, its subclasses know.

    Args:
        training: how it is trained.
        classes: how many.
        epochs: at most this many; None as the recipe says.
        seed: of initial weights, batches and dropout.
        device: "auto", "cpu" or "cuda".
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

    Attributes:
        classes_: the class indices. network_: the fitted network. history_: one record an epoch.
        best_epoch_: the epoch whose weights were kept, from 1.
    """

    def __init__(
        self,
        training: TrainingConfig,
        classes: int,
        *,
        epochs: int | None = None,
        seed: int = 0,
        device: str = "auto",
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
    ) -> None:
        self.training, self.classes_ = training, np.arange(classes)
        self.epochs, self.seed, self.device, self.precision = epochs or training.epochs, seed, device, precision
        self.checkpoint, self.checkpoint_seconds, self.on_epoch = checkpoint, checkpoint_seconds, on_epoch
        self.warmup, self.accumulate, self.evaluation_batch = warmup, accumulate, evaluation_batch
        self.begin = begin
        self.meant = None if meant is None else torch.from_numpy(meant)
        self.weights = None if weights is None else torch.from_numpy(weights)
        self.drawn = drawn

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
        module = self._module(network)
        trainer = self._trainer()
        device = trainer.strategy.root_device
        shuffled = _Order(
            len(y),
            self.training.batch,
            lambda: epoch_seed(self.seed, len(module.history)),
            weights=self.weights,
            drawn=self.drawn,
        )
        train = DataLoader(_Batches(self._source(X, device), y), sampler=shuffled, batch_size=None)
        monitor = None
        if X_monitor is not None and y_monitor is not None and len(y_monitor):
            in_order = _Order(len(y_monitor), self.evaluation_batch)
            monitored = _Batches(self._source(X_monitor, device), y_monitor)
            monitor = DataLoader(monitored, sampler=in_order, batch_size=None)
        trainer.fit(module, train, monitor, ckpt_path=self._resumable(), weights_only=True)
        module.keep_best()
        self.network_ = network.to(device).eval()  # Lightning leaves it on the CPU
        self.history_ = tuple(module.history)
        self.best_epoch_ = module.best_epoch
        self.device_ = str(device)
        self._finish(X, torch.from_numpy(y))
        return self

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
        batches = (move_data_to_device(source(batch), device) for batch in _Order(len(X), self.evaluation_batch))
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
            on_epoch=self.on_epoch,
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

    def _trainer(self) -> pl.Trainer:
        on_gpu = self.device == "cuda" or (self.device == "auto" and torch.cuda.is_available())
        callbacks = [SaveSometimes(self.checkpoint, self.checkpoint_seconds)] if self.checkpoint else []
        for name in ("lightning.pytorch.utilities.rank_zero", "lightning.pytorch.accelerators.cuda"):
            logging.getLogger(name).setLevel(logging.WARNING)
        warnings.filterwarnings("ignore", module="lightning")  # advice on loaders and loggers that does not apply
        return pl.Trainer(
            accelerator="gpu" if on_gpu else "cpu",
            devices=1,
            precision="bf16-mixed" if self.precision == "bf16" else "32-true",
            max_epochs=self.epochs,
            accumulate_grad_batches=self.accumulate,
            callbacks=callbacks,
            logger=False,
            enable_checkpointing=bool(callbacks),
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
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


class _Batches(Dataset[tuple[Any, Tensor]]):
    """A data set that is asked for whole batches, which spares the collation of single samples."""

    def __init__(self, source: Source, y: NDArray[np.intp]) -> None:
        self.source, self.y = source, torch.from_numpy(np.asarray(y, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, batch: Tensor) -> tuple[Any, Tensor]:
        return self.source(batch), self.y[batch]


class _Order(Sampler[Tensor]):
    """Batches of indices: in order, or shuffled by what `seed` returns when an epoch begins; or `drawn` by weight."""

    def __init__(
        self,
        samples: int,
        batch: int,
        seed: Callable[[], int] | None = None,
        *,
        weights: Tensor | None = None,
        drawn: int = 0,
    ) -> None:
        self.samples, self.batch, self.seed = samples if weights is None else drawn, batch, seed
        self.weights = weights

    def __len__(self) -> int:
        return -(-self.samples // self.batch)

    def __iter__(self) -> Iterator[Tensor]:
        order = torch.arange(self.samples)
        if self.seed is not None:
            generator = torch.Generator().manual_seed(self.seed())
            if self.weights is None:
                order = torch.randperm(self.samples, generator=generator)
            else:
                order = torch.multinomial(self.weights, self.samples, replacement=True, generator=generator)
        return iter(order.split(self.batch))
