"""Connections that stand still: on which no request comes, or one without end, or whose other end takes no answer.

uvicorn would keep them for ever, each with a file of the process.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

__all__ = ["ImpatientHttp", "ImpatientWebSocket"]

_LARGEST = 1 << 16  # bytes of a request's head
_UNTAKEN = 60.0  # seconds for which an answer may wait to be taken
_FAREWELL = 15.0  # seconds for a stream's last messages


class ImpatientHttp(HttpToolsProtocol):
    """Ends a connection that has not sent the whole head of a request within the time that it may be kept alive."""

    _timer: asyncio.TimerHandle | None = None
    _in_body = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._expect(self.timeout_keep_alive)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._settle()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take a piece of a request."""
        began_in_body = self._in_body
        super().data_received(data)
        if self._timer is not None and not began_in_body and not self._in_body:  # it is of a head
            self._head += len(data)
            if self._head > _LARGEST:
                self.transport.abort()

    def on_headers_complete(self) -> None:
        """Answer a request, whose body has a limit of its own."""
        self._in_body = True
        self._settle()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Look for the next head."""
        self._in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, or for what is left of the body of one that was refused."""
        super().on_response_complete()
        if self.cycle.response_complete:
            self._expect(self.timeout_keep_alive)

    def pause_writing(self) -> None:
        """Wait for an answer to be taken."""
        super().pause_writing()
        self._expect(_UNTAKEN)

    def resume_writing(self) -> None:
        """Go on."""
        self._settle()
        super().resume_writing()

    def _expect(self, seconds: float) -> None:
        self._settle()
        self._head = 0
        self._timer = self.loop.call_later(seconds, self.transport.abort)

    def _settle(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class ImpatientWebSocket(WebSocketsSansIOProtocol):
    """Ends a connection whose stream has ended, whether or not its last messages are taken."""

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        """Wait a little."""
        super().on_task_complete(task)
        self.loop.call_later(_FAREWELL, self.transport.abort)
