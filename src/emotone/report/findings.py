"""What the results show, in sentences."""

from statistics import mean, median

from emotone.report.view import Board, slice_values
from emotone.report.words import count, number, percent, points, protocol_title

__all__ = ["findings"]


def findings(board: Board) -> list[str]:
    """Say in sentences what the board shows: reproduction, the cost of closing leaks, unseen speakers, who is heard."""
    said = [
        _reproduced(board),
        *_gaps(board),
        _unseen(board),
        _slice_gap(board, "gender"),
        _slice_gap(board, "intensity"),
    ]
    return [sentence for sentence in said if sentence]


def _reproduced(board: Board) -> str | None:
    rows = [result.row for result in board.of("published") if result.row.published is not None]
    if not rows or board.synthetic:
        return None
    reached = [row for row in rows if row.published is not None and row.high >= row.published]
    if len(rows) == 1:
        verb = "reaches" if reached else "does not reach"
        return f"Run as its paper did, {rows[0].system} {verb} the accuracy that the paper reports."
    said = {0: "none", len(rows): "all"}.get(len(reached), number(len(reached)))
    return (
        f"Run as the papers did, {said} of the {len(rows)} systems with a published accuracy "
        f"{'reaches' if len(reached) == 1 else 'reach'} it: the 95\u00a0% interval holds it or lies above."
    )


def _gaps(board: Board) -> list[str]:
    """Compare each other protocol with the published one, on the systems that have both."""
    base = {result.row.system: result.row for result in board.of("published")}
    said = []
    for protocol in board.protocols:
        pairs = [
            (result.row.accuracy - base[result.row.system].accuracy, result.row.system)
            for result in board.of(protocol)
            if protocol != "published" and result.row.system in base
        ]
        if pairs:
            worst, system = min(pairs)
            name = {"clean": "With the leaks of the split closed (clean split)"}.get(
                protocol, f"With {_lower(protocol_title(protocol))}"
            )
            most = f"; the largest fall is {points(worst)}, of {system}" if len(pairs) > 1 and worst < 0 else ""
            said.append(
                f"{name}, measured accuracy changes by {points(median(gap for gap, _ in pairs))} points in the median "
                f"of {count(len(pairs), 'system')}{most}."
            )
    return said


def _unseen(board: Board) -> str | None:
    if not board.unseen:
        return None
    best = board.of(board.unseen[0])[0].row
    return (
        f"Of speakers never heard in training, the best system ({best.system}) recognises "
        f"{percent(best.accuracy)}\u00a0% of the clips; always naming the most frequent class "
        f"would get {percent(best.chance)}\u00a0%."
    )


def _slice_gap(board: Board, name: str) -> str | None:
    """Compare the two values of a slice on average over the systems, under the strictest protocol."""
    own = [slice_values(result, name) for result in board.of(board.strictest)]
    own = [values for values in own if len(values) == 2]
    if not own or len({tuple(values) for values in own}) != 1:
        return None
    first, second = ((value, mean(values[value].accuracy for values in own)) for value in own[0])
    better, worse = sorted((first, second), key=lambda pair: -pair[1])
    average = f"average of {count(len(own), 'system')}, " if len(own) > 1 else ""
    names = {"female": "women", "male": "men", "normal": "normal intensity", "strong": "strong intensity"}
    return (
        f"{names.get(better[0], better[0]).capitalize()}: {percent(better[1])}\u00a0% recognised, "
        f"{names.get(worse[0], worse[0])}: {percent(worse[1])}\u00a0%; {average}"
        f"{_lower(protocol_title(board.strictest))}."
    )


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:]
