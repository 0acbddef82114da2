"""A network trained by Lightning behind the interface of a scikit-learn classifier."""

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from pickle import UnpicklingError
from time import monotonic
from typing import Any, Self

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import Checkpoint
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from emotone.evaluation.record import Epoch
from emotone.models.config import NetworkConfig
from emotone.models.network import Network
from emotone.recipes.schema import TrainingConfig
from emotone.training.losses import make_loss

__all__ = ["NetworkClassifier"]

Array = NDArray[np.float32]
OnEpoch = Callable[[Epoch, int], None]
_EVALUATION_BATCH = 256


class NetworkClassifier:
    """Fit a network, keep its best epoch, predict probabilities.

    Args:
        model: what network.
        training: how it is trained.
        classes: how many.
        epochs: at most this many; None as the recipe says.
        seed: of initial weights, batches and dropout.
        device: "auto", "cpu" or "cuda".
        precision: "32" or "bf16" (mixed).
        checkpoint: where to keep the state of training; if it exists, training goes on from it to the same result.
        checkpoint_seconds: at most this much work is lost in a kill.
        on_epoch: called after every epoch with its record and the number of epochs at most.

    Attributes:
        classes_: the class indices. network_: the fitted network. history_: one record an epoch.
        best_epoch_: the epoch whose weights were kept, from 1.
    """

    def __init__(
        self,
        model: NetworkConfig,
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
    ) -> None:
        self.model, self.training, self.classes_ = model, training, np.arange(classes)
        self.epochs, self.seed, self.device, self.precision = epochs or training.epochs, seed, device, precision
        self.checkpoint, self.checkpoint_seconds, self.on_epoch = checkpoint, checkpoint_seconds, on_epoch

    def fit(
        self, X: Array, y: NDArray[np.intp], X_monitor: Array | None = None, y_monitor: NDArray[np.intp] | None = None
    ) -> Self:
        """Train on `X` (samples, *input_shape), class indices `y`; choose the epoch on the monitored set, if any."""
        torch.manual_seed(self.seed)
        network = Network(self.model, X.shape[1:], len(self.classes_))
        module = _Module(network, self.training, self.epochs, self.seed, self.on_epoch)
        trainer = self._trainer(module)
        batch = self.training.batch
        shuffled = _Order(len(y), batch, lambda: _seed(self.seed, len(module.history)))
        train = DataLoader(_Batches(X, y), sampler=shuffled, batch_size=None)
        monitor = None
        if X_monitor is not None and y_monitor is not None and len(y_monitor):
            in_order = _Order(len(y_monitor), _EVALUATION_BATCH)
            monitor = DataLoader(_Batches(X_monitor, y_monitor), sampler=in_order, batch_size=None)
        trainer.fit(module, train, monitor, ckpt_path=self._resumable(), weights_only=True)
        module.keep_best()
        device = trainer.strategy.root_device
        self.network_ = network.to(device).eval()  # Lightning leaves it on the CPU
        self.history_ = tuple(module.history)
        self.best_epoch_ = module.best_epoch
        self.device_ = str(device)
        return self

    @torch.inference_mode()
    def predict_proba(self, X: Array) -> Array:
        """Return probabilities (samples, classes) for `X` (samples, *input_shape)."""
        device = next(self.network_.parameters()).device
        batches = [X[start : start + _EVALUATION_BATCH] for start in range(0, len(X), _EVALUATION_BATCH)]
        logits = [self.network_(torch.from_numpy(batch).to(device)).float().cpu() for batch in batches]
        probabilities: Array = torch.softmax(torch.cat(logits), dim=1).numpy()
        return probabilities

    def _resumable(self) -> Path | None:
        """Return the checkpoint where there is a whole one; a broken one is trained over."""
        if self.checkpoint is None:
            return None
        try:
            torch.load(self.checkpoint, map_location="cpu", weights_only=True)
        except (OSError, EOFError, RuntimeError, UnpicklingError):
            return None
        return self.checkpoint

    def _trainer(self, module: "_Module") -> pl.Trainer:
        on_gpu = self.device == "cuda" or (self.device == "auto" and torch.cuda.is_available())
        callbacks = [_SaveSometimes(self.checkpoint, self.checkpoint_seconds)] if self.checkpoint else []
        for name in ("lightning.pytorch.utilities.rank_zero", "lightning.pytorch.accelerators.cuda"):
            logging.getLogger(name).setLevel(logging.WARNING)
        warnings.filterwarnings("ignore", module="lightning")  # advice on loaders and loggers that does not apply
        return pl.Trainer(
            accelerator="gpu" if on_gpu else "cpu",
            devices=1,
            precision="bf16-mixed" if self.precision == "bf16" else "32-true",
            max_epochs=self.epochs,
            callbacks=callbacks,
            logger=False,
            enable_checkpointing=bool(callbacks),
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
        )


class _Module(pl.LightningModule):
    """One training: losses, history, plateau schedule, early stopping, best weights; all of it survives a kill.

    Lightning's own callbacks for these do not resume to the same result: its plateau schedule steps after the
    checkpoint is written, and its early stopping forgets that it has stopped.
    """

    def __init__(
        self, network: Network, config: TrainingConfig, epochs: int, seed: int, on_epoch: OnEpoch | None
    ) -> None:
        super().__init__()
        self.network, self.config, self.epochs, self.seed, self.on_epoch = network, config, epochs, seed, on_epoch
        self.loss = make_loss(config)
        self.history: list[Epoch] = []
        self.best: dict[str, Tensor] = {}
        self.best_epoch = 0
        self.sums: dict[str, list[float]] = {}

    def configure_optimizers(self) -> torch.optim.Optimizer:
        epsilon = 1e-7 if self.network.config.framework == "keras" else 1e-8
        optimiser = torch.optim.Adam(self.parameters(), lr=self.config.learning_rate, eps=epsilon, fused=True)
        plateau = self.config.plateau
        self.plateau = plateau and torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimiser,
            factor=plateau.factor,
            patience=plateau.patience - 1,  # Keras reduces in the patience-th bad epoch, torch in the one after
            threshold=1e-4,
            threshold_mode="abs",
            min_lr=plateau.floor,
        )
        return optimiser

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        if index == 0:  # Lightning skips its epoch-start hooks in the first epoch after a resume
            torch.manual_seed(_seed(self.seed, len(self.history)))  # dropout is the same whether resumed or not
            self.sums = {}
        return self._score("train", batch)

    def validation_step(self, batch: tuple[Tensor, Tensor], index: int) -> None:
        self._score("monitor", batch)

    def on_train_start(self) -> None:
        self.trainer.should_stop = self._has_stopped()

    def on_train_epoch_end(self) -> None:
        learning_rate = self.trainer.optimizers[0].param_groups[0]["lr"]
        train_loss, train_accuracy = self._means("train")
        monitored = self._means("monitor") if "monitor" in self.sums else (None, None)
        epoch = Epoch(
            epoch=len(self.history) + 1,
            train_loss=train_loss,
            train_accuracy=train_accuracy,
            monitor_loss=monitored[0],
            monitor_accuracy=monitored[1],
            learning_rate=learning_rate,
        )
        self.history.append(epoch)
        if self.plateau and epoch.monitor_loss is not None:
            self.plateau.step(epoch.monitor_loss)
        if _best(self.history, self.config.best_by) == epoch.epoch:
            self.best_epoch = epoch.epoch
            self._remember()
        self.trainer.should_stop = self._has_stopped()
        if self.on_epoch:
            self.on_epoch(epoch, self.epochs)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["emotone"] = {
            "history": [epoch.model_dump() for epoch in self.history],
            "best": self.best,
            "best_epoch": self.best_epoch,
            "plateau": self.plateau.state_dict() if self.plateau else None,
        }

    def on_load_checkpoint(self, checkpoint: Mapping[str, Any]) -> None:
        state = checkpoint["emotone"]
        self.history = [Epoch(**epoch) for epoch in state["history"]]
        self.best, self.best_epoch = state["best"], state["best_epoch"]
        self.resumed_plateau = state["plateau"]

    def on_fit_start(self) -> None:
        if self.plateau and getattr(self, "resumed_plateau", None):
            self.plateau.load_state_dict(self.resumed_plateau)

    def keep_best(self) -> None:
        """Put the best epoch's weights back."""
        self.network.load_state_dict(self.best)

    def _remember(self) -> None:
        """Copy the weights into the same memory every time: new copies would leave holes that fill it."""
        for name, value in self.network.state_dict().items():
            if name in self.best:
                self.best[name].copy_(value)
            else:
                self.best[name] = value.detach().cpu().clone()

    def _score(self, name: str, batch: tuple[Tensor, Tensor]) -> Tensor:
        features, target = batch
        logits = self.network(features)
        loss = self.loss(logits.float(), target)
        sums = self.sums.setdefault(name, [0.0, 0.0, 0.0])
        sums[0] += loss.item() * len(target)
        sums[1] += (logits.argmax(1) == target).sum().item()
        sums[2] += len(target)
        return loss

    def _means(self, name: str) -> tuple[float, float]:
        loss, right, count = self.sums[name]
        return loss / count, right / count

    def _has_stopped(self) -> bool:
        patience, epochs = self.config.patience, len(self.history)
        return bool(patience and epochs and epochs - _best(self.history, "loss") >= patience)


def _best(history: Sequence[Epoch], by: str) -> int:
    """Return the first epoch that is best on the monitored set; the last epoch where none is monitored."""
    if history[-1].monitor_loss is None or history[-1].monitor_accuracy is None:
        return history[-1].epoch
    if by == "accuracy":
        return max(history, key=lambda epoch: (epoch.monitor_accuracy or 0.0, -epoch.epoch)).epoch
    return min(history, key=lambda epoch: (epoch.monitor_loss or 0.0, epoch.epoch)).epoch


class _SaveSometimes(Checkpoint):
    """Save the state of training after an epoch, not more often than every so many seconds; whole or not at all."""

    def __init__(self, path: Path, seconds: float) -> None:
        self.path, self.seconds, self.saved = path, seconds, monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if monotonic() - self.saved < self.seconds:
            return
        beside = self.path.with_suffix(".writing")
        beside.parent.mkdir(parents=True, exist_ok=True)
        trainer.save_checkpoint(beside, weights_only=False)
        beside.replace(self.path)
        self.saved = monotonic()


class _Batches(Dataset[tuple[Tensor, Tensor]]):
    """A data set that is asked for whole batches, which spares the collation of single samples."""

    def __init__(self, X: Array, y: NDArray[np.intp]) -> None:
        self.X, self.y = torch.from_numpy(X), torch.from_numpy(np.asarray(y, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        return self.X[batch], self.y[batch]


class _Order(Sampler[Tensor]):
    """Batches of indices: in order, or shuffled by what `seed` returns when an epoch begins."""

    def __init__(self, samples: int, batch: int, seed: Callable[[], int] | None = None) -> None:
        self.samples, self.batch, self.seed = samples, batch, seed

    def __len__(self) -> int:
        return -(-self.samples // self.batch)

    def __iter__(self) -> Iterator[Tensor]:
        order = torch.arange(self.samples)
        if self.seed is not None:
            order = torch.randperm(self.samples, generator=torch.Generator().manual_seed(self.seed()))
        return iter(order.split(self.batch))


def _seed(seed: int, epoch: int) -> int:
    """Return the seed of one epoch, so that a resumed epoch sees the same batches and dropout."""
    return seed * 1_000_003 + epoch
