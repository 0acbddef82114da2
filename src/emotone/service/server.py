"""Run the service: listen, answer, and finish what was taken when it is told to stop."""

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType

import uvicorn

from emotone.errors import EmotoneError
from emotone.service.app import create_app
from emotone.service.engine import Engine
from emotone.service.headers import Guarded
from emotone.service.impatient import ImpatientHttp, ImpatientWebSocket
from emotone.service.settings import Settings

__all__ = ["Server", "make_server", "serve"]

_FAREWELL = 10.0  # seconds for the streams' summaries


def serve(settings: Settings, say: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; errors are those of `make_server`. `say` is told where, once it does."""
    server, listening = make_server(settings, say)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    server.run(sockets=[listening])


def make_server(settings: Settings, say: Callable[[str], None]) -> tuple["Server", socket.socket]:
    """Return the server, and the socket that it is to be run with.

    Raises:
        EmotoneError: a model that cannot be loaded, keys that cannot be read, an address that cannot be listened on.
    """
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # it warns of bytes of bodies
    service = (app := create_app(settings)).state.service
    config = uvicorn.Config(
        Guarded(app, service.metrics),
        http=ImpatientHttp,
        ws=ImpatientWebSocket,
        ws_max_size=2 * settings.frame,  # the service says itself what is too large
        ws_per_message_deflate=False,
        log_level="warning",
        access_log=False,  # addresses name speakers
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=settings.quiet,
        timeout_graceful_shutdown=round(settings.grace),
    )
    return Server(config, service.engine, say), _listen(settings.host, settings.port)


class Server(uvicorn.Server):
    """uvicorn, which says where it is, and lets streams end in order.

    Attributes:
        engine: that answers.
    """

    def __init__(self, config: uvicorn.Config, engine: Engine, say: Callable[[str], None]) -> None:
        super().__init__(config)
        self.engine, self._say = engine, say

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin, and say so."""
        await super().startup(sockets)
        for each in sockets or ():
            host, port = each.getsockname()[:2]
            name = f"[{host}]" if ":" in host else host
            self._say(f"{self.engine.model.info.name} answers at http://{name}:{port} (Ctrl+C to stop)")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take nothing new, finish what was taken, end."""
        for server in self.servers:
            server.close()
        self.engine.draining.set()  # streams send their summaries: uvicorn would cut them off
        end = asyncio.get_running_loop().time() + _FAREWELL
        while self.engine.streams and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.02)
        await super().shutdown(sockets)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=2048)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise EmotoneError(f"--host {host} --port {port}: cannot be listened on: {reason}.") from None


def _end(number: int, frame: FrameType | None) -> None:
    """End in order: uvicorn, which has finished by then, raises the signal again."""
    sys.exit(0)
