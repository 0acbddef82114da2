"""The command `emotone explain`: what in a recording speaks for its emotion, as a picture."""

from pathlib import Path
from typing import Annotated

import typer

from emotone.cli.options import ModelOption

__all__ = ["explain"]


def explain(
    clip: Annotated[Path, typer.Argument(help="A recording.")],
    model: ModelOption = None,
    emotion: Annotated[str | None, typer.Option(help="Explain this one. [default: the model's answer]")] = None,
    out: Annotated[
        Path | None, typer.Option(help="A .png, .svg or .pdf file. [default: CLIP.explained.png, in this folder]")
    ] = None,
) -> None:
    """Draw what in a recording speaks for its emotion: waveform, log-mel, attributions, attention, scores."""
    from emotone.cli.terminal import console
    from emotone.explanation import check_suffix
    from emotone.explanation import explain as explain_clip

    target = out or Path(f"{clip.stem}.explained.png")
    check_suffix(target)
    found = explain_clip(clip, model, emotion=emotion)
    found.save(target)
    place = f"{found.start:.1f} to {found.end:.1f} s of {found.duration:.1f} s"
    console.print(f"{clip}: {found.answer}; explained: {found.emotion}, {found.scores[found.emotion]:.0%}, {place}")
    for each in found.deletion:
        console.print(
            f"Without the {each.share:.0%} of the sound that speak most for it: {each.marked:.0%}; "
            f"without random {each.share:.0%}: {each.random:.0%}"
        )
    console.print(target)
