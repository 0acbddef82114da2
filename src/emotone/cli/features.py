"""The command `emotone features`: a corpus as a table of what a system, or a model, makes of its clips."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emotone.cli.options import CorpusOption, DataOption, load_corpus
from emotone.errors import UsageError

if TYPE_CHECKING:
    from emotone.corpora.base import Corpus
    from emotone.recognition.recognizer import Recognizer

__all__ = ["features"]


def features(
    out: Annotated[Path, typer.Option(help="A .csv or .parquet file.")],
    system: Annotated[str | None, typer.Option(help="The system whose features to take.")] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="The model whose embeddings to take: emotone/probe, a .onnx file, or org/name on the Hugging Face hub."
        ),
    ] = None,
    windows: Annotated[
        bool, typer.Option("--windows", help="--model: a row for each window of speech, not for each clip.")
    ] = False,
    corpus: CorpusOption = None,
    data: DataOption = None,
) -> None:
    """Write a system's features or a model's embeddings, one row per clip with its labels."""
    from emotone.cli.terminal import console

    if (system is None) == (model is None):
        raise UsageError("Name either a --system, for its features, or a --model, for its embeddings.")
    if windows and model is None:
        raise UsageError("--windows goes with --model: a system's features are of whole clips.")
    if model is not None:
        from emotone.corpora.rows import check_table
        from emotone.recognition.recognizer import Recognizer

        check_table(out)
        raise typer.Exit(_embeddings(Recognizer.load(model), load_corpus(corpus, data), out, windows=windows))
    from emotone import recipes
    from emotone.cli.terminal import counting
    from emotone.features.table import write_table

    assert system is not None
    recipe, found = recipes.load(system), load_corpus(corpus, data)
    with counting("Features") as progress:
        rows, columns = write_table(recipe.audio, recipe.features, found.utterances, out, on_progress=progress)
    console.print(f"{out}: {rows} clips, {columns} features")


def _embeddings(recognizer: "Recognizer", corpus: "Corpus", out: Path, *, windows: bool) -> int:
    """Write embeddings; return the exit code, 1 where clips have none."""
    import numpy as np

    from emotone.cli.terminal import console, counting, warn
    from emotone.corpora.rows import write_rows
    from emotone.errors import EmotoneError

    utterances, starts, ends, vectors = [], [], [], []
    with counting("Embeddings") as progress:
        for done, utterance in enumerate(corpus.utterances, start=1):
            try:
                found = recognizer.embed(utterance.part)
            except EmotoneError as error:
                warn(f"emotone: {error}")
                continue
            finally:
                progress(done, len(corpus.utterances))
            if not len(found.vectors):
                warn(f"emotone: {utterance.path}: no speech in it")
                continue
            rows = found.vectors if windows else found.mean[None]
            utterances += [utterance] * len(rows)
            starts.append(found.start)
            ends.append(found.end)
            vectors.append(rows)
    missing = len(corpus.utterances) - len(vectors)
    if not vectors:
        raise EmotoneError(f"{out}: not written: no clip of {corpus.info.name} has speech that can be read.")
    values = np.concatenate(vectors)
    columns = {f"e{at}": column for at, column in enumerate(values.T)}
    times = {"window_start": np.concatenate(starts), "window_end": np.concatenate(ends)} if windows else {}
    write_rows(utterances, columns, out, times=times)
    what = f"{len(values)} windows of {len(vectors)} clips" if windows else f"{len(values)} clips"
    left = f"; {missing} left out" if missing else ""
    console.print(f"{out}: {what}, {values.shape[1]} values each{left}")
    return 1 if missing else 0
