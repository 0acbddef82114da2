"""Who may call, and how often: API keys, of which only hashes are kept; origins of web pages."""

import hashlib
import math
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from emotone.errors import UsageError
from emotone.service.problems import ProblemError

__all__ = ["SUBPROTOCOL", "Access", "Caller", "make_key"]

SUBPROTOCOL = "emotone.key."
"""What a browser's WebSocket, which cannot set headers, puts before its key as a subprotocol."""

_LINE = re.compile(r"(?P<name>\S+)\s+(?P<hash>[0-9a-f]{64})(?:\s+(?P<rate>[1-9]\d{0,8}))?")


def make_key(name: str) -> tuple[str, str]:
    """Return a new key, and the line of the key file that lets it in.

    A key is 256 random bits, which nobody finds by trying: a fast hash is enough to keep of it.
    """
    if not re.fullmatch(r"[^\s#]+", name):
        raise UsageError(f"--new-key {name!r}: a name is one word without #.")
    key = secrets.token_urlsafe(32)
    return key, f"{name} {_hash(key)}"


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


@dataclass(slots=True)
class Caller:
    """Whoever has a key; or everybody, where none is asked for.

    Attributes:
        name: in the key file.
        rate: requests a minute; None for any number. As many may come at once, after a minute without one.
    """

    name: str
    rate: int | None = None
    _left: float = field(default=0.0, init=False)
    _seen: float = field(default=-math.inf, init=False)

    def take(self, requests: int = 1, *, always: bool = False) -> None:
        """Count requests; `ProblemError` where there are too many, unless they are let pass and counted `always`."""
        if self.rate is None:
            return
        now = time.monotonic()
        self._left = min(float(self.rate), self._left + (now - self._seen) * self.rate / 60)
        self._seen = now
        if self._left < requests and not always:
            wait = math.ceil((requests - self._left) * 60 / self.rate)
            detail = f"More than {self.rate} requests a minute; wait {wait} s."
            raise ProblemError(429, detail, retry_after=wait)
        self._left -= requests


_EVERYBODY = Caller("everybody")


class Access:
    """The door.

    Args:
        keys: a file with a line for each key: name, SHA-256 of the key in hexadecimal, perhaps requests a minute.
        rate: requests a minute where the file does not say.
        origins: of web pages that may call, beside the service's own.
    """

    def __init__(self, keys: Path | None, *, rate: int, origins: tuple[str, ...]) -> None:
        self._callers = None if keys is None else _read(keys, rate)
        self._origins = set(origins)

    def caller(self, headers: Mapping[str, str], *, subprotocols: list[str] | None = None) -> Caller:
        """Return who calls; `ProblemError` 401 for nobody who is known."""
        if self._callers is None:
            return _EVERYBODY
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        given = bearer.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")
        for each in subprotocols or ():
            given = given or each.removeprefix(SUBPROTOCOL) * each.startswith(SUBPROTOCOL)
        hashed = _hash(given)
        found = None
        for own, caller in self._callers.items():  # all of them, so that the time says nothing
            if secrets.compare_digest(own, hashed):
                found = caller
        if found is None:
            what = "The API key is not known" if given else "An API key is missing"
            raise ProblemError(
                401, f"{what}: Authorization: Bearer KEY, or X-API-Key: KEY.", headers={"WWW-Authenticate": "Bearer"}
            )
        return found

    def check_origin(self, headers: Mapping[str, str]) -> None:
        """Refuse web pages of other origins: what they send, a browser lets through though it hides the answer."""
        origin = headers.get("origin")
        if origin and origin not in self._origins and urlsplit(origin).netloc != headers.get("host"):
            raise ProblemError(403, f"Web pages of {origin[:200]} may not call this service; see --allow-origin.")


def _read(path: Path, rate: int) -> dict[str, Caller]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--api-key-file {path}: cannot be read: {getattr(error, 'strerror', error)}.") from None
    callers = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None:
            raise UsageError(
                f"--api-key-file {path}, line {number}: allowed is NAME SHA256 [REQUESTS-A-MINUTE], as --new-key "
                "prints it."
            )
        callers[found["hash"]] = Caller(found["name"], int(found["rate"] or rate))
    if not callers:
        raise UsageError(f"--api-key-file {path}: holds no key; make one by --new-key NAME.")
    return callers
