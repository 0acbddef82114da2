"""One training by Lightning: what happens in its steps and epochs, and what of it survives a kill."""
# ruff: noqa: D102, the hooks are Lightning's and mean what it says of them

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import Checkpoint
from torch import Tensor, nn

from emotone.errors import EmotoneError
from emotone.evaluation.record import Epoch
from emotone.recipes.schema import TrainingConfig
from emotone.training.losses import make_loss

__all__ = ["OnEpoch", "SaveSometimes", "Training", "epoch_seed"]

OnEpoch = Callable[[Epoch, int], None]


class Training(pl.LightningModule):
    """One training: losses, history, plateau schedule, early stopping, best weights; all of it survives a kill.

    Lightning's own callbacks for these do not resume to the same result: its plateau schedule steps after the
    checkpoint is written, and its early stopping forgets that it has stopped.

    Args:
        network: from a batch's inputs, whatever they are, to scores (batch, classes).
        config: losses, schedules, what is best.
        optimiser: makes the network's optimiser.
        epochs: at most this many.
        seed: of batches and dropout.
        warmup: the share of all steps in which the learning rates rise from 0.
        meant: (labels, classes), true for the classes that a label may mean; then targets are indices of labels.
    """

    meant: Tensor | None
    on_epoch: OnEpoch | None = None
    """Called after every epoch."""

    def __init__(
        self,
        network: nn.Module,
        config: TrainingConfig,
        optimiser: Callable[[], torch.optim.Optimizer],
        *,
        epochs: int,
        seed: int,
        warmup: float = 0.0,
        meant: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.register_buffer("meant", meant, persistent=False)
        self.network, self.config, self.epochs, self.seed = network, config, epochs, seed
        self.optimiser, self.warmup = optimiser, warmup
        self.loss = make_loss(config)
        self.history: list[Epoch] = []
        self.best: dict[str, Tensor] = {}
        self.best_epoch = 0
        self.sums: dict[str, Tensor] = {}

    def configure_optimizers(self) -> torch.optim.Optimizer:
        optimiser = self.optimiser()
        self.full_rates = [group["lr"] for group in optimiser.param_groups]
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

    def training_step(self, batch: tuple[Any, Tensor, float], index: int) -> Tensor:
        if index == 0:  # Lightning skips its epoch-start hooks in the first epoch after a resume
            # Dropout is the same whether resumed or not, and another on every device
            seed = epoch_seed(self.seed, len(self.history), self.global_rank)
            torch.manual_seed(seed)
            np.random.seed(seed % 2**32)  # noqa: NPY002, it is where transformers draws its masks from
            self.sums = {}
        inputs, target, share = batch
        logits, loss = self.learn((inputs, target))
        self._note("train", logits, loss, target, share)
        return loss * share

    def validation_step(self, batch: tuple[Any, Tensor, float], index: int) -> None:
        inputs, target, share = batch
        logits = self.kept(inputs)
        self._note("monitor", logits, self.loss(logits.float(), target), target, share)

    def learn(self, batch: tuple[Any, Tensor]) -> tuple[Tensor, Tensor]:
        """Return the logits of a batch and the loss that is to fall."""
        inputs, target = batch
        logits = self.network(inputs)
        return logits, self.loss(logits.float(), target)

    @property
    def kept(self) -> nn.Module:
        """The network whose weights are monitored and kept."""
        return self.network

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        steps, step = round(self.warmup * self.trainer.estimated_stepping_batches), self.trainer.global_step + 1
        if step <= steps:
            for group, rate in zip(optimizer.param_groups, self.full_rates, strict=True):
                group["lr"] = rate * step / steps

    def on_train_start(self) -> None:
        if self.config.keep_statistics:
            for module in self.network.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()  # Lightning leaves it so
        self.trainer.should_stop = self._has_stopped()

    def on_train_epoch_end(self) -> None:
        learning_rate = self.trainer.optimizers[0].param_groups[0]["lr"]
        train_loss, train_accuracy = self._means("train")
        if not math.isfinite(train_loss):
            raise EmotoneError(
                f"Training diverged: in epoch {len(self.history) + 1} the loss is {train_loss}. "
                f"training.learning_rate is {self.config.learning_rate}; a lower one may help."
            )
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

    @property
    def result(self) -> dict[str, Any]:
        """What has come of the training so far: each epoch, and which was the best, with its weights."""
        history = [epoch.model_dump() for epoch in self.history]
        return {"history": history, "best": self.best, "best_epoch": self.best_epoch}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["emotone"] = self.result | {"plateau": self.plateau.state_dict() if self.plateau else None}

    def on_load_checkpoint(self, checkpoint: Mapping[str, Any]) -> None:
        state = checkpoint["emotone"]
        self.history = [Epoch(**epoch) for epoch in state["history"]]
        self.best, self.best_epoch = state["best"], state["best_epoch"]
        self.resumed_plateau = state["plateau"]

    def on_fit_start(self) -> None:
        if self.plateau and getattr(self, "resumed_plateau", None):
            self.plateau.load_state_dict(self.resumed_plateau)

    def _remember(self) -> None:
        """Copy the weights into the same memory every time: new copies would leave holes that fill it."""
        for name, value in self.kept.state_dict().items():
            if name in self.best:
                self.best[name].copy_(value)
            else:
                self.best[name] = value.detach().cpu().clone()

    def _note(self, name: str, logits: Tensor, loss: Tensor, target: Tensor, share: float) -> None:
        # Kept where the batch is: a number asked for in every step would let a GPU run idle.
        sums = self.sums.setdefault(name, torch.zeros(3, dtype=torch.float64, device=loss.device))
        if not share:  # a clip that another device has
            return
        sums[0] += loss.detach().double() * len(target)
        named = logits.argmax(1)
        sums[1] += (named == target if self.meant is None else self.meant[target, named]).sum()
        sums[2] += len(target)

    def _means(self, name: str) -> tuple[float, float]:
        loss, right, count = self.trainer.strategy.reduce(self.sums[name], reduce_op="sum").tolist()
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


class SaveSometimes(Checkpoint):
    """Save the state of training after an epoch, not more often than every so many seconds; whole or not at all."""

    def __init__(self, path: Path, seconds: float) -> None:
        self.path, self.seconds, self.saved = path, seconds, monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not trainer.strategy.broadcast(monotonic() - self.saved >= self.seconds):  # all devices do as the first
            return
        beside = self.path.with_suffix(".writing")
        beside.parent.mkdir(parents=True, exist_ok=True)
        trainer.save_checkpoint(beside, weights_only=False)
        if trainer.is_global_zero:  # which wrote it
            beside.replace(self.path)
        self.saved = monotonic()


def epoch_seed(seed: int, epoch: int, rank: int = 0) -> int:
    """Return the seed of one epoch, so that a resumed epoch sees the same batches and, on each device, dropout."""
    return seed * 1_000_003 + epoch + rank * 998_244_353
