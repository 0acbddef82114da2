"""`emotone predict --engine ray`: recordings anywhere in, a folder of Parquet files out, which can be gone on with."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from emotone.cli.inputs import expand
from emotone.errors import UsageError

if TYPE_CHECKING:
    from emotone.recognition.asked import Channels
    from emotone.recognition.recognizer import Options

__all__ = ["predict_wide"]


def predict_wide(
    paths: Sequence[str],
    model: str | None,
    channels: "Channels",
    segments_from: Path | None,
    out: str | None,
    address: str | None,
    *,
    options: "Options",
    threads: int,
    form: str | None,
    segments: bool,
    adapt: str | None,
) -> bool:
    """Recognise recordings on a cluster; return whether one of the folder's, or of the paths, cannot be read."""
    folder = _checked(paths, out, form=form, adapt=adapt, threads=threads)
    from emotone.cli.terminal import console, counting, warn
    from emotone.cluster.join import joined
    from emotone.cluster.listening import Job
    from emotone.cluster.parts import Parts
    from emotone.cluster.predict import predict, recordings_of
    from emotone.cluster.remote import open_system
    from emotone.recognition import Recognizer
    from emotone.recognition.formats import Columns
    from emotone.recognition.stream import Settings

    if model is not None and Path(model).exists():
        model = str(Path(model).resolve())
    info = Recognizer.load(model).model.info
    heard = Settings.of(
        info, window=options.get("window"), hop=options.get("hop"), min_confidence=options.get("min_confidence")
    )
    failed: list[str] = []
    asked = expand(paths, failed, segments_from, elsewhere=True)
    for scheme in {one.source.partition("://")[0] for one in asked if isinstance(one.source, str)}:
        open_system(f"{scheme}://")
    stretches = any(one.is_stretch for one in asked)
    by_channel = channels is not None or any(one.channel is not None for one in asked)
    columns = Columns(info.labels, segments, stretches, by_channel)
    told = {
        "model": f"{info.name} {info.version}", "window": heard.window, "hop": heard.hop,
        "min_confidence": heard.min_confidence, "strict": options.get("strict", False), "channels": channels,
        "columns": columns.names,
    }  # fmt: skip
    parts = Parts(folder, told)
    recordings = recordings_of(asked, parts.folder)
    before = sum(key in parts.done for key, _ in recordings)
    if before < len(recordings):
        with joined(address), counting("Recognising") as progress:
            predict(
                recordings,
                Job(model, threads, channels, options, columns),
                parts,
                on_progress=progress,
                tell=lambda line: warn(f"emotone: {line}"),
            )
    already = f", {before} of them before" if before else ""
    errors = f"; errors: {parts.failed}" if parts.failed else ""
    console.print(f"{folder}: {len(recordings)} recordings{already}{errors}")
    return bool(failed or parts.failed)


def _checked(paths: Sequence[str], out: str | None, *, form: str | None, adapt: str | None, threads: int) -> str:
    """Return the folder to write into; refuse what a cluster cannot do."""
    if out is None:
        raise UsageError(
            "--engine ray needs --out FOLDER, for Parquet files; a path or a URL, as s3://bucket/emotions."
        )
    if form not in (None, "parquet"):
        raise UsageError(f"--format {form}: --engine ray writes parquet.")
    if adapt is not None:
        raise UsageError(
            f"--adapt {adapt}: --engine ray answers each recording by itself.\nLeave it out, or leave out --engine ray."
        )
    if "-" in paths:
        raise UsageError("-: the machines of a cluster cannot read standard input; name files, folders or tables.")
    if threads < 1:
        raise UsageError(f"--threads is {threads}; it must be at least 1.")
    return out
