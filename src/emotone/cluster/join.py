"""Join a Ray cluster, or start one on this machine for as long as it is needed."""

import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from emotone.errors import EmotoneError, UsageError

__all__ = ["AUTO", "check_address", "joined"]

AUTO = "auto"
"""The address of the cluster that this machine belongs to."""
_PATIENCE = 5.0  # seconds in which a cluster takes a connection
_ALLOWED = "Allowed: HOST:PORT of a running cluster, as `ray start --head` says it, or auto on a machine that is in one"
_STARTS = 3
_STORE = 256 << 20  # bytes; what passes between processes here are rows and records


def check_address(address: str | None) -> None:
    """Refuse an address where no cluster answers, before any work; None is this machine alone.

    Raises:
        UsageError: Ray is not installed; not an address; nobody answers there.
    """
    _quieten()
    try:
        import ray  # noqa: F401
    except ImportError:
        raise UsageError("--engine ray needs Ray.\nGet it by: pip install 'emotone[ray]'") from None
    if address is None:
        return
    found = _own_cluster() if address == AUTO else address
    host, colon, port = found.rpartition(":")
    if not (host and colon and port.isdecimal() and int(port) < 1 << 16) or "://" in found:
        raise UsageError(f"--address {address}: is none.\n{_ALLOWED}.")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE).close()
    except OSError as error:
        raise UsageError(f"--address {address}: no cluster answers at {found}: {error}.\n{_ALLOWED}.") from None


@contextmanager
def joined(address: str | None) -> Iterator[None]:
    """Be part of a cluster; without `address`, of one on this machine alone, which ends with it.

    Raises:
        UsageError: as `check_address`; what answers is no cluster, or one of another version of Ray or Python.
        EmotoneError: Ray cannot be started here.
    """
    check_address(address)
    import ray

    options = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    try:
        with _silence(), _same_end():
            if address is None:
                _start(options)
            else:
                ray.init(address, **options)
    except SystemExit:  # Ray ends a process that has waited for long
        raise UsageError(f"--address {address}: what answers there is no Ray cluster.\n{_ALLOWED}.") from None
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise UsageError(f"--address {address}: cannot be joined: {reason}.\n{_ALLOWED}.") from None
    try:
        yield
    finally:
        ray.shutdown()


def _start(options: dict[str, Any]) -> None:
    """Start Ray on this machine; more than once, as on a busy one its processes may miss each other's deadlines."""
    import ray

    for left in reversed(range(_STARTS)):
        try:  # "local", else Ray would join whatever cluster it has heard of last
            ray.init("local", include_dashboard=False, object_store_memory=_STORE, **options)
            return
        except Exception as error:  # Ray raises no other type here
            ray.shutdown()
            if not left:
                reason = " ".join(str(error).split()).rstrip(".")
                raise EmotoneError(
                    f"Ray cannot be started on this machine: {reason}. Its logs are in /tmp/ray."
                ) from None


@contextmanager
def _same_end() -> Iterator[None]:
    """Let SIGTERM end this process as before: Ray puts its own handler, which exits with code 15."""
    before, come = signal.getsignal(signal.SIGTERM), False
    try:
        yield
    except SystemExit as end:
        come = end.code == signal.SIGTERM
        if not come:
            raise
    finally:
        if before is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)
    if come:
        signal.raise_signal(signal.SIGTERM)


@contextmanager
def _silence() -> Iterator[None]:
    """Keep what Ray's C++ says when it begins, of its own level of logging, from the terminal."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _quieten() -> None:
    """Set what Ray reads when it is imported: it reports to nobody, and tells its logs, not the terminal."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # as it will be, of which each start warns


def _own_cluster() -> str:
    from ray._private.services import canonicalize_bootstrap_address_or_die

    try:
        return str(canonicalize_bootstrap_address_or_die(AUTO))
    except (ConnectionError, ValueError):
        raise UsageError(f"--address auto: this machine is in no cluster.\n{_ALLOWED}.") from None
