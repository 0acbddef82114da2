"""The command `emotone predict`: recordings in, emotions out, to a person or a file."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from emotone.errors import UsageError, unknown

if TYPE_CHECKING:
    from emotone.recognition.formats import Answer
    from emotone.recognition.recognizer import Recognizer

__all__ = ["predict"]

_STDIN = "-"
_MANIFESTS = (".csv", ".jsonl", ".parquet")  # `emotone.corpora.manifest.SUFFIXES`, which one recording can do without


def predict(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...",
            help="Recordings, folders of them, CSV, JSONL or Parquet files with a column `file`; - for standard input.",
        ),
    ],
    model: Annotated[
        str | None,
        typer.Option(help="A .onnx file, or org/name on the Hugging Face hub. [default: emotone's own]"),
    ] = None,
    window: Annotated[float | None, typer.Option(help="Seconds per answer. [default: the model's]")] = None,
    hop: Annotated[float | None, typer.Option(help="Seconds between answers. [default: the model's]")] = None,
    min_confidence: Annotated[float, typer.Option(help="Below it, from 0 to 1, say `uncertain`.")] = 0.0,
    top: Annotated[int, typer.Option(help="How many emotions to show.")] = 3,
    threads: Annotated[int, typer.Option(help="Threads of the network.")] = 1,
    form: Annotated[
        str | None,
        typer.Option(
            "--format", help="json, jsonl, csv, parquet, audacity, vtt. [default: a table, or --out's suffix]"
        ),
    ] = None,
    segments: Annotated[
        bool, typer.Option("--segments", help="csv, parquet: a row per segment, not per recording.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Write into this file.")] = None,
) -> None:
    """Recognise emotions in recordings of any length. Exit code 1 where a recording cannot be read."""
    form = _format(form, out, segments=segments)
    if top < 1:
        raise UsageError(f"--top is {top}; it must be at least 1.")
    from emotone.recognition.recognizer import Recognizer

    recognizer = Recognizer.load(model, threads=threads)
    failed: list[str] = []
    sources = list(_expand(paths, failed))
    if form in ("audacity", "vtt") and len(sources) > 1:
        raise UsageError(f"--format {form} is the timeline of one recording; {len(sources)} are given.")
    results = recognizer.each([source for _, source in sources], window=window, hop=hop, min_confidence=min_confidence)
    answers = _answers([name for name, _ in sources], results, failed)
    with ExitStack() as stack:
        if len(sources) > 1 and (out is not None or form is None or not sys.stdout.isatty()):
            answers = _counted(stack, answers, len(sources))
        _put(answers, form, out, recognizer, top=top, segments=segments)
    raise typer.Exit(1 if failed else 0)


def _format(form: str | None, out: Path | None, *, segments: bool) -> str | None:
    """Return the format asked for, None for a table to look at; refuse what does not fit together."""
    from emotone.recognition.formats import FORMATS, SUFFIXES, need_pyarrow

    if form is None and out is not None:
        form = SUFFIXES.get(out.suffix.lower())
        if form is None:
            raise UsageError(f"--out {out}: its suffix names no format ({', '.join(SUFFIXES)}); give --format.")
    if form is not None and form not in FORMATS:
        raise unknown("format", form, FORMATS)
    if form == "parquet":
        if out is None:
            raise UsageError("--format parquet needs --out FILE.")
        need_pyarrow()
    if segments and form not in ("csv", "parquet"):
        raise UsageError("--segments goes with --format csv or parquet; the other formats have the segments anyway.")
    if out is not None and out.is_dir():
        raise UsageError(f"--out {out}: is a folder; name a file.")
    return form


def _expand(paths: Sequence[str], failed: list[str]) -> Iterator[tuple[str, Path | BinaryIO]]:
    """Yield every recording that is meant, with the name to call it by; a folder without any is noted in `failed`."""
    for text in paths:
        path = Path(text)
        if text == _STDIN:
            yield "<stdin>", sys.stdin.buffer
        elif path.is_dir():
            from emotone.corpora.scan import audio_files
            from emotone.terminal import warn

            found = [path / inside for inside in audio_files(path)]
            if not found:
                failed.append(text)
                warn(f"emotone: {path}: the folder holds no audio")
            yield from ((str(each), each) for each in found)
        elif path.suffix.lower() in _MANIFESTS:
            from emotone.corpora.manifest import list_files

            yield from ((str(each), each) for each in list_files(path))
        else:
            yield text, path


def _answers(names: Sequence[str], results: Iterator["object"], failed: list[str]) -> Iterator["Answer"]:
    """Yield an answer per recording; say at once why one cannot be read, and note it in `failed`."""
    from emotone.recognition.formats import Answer
    from emotone.recognition.result import Result
    from emotone.terminal import warn

    for name, result in zip(names, results, strict=True):
        shown = name.encode(errors="backslashreplace").decode()
        if isinstance(result, Result):
            yield Answer(shown, result)
        else:
            failed.append(name)
            warn(f"emotone: {result}")
            yield Answer(shown, None, str(result).removeprefix(f"{name}: "))


def _counted(stack: ExitStack, answers: Iterator["Answer"], total: int) -> Iterator["Answer"]:
    from emotone.terminal import counting

    progress = stack.enter_context(counting("Recognising"))
    for done, answer in enumerate(answers, start=1):
        progress(done, total)
        yield answer


def _put(
    answers: Iterator["Answer"],
    form: str | None,
    out: Path | None,
    recognizer: "Recognizer",
    *,
    top: int,
    segments: bool,
) -> None:
    from emotone.files import atomic_path
    from emotone.recognition.formats import to_text, write_parquet

    labels = recognizer.labels
    if form is None:
        from emotone.recognition.display import show

        show(list(answers), top=top)
    elif out is None:
        for text in to_text(answers, form, labels=labels, segments=segments):
            sys.stdout.write(text)
    else:
        with atomic_path(out) as temporary:
            if form == "parquet":
                write_parquet(answers, temporary, labels=labels, segments=segments)
            else:
                with temporary.open("w", encoding="utf-8", newline="") as file:
                    file.writelines(to_text(answers, form, labels=labels, segments=segments))
