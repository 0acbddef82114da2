"""The command `emotone stress`: what is left of a model in noise, on the telephone, in a room."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emotone.cli.options import CorpusOption, DataOption, ModelOption, load_corpus

if TYPE_CHECKING:
    from emotone.stress import Stress

__all__ = ["stress"]


def stress(
    model: ModelOption = None,
    corpus: CorpusOption = None,
    data: DataOption = None,
    clips: Annotated[int, typer.Option(help="At most so many, evenly chosen over speakers and emotions.")] = 200,
    out: Annotated[
        Path | None, typer.Option(help="A JSON file; beside it, with the extra `train`, the figure as PNG.")
    ] = None,
) -> None:
    """Measure a model under noise, codecs, rooms, levels and crops, on speakers it was not trained on."""
    from importlib.util import find_spec

    from emotone.cli.terminal import console, counting
    from emotone.files import write_text
    from emotone.recognition import Recognizer
    from emotone.stress import stress as measure

    recogniser = Recognizer.load(model)
    found = load_corpus(corpus, data)
    with counting("Listening") as progress:
        done = measure(recogniser, found, clips=clips, on_progress=progress)
    _show(done)
    if out is None:
        return
    write_text(out, json.dumps(done.to_dict(), indent=1, ensure_ascii=False) + "\n")
    console.print(out)
    if find_spec("matplotlib") is not None:
        from emotone.files import atomic_path
        from emotone.report.figures_stress import hardships
        from emotone.report.theme import style

        picture = out.with_suffix(".png")
        with style(), atomic_path(picture) as place:
            hardships(done.to_dict()).savefig(place, format="png")
        console.print(picture)


def _show(done: "Stress") -> None:
    from emotone.cli.terminal import console, table

    clean = done.conditions[0]
    rows = [
        (
            each.kind,
            each.degree,
            f"{each.uar:.1%} [{each.low:.1%}, {each.high:.1%}]",
            "" if each is clean else f"{100 * (each.uar - clean.uar):+.1f}",
            f"{each.accuracy:.1%}",
            f"{each.unheard:.0%}" if each.unheard else "",
        )
        for each in done.conditions
    ]
    table(("Condition", "", "UAR", "Points", "Accuracy", "No speech found"), rows)
    console.print(
        f"{done.model} on {done.clips} clips of {done.speakers} speakers of {done.corpus}: "
        f"UAR {clean.uar:.1%} as recorded, {done.hard:.1%} on average over the conditions; "
        f"chance {1 / len(done.classes):.1%}"
    )
