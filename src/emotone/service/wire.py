"""What the service and its workers say to each other: JSON, and bytes beside it.

A worker decodes strangers' files, and one of them may take it over. So what comes of it is data and never more: nothing
is unpickled, and nothing is believed before it is checked.
"""

from multiprocessing.connection import Connection
from typing import Literal, NamedTuple, Self, TypeVar

from pydantic import Field

from emotone.config import Config
from emotone.errors import AudioError, EmotoneError

__all__ = ["ANY", "Message", "TooLongError", "failure", "receive", "send", "understood"]

ANY = (1 << 63) - 1
"""Bytes that a body may have which the service sends: it has looked at its size."""

_HEAD = 1 << 20  # bytes of JSON
_TEXT = 2_000  # characters of an error

T = TypeVar("T", bound=Config)


class TooLongError(AudioError):
    """A recording that is longer than the service takes."""


class Message(NamedTuple):
    """One message: its head, as JSON, and what is no text."""

    head: bytes
    body: bytes = b""

    @classmethod
    def of(cls, head: Config, body: bytes = b"") -> Self:
        """Write the head."""
        return cls(head.model_dump_json().encode(), body)


_KINDS: dict[str, type[EmotoneError]] = {"too long": TooLongError, "audio": AudioError, "other": EmotoneError}


class _Failure(Config):
    error: Literal["too long", "audio", "other"]
    text: str = Field(max_length=_TEXT)


def failure(error: EmotoneError) -> Message:
    """Return the message that says what is wrong."""
    kind = next(kind for kind, each in _KINDS.items() if isinstance(error, each))
    return Message.of(_Failure.model_validate({"error": kind, "text": str(error)[:_TEXT]}))


def understood(kind: type[T], message: Message) -> T:
    """Return a message's head.

    Raises:
        EmotoneError: that the message is.
        ValueError: the head is neither an error nor of that kind.
    """
    if message.head.startswith(b'{"error":'):
        failed = _Failure.model_validate_json(message.head)
        raise _KINDS[failed.error](failed.text)
    return kind.model_validate_json(message.head)


def send(pipe: Connection, message: Message) -> None:
    """Send a message."""
    pipe.send_bytes(message.head)
    pipe.send_bytes(message.body)


def receive(pipe: Connection, most: int) -> Message:
    """Wait for a message; `OSError` for a body of more than so many bytes, before they are read."""
    return Message(pipe.recv_bytes(_HEAD), pipe.recv_bytes(most))
