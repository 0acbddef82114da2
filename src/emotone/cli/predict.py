"""The command `emotone predict`: recordings in, emotions out, to a person or a file."""

import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emotone.cli.inputs import expand, parse_channels
from emotone.cli.options import AddressOption, EngineOption, ModelOption, by_ray
from emotone.cli.voices import by_voice, check_voices
from emotone.errors import EmotoneError, UsageError

if TYPE_CHECKING:
    from emotone.audio import Part
    from emotone.recognition.asked import Asked, Channels
    from emotone.recognition.formats import Answer
    from emotone.recognition.recognizer import Options, Recognizer
    from emotone.recognition.result import Result

__all__ = ["predict"]


def predict(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...",
            help="Recordings, folders of them, tables (CSV, JSONL, Parquet, Excel) with a column `file`, perhaps "
            "`start` and `end`; - for standard input.",
        ),
    ],
    model: ModelOption = None,
    window: Annotated[float | None, typer.Option(help="Seconds per answer. [default: the model's]")] = None,
    hop: Annotated[float | None, typer.Option(help="Seconds between answers. [default: the model's]")] = None,
    min_confidence: Annotated[
        float | None,
        typer.Option(
            help="Below it, from 0 to 1, say `uncertain`. [default: only of less speech than the model was trained on, "
            "and of speech unlike that]"
        ),
    ] = None,
    channels: Annotated[
        str, typer.Option(help="mix; each, an answer per channel, as calls have a speaker on each; or numbers, as 0,1.")
    ] = "mix",
    segments_from: Annotated[
        Path | None,
        typer.Option(help="Answer for each stretch and each speaker of this RTTM file, as diarisers write it."),
    ] = None,
    adapt: Annotated[
        str | None,
        typer.Option(
            help="Listen first, then answer by how each voice differs from others; of one voice is each recording, "
            "folder or speaker. It needs different moods."
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse recordings that are cut short.")] = False,
    top: Annotated[int, typer.Option(help="How many emotions to show.")] = 3,
    threads: Annotated[int, typer.Option(help="Threads of the network.")] = 1,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="json, jsonl, csv, parquet, audformat; of each recording: audacity, vtt, srt, textgrid, rttm. "
            "[default: a table, or --out's suffix]",
        ),
    ] = None,
    segments: Annotated[
        bool, typer.Option("--segments", help="csv, parquet: a row per segment, not per recording.")
    ] = False,
    out: Annotated[
        str | None,
        typer.Option(
            help="Write into this file; or into this folder, a file for each recording; with --engine ray, a folder of "
            "Parquet files, which the same command goes on with."
        ),
    ] = None,
    engine: EngineOption = "local",
    address: AddressOption = None,
) -> None:
    """Recognise emotions in recordings of any length. Exit code 1 where a recording cannot be read."""
    if by_ray(engine, address):
        from emotone.cli.wide import predict_wide

        failed_there = predict_wide(
            paths, model, parse_channels(channels), segments_from, out, address,
            options={"window": window, "hop": hop, "min_confidence": min_confidence, "strict": strict},
            threads=threads, form=form, segments=segments, adapt=adapt,
        )  # fmt: skip
        raise typer.Exit(1 if failed_there else 0)
    from emotone.cli.output import Output

    output = Output.of(form, out, segments=segments)
    which = parse_channels(channels)
    if top < 1:
        raise UsageError(f"--top is {top}; it must be at least 1.")
    from emotone.recognition.asked import with_speakers
    from emotone.recognition.recognizer import Recognizer

    recognizer = Recognizer.load(model, threads=threads)
    failed: list[str] = []
    others = [Path(each) for each in (segments_from, model) if each is not None]
    asked = output.arranged(expand(paths, failed, segments_from))
    check_voices(adapt, asked)
    output = output.ready(
        [each.name for each in asked],
        read=[*map(Path, paths), *(each.source for each in asked if isinstance(each.source, Path)), *others],
        labels=recognizer.labels,
        stretches=any(each.is_stretch for each in asked),
        channels=which is not None or any(each.channel is not None for each in asked),
    )
    options: Options = {"window": window, "hop": hop, "min_confidence": min_confidence, "strict": strict}
    answers = _answers(asked, which, recognizer, failed, options, adapt=adapt, diarised=segments_from is not None)
    with ExitStack() as stack:
        if len(asked) > 1 and (out is not None or output.form is None or not sys.stdout.isatty()):
            answers = _counted(stack, answers, len(asked))
        output.put(with_speakers(answers, min_confidence), top=top, failed=failed)
    raise typer.Exit(1 if failed else 0)


def _answers(
    asked: "Sequence[Asked]",
    channels: "Channels",
    recognizer: "Recognizer",
    failed: list[str],
    options: "Options",
    *,
    adapt: str | None,
    diarised: bool,
) -> Iterator["Answer"]:
    """Yield an answer per part; say at once why one cannot be read, and note it in `failed`."""
    from emotone.cli.terminal import warn
    from emotone.corpora.times import clip_times
    from emotone.recognition.asked import answer, split_by_channels

    waiting: deque[Asked] = deque()

    def results() -> "Iterator[Result | EmotoneError]":
        for known, group in by_voice(asked, channels, recognizer, adapt, options, diarised=diarised):
            yield from known.each(heard(group), **options)

    def heard(some: "Sequence[Asked]") -> Iterator["Part"]:
        for one in some:
            for each in split_by_channels(one, channels):
                waiting.append(each)
                yield each.part

    for result in results():
        told = answer(waiting.popleft(), result)
        for note in told.result.notes if told.result else ():
            warn(f"emotone: {told.file}: {note}")
        if told.error is not None:
            failed.append(told.file)
            warn(f"emotone: {told.file}{clip_times(told.start, told.end)}: {told.error}")
        yield told


def _counted(stack: ExitStack, answers: Iterator["Answer"], total: int) -> Iterator["Answer"]:
    from emotone.cli.terminal import counting

    progress = stack.enter_context(counting("Recognising"))
    for done, answer in enumerate(answers, start=1):
        progress(min(done, total), total)
        yield answer
