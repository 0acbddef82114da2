"""Small drawings of one clip, stacked: waveform, mel spectrogram, MFCCs. SVGs for the page, one PNG for all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotone.features.config import FeatureConfig
from emotone.report.theme import Gallery, colour, figure, to_svg

__all__ = ["FLOOR", "Panel", "Picture", "draw_picture", "mel", "mfcc", "wave"]

Samples = NDArray[np.float32]
Layer = Callable[[Any], None]

FLOOR = -80
"""The lowest level shown in spectrograms, in dB below the clip's loudest."""

_MEL = FeatureConfig(streams=("logmel",), window=2048, hop=512, mels=128, fmin=0, fmax=8000, reference="max")
_MFCC = FeatureConfig(streams=("mfcc",), window=2048, hop=512, mfcc=40)
_WIDTHS = {2: 4.8, 3: 3.3, 4: 2.5}
"""Of a panel in inches, by how many stand in a row."""
_COLUMNS = 420  # a waveform is drawn as its envelope in this many steps


@dataclass(frozen=True)
class Panel:
    """One clip: a title, and what is drawn below each other on one time axis per layer."""

    title: str
    layers: tuple[tuple[float, Layer], ...]
    """(height in inches, what draws into the axes)."""

    @property
    def height(self) -> float:
        """In inches, with the title and the space below each layer."""
        return 0.3 + sum(height + 0.33 for height, _ in self.layers)


@dataclass(frozen=True)
class Picture:
    """A figure of the page: its panels as SVG, and all of them in one PNG."""

    name: str
    title: str
    caption: str
    svgs: tuple[str, ...] = ()
    png: str | None = None
    columns: int = 4
    decibels: tuple[int, int] | None = field(default=None)


def draw_picture(
    name: str,
    title: str,
    caption: str,
    panels: Sequence[Panel],
    gallery: Gallery,
    *,
    columns: int,
    decibels: bool = False,
) -> Picture:
    """Draw every panel as an SVG for the page, and all of them as recordings-`name`.png."""
    width = _WIDTHS[columns]
    svgs = []
    for panel in panels:
        alone = figure(width, panel.height)
        _draw(alone, panel, width, panel.height)
        svgs.append(to_svg(alone, label=f"{title}: {panel.title}"))
    height = max(panel.height for panel in panels)
    rows = -(-len(panels) // columns)
    together = figure(width * columns, height * rows + 0.35)
    together.text(0.1 / (width * columns), 1 - 0.2 / (height * rows + 0.35), title, weight="bold", fontsize=10)
    area = together.subfigures(2, 1, height_ratios=(0.35, height * rows), hspace=0)[1]
    for part, panel in zip(np.ravel(area.subfigures(rows, columns, wspace=0, hspace=0)), panels, strict=False):
        _draw(part, panel, width, height)
    png = gallery.save(together, f"recordings-{name}")
    return Picture(name, title, caption, tuple(svgs), png, columns, (FLOOR, 0) if decibels else None)


def _draw(place: Any, panel: Panel, width: float, height: float) -> None:
    """Stack the layers of a panel in a figure or a part of one, of this size in inches."""
    left, right = 0.46 / width, 0.1 / width
    place.text(left, 1 - 0.19 / height, panel.title, weight="bold", fontsize=8, va="baseline")
    top = 0.28
    for tall, draw in panel.layers:
        axes = place.add_axes((left, 1 - (top + tall) / height, 1 - left - right, tall / height))
        draw(axes)
        axes.tick_params(pad=2, labelsize=7)
        top += tall + 0.33


def wave(
    samples: Samples, rate: int, *, peak: float, seconds: float, start: float = 0.0, behind: Samples | None = None
) -> Layer:
    """Return what draws a waveform from `start` for `seconds`, to ±`peak`; `behind` stands faintly under it."""

    def draw(axes: Any) -> None:
        for data, tone, strength in ((behind, "soft", 0.45), (samples, "blue", 1.0)):
            if data is None:
                continue
            cut = data[int(start * rate) : int((start + seconds) * rate)]
            if len(cut) > 4 * _COLUMNS:
                steps = np.array_split(cut, _COLUMNS)
                times = start + (np.arange(_COLUMNS) + 0.5) * len(cut) / rate / _COLUMNS
                low, high = [step.min() for step in steps], [step.max() for step in steps]
                axes.fill_between(times, low, high, color=colour(tone), alpha=strength, linewidth=0.4)
            else:
                axes.plot(start + np.arange(len(cut)) / rate, cut, color=colour(tone), alpha=strength, linewidth=1)
        axes.set_xlim(start, start + seconds)
        axes.set_ylim(-peak, peak)
        axes.set_yticks([-peak, 0, peak], [f"{-peak:.2g}".replace("-", "−"), "0", f"{peak:.2g}"])
        _time(axes)

    return draw


def mel(samples: Samples, rate: int, *, seconds: float) -> Layer:
    """Return what draws a mel spectrogram: 2,048-sample windows, 128 bands from 0 to 8 kHz, dB below the loudest."""

    def draw(axes: Any) -> None:
        from emotone.features.functional import hertz_to_mel

        bands = _features(samples, rate, _MEL)
        _image(axes, bands, len(samples) / rate, seconds, "viridis", FLOOR, 0)
        whole = hertz_to_mel(8000)
        marks = (0, 1000, 2000, 4000, 8000)
        axes.set_yticks(
            [_MEL.mels * hertz_to_mel(hertz) / whole for hertz in marks], [f"{hertz // 1000}" for hertz in marks]
        )
        axes.set_ylabel("kHz", labelpad=1, fontsize=7)
        _time(axes)

    return draw


def mfcc(samples: Samples, rate: int, *, seconds: float) -> Layer:
    """Return what draws MFCCs 1 to 39; coefficient 0, the loudness, would outshine them."""

    def draw(axes: Any) -> None:
        coefficients = _features(samples, rate, _MFCC)[1:]
        far = float(np.percentile(np.abs(coefficients), 99))
        _image(axes, coefficients, len(samples) / rate, seconds, "cividis", -far, far)
        axes.set_yticks([0, 9, 19, 29], ["1", "10", "20", "30"])
        axes.set_ylabel("coefficient", labelpad=1, fontsize=7)
        _time(axes)

    return draw


def _features(samples: Samples, rate: int, config: FeatureConfig) -> NDArray[np.float32]:
    import torch

    from emotone.features.frontend import FrontEnd

    with torch.inference_mode():
        features, _ = FrontEnd(config, rate)(torch.from_numpy(np.ascontiguousarray(samples))[None])
    values: NDArray[np.float32] = features[0].numpy()
    return values


def _image(axes: Any, values: Any, length: float, seconds: float, palette: str, low: float, high: float) -> None:
    shape = (0, length, 0, len(values))
    axes.imshow(
        values, origin="lower", aspect="auto", extent=shape, cmap=palette, vmin=low, vmax=high, interpolation="nearest"
    )
    axes.set_xlim(0, seconds)
    axes.set_ylim(0, len(values))


def _time(axes: Any) -> None:
    """Few ticks, the unit at the last one; a close-up counts milliseconds from its start."""
    from matplotlib.ticker import MaxNLocator

    low, high = axes.get_xlim()
    scale, zero, unit = (1000, low, "ms") if high - low < 0.5 else (1, 0.0, "s")
    ticks = [tick for tick in MaxNLocator(4).tick_values(0, (high - zero) * scale) if tick <= (high - zero) * scale]
    labels = [f"{tick:g}" for tick in ticks]
    axes.set_xticks([zero + tick / scale for tick in ticks], [*labels[:-1], f"{labels[-1]} {unit}"])
