"""How much the service takes on, and from whom."""

from dataclasses import dataclass
from pathlib import Path

from emotone.errors import UsageError

__all__ = ["Settings"]

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Settings:
    """What `emotone serve` is told, and the limits that stand.

    Attributes:
        model: as in `emotone.bundle.hub.locate`.
        host, port: where to listen; port 0 takes a free one.
        workers: processes that decode, and threads that ask the network.
        keys: file of API keys; None lets everybody in.
        origins: of web pages that may call the service, beside its own.
        size: of a request's body, in bytes.
        duration: of a recording, in seconds; each channel that is listened to by itself counts.
        waiting: requests that are worked on or wait for it; more are refused.
        streams: that are open at a time.
        rate: requests a minute for each key, where the file of keys does not say.
        channels: of a recording that may be listened to by themselves.
        files: of one request.
        overlap: how many windows may cover one moment: window over hop.
        frame: of a stream, in bytes.
        stream: seconds of sound that one stream may have.
        idle: seconds without a message after which a stream is closed.
        quiet: seconds after which a connection without a request is closed.
        stalled: seconds that a client may take to send a request's body, or to take a stream's message.
        decoding: seconds that one recording may take to decode.
        decoder: bytes that decoding may need beside what a worker has at its start.
        bodies: bytes of all requests' bodies at a time.
        sound: bytes of all decoded recordings at a time.
        acquaintance: seconds for which a speaker is known.
        speakers: that are known at a time.
        grace: seconds that what was taken may need when the service stops.
    """

    model: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    keys: Path | None = None
    origins: tuple[str, ...] = ()
    size: int = 64 * MIB
    duration: float = 600.0
    waiting: int = 64
    streams: int = 64
    rate: int = 600
    channels: int = 8
    files: int = 32
    overlap: int = 16
    frame: int = MIB
    stream: float = 4 * 3600.0
    idle: float = 30.0
    quiet: int = 10
    stalled: float = 60.0
    decoding: float = 30.0
    decoder: int = 1024 * MIB
    bodies: int = 512 * MIB
    sound: int = 512 * MIB
    acquaintance: float = 3600.0
    speakers: int = 1000
    grace: float = 60.0

    def __post_init__(self) -> None:
        for option, value in (
            ("workers", self.workers),
            ("max-size", self.size),
            ("max-duration", self.duration),
            ("max-waiting", self.waiting),
            ("max-streams", self.streams),
            ("rate", self.rate),
        ):
            if value < 1:
                raise UsageError(f"--{option} is {value:g}; it must be at least 1.")
        if not 0 <= self.port <= 65_535:
            raise UsageError(f"--port is {self.port}; it must lie in 0 to 65535.")
        for origin in self.origins:
            scheme, _, host = origin.partition("://")
            if scheme not in ("http", "https") or not host or set(host) & set("/?#*@ "):
                raise UsageError(f"--allow-origin {origin}: allowed is a scheme and a host, as https://example.org")

    @property
    def limits(self) -> dict[str, float]:
        """What a caller has to keep to."""
        return {
            "size": self.size,
            "duration": self.duration,
            "channels": self.channels,
            "files": self.files,
            "overlap": self.overlap,
            "streams": self.streams,
            "stream_frame": self.frame,
            "stream_duration": self.stream,
            "stream_idle": self.idle,
        }
