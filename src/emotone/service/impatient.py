"""HTTP connections on which no request comes, or one without end: uvicorn would wait for them for ever."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["Impatient"]

_LARGEST = 1 << 16  # bytes of a request's head


class Impatient(HttpToolsProtocol):
    """Closes a connection that has not sent the whole head of a request within the time that it may be kept alive."""

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._settle()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take a piece of a request."""
        super().data_received(data)
        if self._timer is not None:  # all of it is of a head
            self._head += len(data)
            if self._head > _LARGEST:
                self.transport.close()

    def on_headers_complete(self) -> None:
        """Answer a request, whose body has a limit of its own."""
        self._settle()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, or for what is left of the body of one that was refused."""
        super().on_response_complete()
        if self.cycle.response_complete and not self.transport.is_closing():
            self._settle()
            self._expect()

    def _expect(self) -> None:
        self._head = 0
        self._timer = self.loop.call_later(self.timeout_keep_alive, self.transport.close)

    def _settle(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
