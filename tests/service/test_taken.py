"""A worker that a file has taken over: nothing that it sends is run, or believed; what a sound one sends arrives."""

import importlib
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emotone.errors import AudioError, EmotoneError
from emotone.recognition import Recognizer
from emotone.recognition.stream import Settings as Asked
from emotone.service.heard import packed
from emotone.service.listening import Job, Listener
from emotone.service.wire import TooLongError, failure, understood
from emotone.service.workers import Pool

from .client import Client

FILES = """bomb; bomb in the body; garbage; nothing; deep; a head without end; a body without end; a length below none;
    fewer regions than said; more regions than said; speech cut short; speech too long; no whole samples; not a number;
    far too loud; a region turned round; a region beyond the end; regions that overlap; a recording of years;
    another channel; no channel; another type; an unknown error"""
STREAMS = "bomb; garbage; nothing; a body without end; another rate; no channels; sound without end"


def several(wishes: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("wish", [" ".join(wish.split()) for wish in wishes.split(";")])


@pytest.fixture(scope="module")
def mark(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is there once a worker's answer was run."""
    return tmp_path_factory.mktemp("taken") / "run"


@pytest.fixture(scope="module")
def taken(start: Callable[..., Client], mark: Path) -> Iterator[Client]:
    """A service, all of whose workers are taken over; uploads say what is sent to it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent))  # where processes look for it
        work: Any = importlib.import_module("hostile").Taken(mark)
        patch.setattr("emotone.service.engine.Pool", lambda _, **options: Pool(work, **options))
        patch.setattr("emotone.service.engine.decode_live", work)
        yield start(workers=1, sound=8 << 20)


@several(FILES)
def test_what_it_answers_to_a_file_is_refused(taken: Client, mark: Path, wish: str) -> None:
    reply = taken.call("/v1/recognize", wish.encode(), content_type="audio/wav")
    assert (reply.status, reply.json["detail"]) == (422, "cannot be decoded: it ends the program that tries")
    assert not mark.exists()


@several(STREAMS)
def test_what_it_answers_to_a_stream_is_refused(taken: Client, mark: Path, wish: str) -> None:
    said, code = taken.listen([wish.encode()], format="webm")
    assert (said[-1]["type"], said[-1]["status"], code) == ("error", 422, 1008), said
    assert "ended the program" in said[-1]["detail"] and not mark.exists()


def test_the_bomb_would_go_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    hostile = importlib.import_module("hostile")
    pickle.loads(pickle.dumps(hostile._Bomb(tmp_path / "run")))
    assert (tmp_path / "run").exists()


@pytest.mark.parametrize("options", [{}, {"window": 1.0, "hop": 0.3}, {"window": 0.5, "hop": 0.5}, {"window": 60.0}])
@pytest.mark.parametrize("channels", [None, ()])
def test_windows_arrive_as_they_were_cut(
    library: Recognizer, clips: list[Path], options: dict[str, float], channels: tuple[int, ...] | None
) -> None:
    info = library.model.info
    listener = Listener(info, 60.0, 8)
    job = Job(clips[0].read_bytes(), channels, Asked.of(info, **options))
    heard = listener.listen(job)
    assert heard[0].windows
    for sent, got in zip(heard, listener.heard(job, packed(heard)), strict=True):
        assert (sent.channel, sent.duration, sent.notes, sent.size) == (got.channel, got.duration, got.notes, got.size)
        for window, own in zip(sent.windows, got.windows, strict=True):
            assert np.array_equal(window.samples, own.samples)
            assert (window.start, window.end, window.full, window.last) == (own.start, own.end, own.full, own.last)
            assert (window.region.index, window.region.start) == (own.region.index, own.region.start)


@pytest.mark.parametrize("kind", [TooLongError, AudioError, EmotoneError])
def test_errors_arrive_as_what_they_are(kind: type[EmotoneError]) -> None:
    with pytest.raises(EmotoneError, match=r"^audio: é$") as caught:
        understood(Any, failure(kind("audio: é")))  # type: ignore[arg-type]
    assert type(caught.value) is kind
