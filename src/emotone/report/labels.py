"""Where the labels of points and lines stand in a figure, so that none covers another."""

from collections.abc import Sequence
from typing import Any

__all__ = ["apart", "name_points"]


def apart(falling: Sequence[float], gap: float, top: float) -> list[float]:
    """Move heights as little as it takes for neighbours to be a gap apart, all between 0 and the top."""
    import numpy as np
    from scipy.optimize import isotonic_regression

    # Heights a gap apart are those that still fall once each is raised by as many gaps as stand above it.
    raised = gap * np.arange(len(falling))
    fitted = isotonic_regression(np.asarray(falling) + raised, increasing=False).x
    placed: list[float] = (np.clip(fitted, gap / 2 + raised[-1], top - gap / 2) - raised).tolist()
    return placed


def name_points(drawn: Any, axes: Any, points: Sequence[tuple[float, float, str]]) -> None:
    """Write each point's name beside it, where it covers the least of what is already there."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.transforms import Bbox

    canvas: Any = FigureCanvasAgg(drawn)
    renderer = canvas.get_renderer()
    spot = [axes.transData.transform((x, y)) for x, y, _ in points]
    taken = [Bbox.from_extents(x - 7, y - 7, x + 7, y + 7) for x, y in spot]
    frame = axes.get_window_extent(renderer)
    for x, y, name in sorted(points, key=lambda point: -point[1]):
        best: tuple[float, Any, Bbox] | None = None
        for right, up in ((5, 0), (-5, 0), (5, 7), (5, -7), (-5, 7), (-5, -7), (0, 9), (0, -9), (5, 13), (5, -13)):
            side = "left" if right > 0 else "right" if right < 0 else "center"
            label = axes.annotate(
                name, (x, y), (right, up), textcoords="offset points", ha=side, va="center", fontsize=7
            )
            box = label.get_window_extent(renderer)
            covered = sum(_overlap(box, other) for other in taken) + 10 * (
                box.width * box.height - _overlap(box, frame)
            )
            if best is None or covered < best[0] - 1e-6:
                if best:
                    best[1].remove()
                best = (covered, label, box)
            else:
                label.remove()
        if best:
            taken.append(best[2])


def _overlap(one: Any, other: Any) -> float:
    """Return the area that two boxes share."""
    from matplotlib.transforms import Bbox

    shared = Bbox.intersection(one, other)
    return float(shared.width * shared.height) if shared else 0.0
