"""The first layers of a pretrained encoder under a linear output: frozen, or trained on as emotone's own network is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from emotone.features.embed import embed
from emotone.models.config import LayersConfig, Wav2Vec2Config, WhisperConfig
from emotone.models.encoder_layers import EncoderLayers
from emotone.recipes.schema import RegulariserConfig, TrainingConfig
from emotone.training.classifier import Samples
from emotone.training.distort import distort_waveforms
from emotone.training.linear import fit_rows
from emotone.training.own import RaggedClassifier, rates_of
from emotone.training.spread import Spread

__all__ = ["LayersClassifier"]

Array = NDArray[np.float32]


class LayersClassifier(RaggedClassifier):
    """`EncoderLayers` on lists of log-mels, each (bands, frames), or of waveforms, each (1, samples); `options` are
    those of `Classifier`.

    The output is a logistic regression on the statistics of the training clips. Where layers are trained, it is what
    their training begins with, and when they are, another one on what they have become is added to it. Of several
    corpora, each is standardised by itself for that: what parts two studios says nothing about the next one.

    Args:
        model: the network.
        training: how it is trained; has a regulariser.
        classes: how many.
        folder: of the encoder; None for a network that is given its weights otherwise.
        blend_with: another of the same, fitted, with whose trained layers and output these are averaged.
        frames_per_second: of the log-mels, or samples of the waveforms.
    """

    def __init__(
        self,
        model: LayersConfig,
        training: TrainingConfig,
        classes: int,
        *,
        folder: Path | None,
        frames_per_second: float,
        blend_with: "LayersClassifier | None" = None,
        **options: Any,
    ) -> None:
        reads_waveforms = isinstance(model, Wav2Vec2Config)
        together = 1 if reads_waveforms else 16  # the convolutions' frames of a clip take many MB
        super().__init__(training, classes, frames_per_second=frames_per_second, evaluation_batch=together, **options)
        if reads_waveforms:
            self.distort = distort_waveforms
        self.model, self.folder, self.blend_with = model, folder, blend_with
        # Statistics of training clips and of those last asked for, which are held so that they stay what they are.
        self._known: tuple[Samples, Tensor] = [], torch.zeros(0)
        self._heard: tuple[Samples, Tensor] = [], torch.zeros(0)

    def fit(
        self,
        X: Samples,
        y: NDArray[np.intp],
        X_monitor: Samples | None = None,
        y_monitor: NDArray[np.intp] | None = None,
    ) -> Self:
        """Fit the output, and before that the layers, if they are to learn."""
        if self.model.encoder_rate is not None:
            return super().fit(X, y, X_monitor, y_monitor)
        self.network_ = network = cast(EncoderLayers, self._begun(X, y).eval())
        if self.begin:  # another's output, to which is added what it lacks for these clips
            self._add_regression(network, self._statistics(network, X), torch.from_numpy(y), beside=True)
        self.history_, self.best_epoch_, self.device_ = (), 1, "cpu"
        return self

    def build(self, X: Samples) -> nn.Module:
        """Return the network for such samples with the encoder's weights."""
        network = self._network(X[0].shape[0])
        if self.folder is not None:
            network.load_encoder(self.folder)
        network.requires_grad_(False)
        for part in (*network.trained, network.output):
            part.requires_grad_(True)
        return network

    def _network(self, channels: int) -> EncoderLayers:
        if isinstance(self.model, Wav2Vec2Config):
            from emotone.models.wav2vec2 import Wav2Vec2Layers

            return Wav2Vec2Layers(self.model, len(self.classes_))
        from emotone.models.whisper import WhisperLayers

        assert isinstance(self.model, WhisperConfig)
        return WhisperLayers(self.model, channels, len(self.classes_))

    def predict_proba(self, X: Samples) -> Array:
        """Return probabilities (samples, classes) for `X`; of many samples, what was read before is not read again."""
        if len(X) == 1:
            return super().predict_proba(X)
        network = cast(EncoderLayers, self.network_)
        with torch.inference_mode():
            read = torch.from_numpy(self.embed(X)).to(network.output.weight.device)
            probabilities: Array = torch.softmax(network.output(read), dim=1).cpu().numpy()
        return probabilities

    def embed(self, X: Samples) -> Array:
        """Return what the output layer reads, (samples, width)."""
        network = cast(EncoderLayers, self.network_)
        read = self._trained_statistics if self.model.encoder_rate is not None else self._untrained_statistics
        return ((read(network, X) - network.mean.cpu()) / network.deviation.cpu()).numpy()

    def _unfitted(self) -> Self:
        other = super()._unfitted()
        other.blend_with = None
        return other

    def _prepare(self, network: nn.Module, X: Samples, y: Tensor) -> None:
        """Standardise the statistics of training clips, and make the output a logistic regression on them."""
        network = cast(EncoderLayers, network)
        statistics = self._untrained_statistics(network, X)
        spread = self._spread(statistics)
        network.standardise(spread.mean, spread.deviation)
        for parameter in network.output.parameters():
            nn.init.zeros_(parameter)
        self._add_regression(network, statistics, y)

    @torch.no_grad()
    def _finish(self, X: Samples, y: Tensor) -> None:
        if self.begin:  # weights that know it, and perhaps few clips
            return
        network = cast(EncoderLayers, self.network_)
        self.trained_ = {name: value.clone() for name, value in network.state_dict().items()}
        if self.blend_with is not None:
            other = self.blend_with.trained_
            network.load_state_dict({name: (own + other[name]) / 2 for name, own in self.trained_.items()})
        self._known, self._heard = (X, self._statistics(network, X)), ([], torch.zeros(0))
        self._add_regression(network, self._known[1], y)

    def _add_regression(self, network: EncoderLayers, statistics: Tensor, y: Tensor, *, beside: bool = False) -> None:
        """Add a logistic regression on the statistics of training clips to the output; one of its own, or, `beside`
        what the output makes of the clips, of the rest.
        """
        classes, output = range(len(self.classes_)), network.output
        fixed = output.weight.detach().cpu(), output.bias.detach().cpu()
        if not beside:
            fixed = torch.zeros_like(fixed[0]), torch.zeros_like(fixed[1])
        read = (statistics - network.mean.cpu()) / network.deviation.cpu()
        spread = None if self.corpora is None else self._spread(read)
        with torch.enable_grad():
            learnt = read if spread is None else spread.standardised(read)
            weight, bias = fit_rows(
                learnt, y, *fixed, classes, meant=self.meant, weights=self.weights, scale=network.prior_scale()
            )
        if spread is not None:  # a recording that is heard later is of no known corpus
            weight = weight / spread.deviation
            bias = bias - weight @ spread.mean
        with torch.no_grad():
            output.weight.add_(weight.to(output.weight.device))
            output.bias.add_(bias.to(output.bias.device))

    def _spread(self, embeddings: Tensor) -> Spread:
        return Spread.of(embeddings, self.corpora, self.weights)

    def _statistics(self, network: EncoderLayers, X: Samples) -> Tensor:
        """Return the statistics of samples, (samples, width), on the CPU."""
        was = network.training
        network.eval()
        statistics = self._through(network, X, lambda clips: network.statistics(network.normalise(*clips), clips[1]))
        network.train(was)
        return statistics

    def _trained_statistics(self, network: EncoderLayers, X: Samples) -> Tensor:
        """Return the same; those of training clips, and of clips that were just asked for, are known."""
        clips, known = [*self._known[0], *self._heard[0]], [self._known[1], self._heard[1]]
        rows = {id(clip): row for row, clip in enumerate(clips)}
        if new := [clip for clip in X if id(clip) not in rows]:
            self._heard = new, self._statistics(network, new)
            rows |= {id(clip): len(clips) + row for row, clip in enumerate(new)}
            known.append(self._heard[1])
        return torch.cat(known)[[rows[id(clip)] for clip in X]]

    def _untrained_statistics(self, network: EncoderLayers, X: Samples) -> Tensor:
        """Return the same of layers that are the encoder's own, from the cache where they were read before."""
        if self.model.weights is None:
            return self._statistics(network, X)
        found = embed(list(X), _Reader(network))
        return torch.from_numpy(np.concatenate(found, axis=1).T.copy())

    def _optimiser(self, network: nn.Module) -> torch.optim.Optimizer:
        """Return AdamW over the output and the layers, each slower than the one above it."""
        network, model = cast(EncoderLayers, network), self.model
        decay = (self.training.regulariser or RegulariserConfig()).weight_decay
        top = model.encoder_rate or 0.0
        parts: list[tuple[nn.Module, float]] = [(network.output, self.training.learning_rate)]
        parts += [(layer, top * model.layer_decay**above) for above, layer in enumerate(reversed(network.trained))]
        groups = [group for part, rate in parts for group in rates_of(part, rate, decay)]
        return torch.optim.AdamW(groups, fused=True)


class _Reader:
    """A frozen network that reads statistics, as `features.embed` asks for them."""

    def __init__(self, network: EncoderLayers) -> None:
        self.network, model = network, network.config
        self.identity = f"{model.weights} statistics of {model.read} {network.hears}".encode()

    def load(self) -> Callable[[Array], Array]:
        @torch.inference_mode()
        def take(clip: Array) -> Array:
            frames, length = torch.from_numpy(clip)[None], torch.tensor([clip.shape[1]])
            return self.network.statistics(self.network.normalise(frames, length), length).T.numpy()

        return take
