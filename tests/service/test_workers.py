"""Decoding in processes of their own: what happens to one happens to nobody else."""

import asyncio
import contextlib
import functools
import importlib
import io
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from emotone.bundle import Bundle
from emotone.bundle.hub import locate
from emotone.errors import AudioError
from emotone.service.shared import SharedBundle
from emotone.service.wire import Message, understood
from emotone.service.workers import Pool

from .client import Client

Run = Callable[..., list[object]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what lets a pool of one worker do things, and gives what came of each."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))  # where processes look for it
    return functools.partial(fulfil, importlib.import_module("hostile").Hostile())


def fulfil(work: Callable[[Connection], None], *wishes: str) -> list[object]:
    number: Any = importlib.import_module("hostile").Number

    async def go() -> list[object]:
        pool = Pool(work, workers=1, memory=256 << 20, seconds=0.5, most=1_000)
        try:
            asked = (pool.run(Message(b"", wish.encode()), lambda told: understood(number, told)) for wish in wishes)
            found = [(await asyncio.gather(each, return_exceptions=True))[0] for each in asked]
            return [getattr(each, "number", each) for each in found]
        finally:
            pool.stop()

    return asyncio.run(go())


def test_a_job_that_ends_its_worker_is_refused_and_the_next_gets_a_fresh_one(run: Run) -> None:
    first, crashed, second = run("pid", "crash", "pid")
    assert isinstance(crashed, AudioError) and "ends the program" in str(crashed)
    assert isinstance(second, int) and second != first


def test_a_job_that_takes_too_long_is_ended(run: Run) -> None:
    begun = time.perf_counter()
    first, late, second = run("pid", "hang", "pid")
    assert isinstance(late, AudioError) and "longer than 0.5 s" in str(late)
    assert isinstance(second, int) and second != first
    assert time.perf_counter() - begun < 20


def test_a_job_that_wants_too_much_memory_is_refused_and_its_worker_goes_on(run: Run) -> None:
    first, greedy, second = run("pid", "memory", "pid")
    assert isinstance(greedy, AudioError) and "more memory" in str(greedy)
    assert first == second


def test_an_unforeseen_error_is_the_recordings(run: Run) -> None:
    (failed,) = run("fault")
    assert isinstance(failed, AudioError) and "ZeroDivisionError" in str(failed)


def test_a_crash_leaves_no_core_in_which_sound_would_be(run: Run) -> None:
    assert run("core") == [0]


def test_workers_are_killed_while_they_work_and_wait(start: Callable[..., Client], clips: list[Path]) -> None:
    """Whoever kills them, the out-of-memory killer for instance: nobody is answered wrongly, or not at all."""
    service = start(workers=2)
    assert service.engine
    expected = service.recognize(clips[0])
    over = threading.Event()
    killed: list[int] = []

    def kill() -> None:
        while not over.wait(0.15):
            for pid in service.engine.pool.pids[:1]:  # type: ignore[union-attr]
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)

    killer = threading.Thread(target=kill)
    killer.start()
    asked, replies = [], []

    def ask() -> None:
        own = 0
        while own < 8 or len(set(killed)) < 3:
            own += 1
            asked.append(own)
            replies.append(service.post("/v1/recognize", clips[0]))

    asking = [threading.Thread(target=ask) for _ in range(4)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    over.set()
    killer.join()
    assert len(replies) == len(asked) >= 32 and len(set(killed)) >= 3
    for reply in replies:
        assert reply.status in (200, 422), reply.body  # 422: two of its workers were killed
        if reply.status == 200:
            assert reply.json["answers"][0]["emotion"] == expected[0]["emotion"]
    for pid in service.engine.pool.pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)  # while they wait
    assert [service.post("/v1/recognize", clips[0]).status for _ in range(4)] == [200] * 4
    assert len(service.engine.pool.pids) == 2


def test_a_file_whose_head_asks_for_all_memory_is_refused(start: Callable[..., Client]) -> None:
    """1,024 channels of silence are a small file."""
    service = start(workers=1, decoder=64 << 20)
    sound = io.BytesIO()
    soundfile.write(sound, np.zeros((20_000, 1_000), np.int16), 8_000, format="WAV")
    reply = service.post("/v1/recognize", ("wide.wav", sound.getvalue()))
    assert reply.status in (200, 422), reply.body
    assert service.post("/v1/recognize", ("wide.wav", sound.getvalue()[:100_000])).status in (200, 422)


def test_what_waits_together_is_asked_together_and_everybody_gets_their_own() -> None:
    shared, alone = (kind.load(locate("emotone/tiny")) for kind in (SharedBundle, Bundle))
    drawn = np.random.default_rng(0)
    clips = [drawn.normal(0, 0.1, (1, length)).astype(np.float32) for length in [16_000, 22_400] * 20]
    with ThreadPoolExecutor(40) as callers:
        asked = [callers.submit(shared.run, clip) for clip in clips]
        shared.start(1)
        found = [each.result() for each in asked]
    shared.stop()
    for clip, outputs in zip(clips, found, strict=True):
        own = alone.run(clip)
        assert np.abs(outputs.probabilities - own.probabilities).max() < 1e-6
        assert np.abs(outputs.embedding - own.embedding).max() < 1e-4
        assert outputs.attention is not None and own.attention is not None
        trimmed = np.trim_zeros(outputs.attention[0], "b")
        assert np.abs(trimmed - np.trim_zeros(own.attention[0], "b")).max() < 1e-6
    assert shared.sizes[2] > 10 and sum(size * times for size, times in shared.sizes.items()) == 40


def test_a_network_of_8_bits_answers_to_the_last_digit_whoever_asks_beside() -> None:
    """In whose products a difference of rounding, as a batch makes it, now and then becomes one of 1e-4."""
    shared, alone = (kind.load(locate("emotone/large")) for kind in (SharedBundle, Bundle))
    drawn = np.random.default_rng(0)
    clips = [drawn.normal(0, 0.1, (2, length)).astype(np.float32) for length in (8_000, 8_000, 8_320, 12_000)]
    shared.start(2)
    with ThreadPoolExecutor(4) as callers:
        found = list(callers.map(shared.run, clips))
    shared.stop()
    for clip, outputs in zip(clips, found, strict=True):
        assert np.array_equal(outputs.probabilities, alone.run(clip).probabilities)
    assert shared.sizes == {2: 4}


@pytest.mark.parametrize("threads", [1, 3])
def test_a_network_that_fails_tells_those_who_asked_and_goes_on(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = SharedBundle.load(locate("emotone/tiny"))
    shared.start(threads)
    try:
        sound = np.random.default_rng(0).normal(0, 0.1, (3, 16_000)).astype(np.float32)
        with monkeypatch.context() as patch:
            patch.setattr(Bundle, "run", lambda *_: (_ for _ in ()).throw(MemoryError("all of it")))
            with pytest.raises(MemoryError, match="all of it"):
                shared.run(sound)
        outputs, alone = shared.run(sound, np.array([16_000, 9_000, 15_000])), Bundle.load(locate("emotone/tiny"))
        for row, length, found in zip(sound, (16_000, 9_000, 15_000), outputs.probabilities, strict=True):
            assert np.allclose(found, alone.run(row[None, :length]).probabilities[0], atol=1e-6)
    finally:
        shared.stop()
    with pytest.raises(RuntimeError, match="stopped"):
        shared.run(sound)
