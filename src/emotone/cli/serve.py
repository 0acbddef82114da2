"""The command `emotone serve`."""

import importlib.util
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from emotone.cli.options import ModelOption
from emotone.errors import UsageError

__all__ = ["serve"]


def serve(
    model: ModelOption = None,
    host: Annotated[str, typer.Option(help="Where to listen; 0.0.0.0 for every network.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8000,
    workers: Annotated[
        int | None,
        typer.Option(help="Processes that decode, and threads of the network. [default: one per core]"),
    ] = None,
    api_key_file: Annotated[
        Path | None,
        typer.Option(help="Answer only those with a key: lines of NAME SHA256 [REQUESTS-A-MINUTE], see --new-key."),
    ] = None,
    new_key: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Make a key, print its line for the key file, and end."),
    ] = None,
    rate: Annotated[int, typer.Option(help="Requests a minute for each key.")] = 600,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(help="Web pages from there may call the service, too, as https://example.org; more than once."),
    ] = None,
    max_size: Annotated[int, typer.Option(help="MiB of one request.")] = 64,
    max_duration: Annotated[
        float, typer.Option(help="Seconds of one recording; channels listened to by themselves add up.")
    ] = 600,
    max_waiting: Annotated[int, typer.Option(help="Requests at a time; more are refused with 503.")] = 64,
    max_streams: Annotated[int, typer.Option(help="Live streams at a time.")] = 64,
) -> None:
    """Answer over HTTP and WebSocket, and show a web page. Nothing of what is heard is kept."""
    missing = [name for name in ("fastapi", "uvicorn", "prometheus_client") if not importlib.util.find_spec(name)]
    if missing:
        raise UsageError(f"emotone serve needs {missing[0]}: pip install 'emotone[serve]'")
    from emotone.service.access import make_key

    if new_key is not None:
        key, line = make_key(new_key)
        print(f"The key, which is shown only now: {key}", file=sys.stderr)
        print(line)
        return
    from emotone.service.server import serve as run
    from emotone.service.settings import MIB, Settings

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    run(
        Settings(
            model=model,
            host=host,
            port=port,
            workers=cores if workers is None else workers,
            keys=api_key_file,
            origins=tuple(allow_origin or ()),
            size=max_size * MIB,
            duration=max_duration,
            waiting=max_waiting,
            streams=max_streams,
            rate=rate,
        ),
        _say,
    )


def _say(line: str) -> None:
    from emotone.cli.terminal import console

    console.print(line)
    sys.stdout.flush()
