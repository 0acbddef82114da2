"""Whatever people have a recording in is taken for what it is, or refused by its name."""

import io
import multiprocessing
import os
import pickle
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import torch

from emotone import Part
from emotone.audio import load, read, to_mono
from emotone.errors import AudioError, EmotoneError, UsageError
from emotone.recognition import Recognizer

from ..made_bundles import LABELS

Write = Callable[..., Path]


@pytest.mark.parametrize(
    "give",
    [
        lambda samples, rate: (rate, samples),
        lambda samples, rate: (samples, rate),
        lambda samples, rate: (np.int64(rate), samples),
        lambda samples, rate: (samples, float(rate)),
        lambda samples, rate: (samples, np.array(rate)),
        lambda samples, rate: {"array": samples, "sampling_rate": rate},
        lambda samples, rate: {"path": "nowhere.wav", "array": samples, "sampling_rate": rate},
        lambda samples, rate: {"raw": samples, "sampling_rate": rate},
        lambda samples, rate: (torch.from_numpy(samples), rate),
        lambda samples, rate: (rate, torch.from_numpy(samples).requires_grad_()),
        lambda samples, rate: {"array": torch.from_numpy(samples)[None], "sampling_rate": rate},
        lambda samples, rate: (torch.from_numpy(samples).double(), rate),
        lambda samples, rate: (pd.Series(samples), rate),
        lambda samples, rate: (memoryview(samples), rate),
        lambda samples, rate: (samples.tolist(), rate),
    ],
)
def test_samples_with_their_rate(
    recognizer: Recognizer, clips: list[Path], give: Callable[[np.ndarray, int], Any]
) -> None:
    samples, rate = load(clips[0])
    assert recognizer(give(samples, rate)) == recognizer(clips[0])


def test_samples_of_half_precision_and_integers_as_scipy_and_gradio_give_them(
    recognizer: Recognizer, clips: list[Path]
) -> None:
    samples, rate = load(clips[0])
    expected = list(recognizer(clips[0]).scores.values())
    integers = np.round(samples * 32_768).clip(-32_768, 32_767).astype(np.int16)
    half = torch.from_numpy(samples).to(torch.bfloat16)
    for given in ((rate, integers), (torch.from_numpy(integers), rate), (half, rate)):
        np.testing.assert_allclose(list(recognizer(given).scores.values()), expected, atol=0.02)


def test_the_undecoded_row_of_a_data_set(recognizer: Recognizer, clips: list[Path]) -> None:
    expected = recognizer(clips[0])
    assert recognizer({"bytes": clips[0].read_bytes(), "path": "a name that lies nowhere"}) == expected
    assert recognizer({"bytes": None, "path": str(clips[0])}) == expected


def test_paths_in_a_list_get_a_list(recognizer: Recognizer, clips: list[Path]) -> None:
    expected = recognizer.batch(clips[:2])
    assert recognizer(clips[:2]) == expected
    assert recognizer([str(path) for path in clips[:2]]) == expected
    assert recognizer(tuple(clips[:2])) == expected


def test_a_list_of_whatever_a_recording_is_in_gets_a_list(recognizer: Recognizer, clips: list[Path]) -> None:
    (one, rate), (other, _) = load(clips[0]), load(clips[1])
    expected = recognizer.batch(clips[:2])
    content = [path.read_bytes() for path in clips[:2]]
    row = {"array": other, "sampling_rate": rate}
    for given in (
        content, list(map(bytearray, content)), list(map(io.BytesIO, content)), [{"bytes": content[0]}, clips[1]],
        list(map(Part, clips[:2])), [str(clips[0]), Part(clips[1])], [(one, rate), (other, rate)], [(rate, one), row],
    ):  # fmt: skip
        assert recognizer(given) == expected
    for given in ([one, other], [one.tolist(), torch.from_numpy(other)]):
        assert recognizer(given, rate=rate) == expected
    assert recognizer([]) == []
    for given in (one.tolist(), list(one), list(torch.from_numpy(one))):
        assert recognizer(given, rate=rate) == expected[0]
    with pytest.raises(UsageError, match="NoneType is no recording"):
        recognizer([clips[0], None])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (Part(Part("a.wav")), "Part is no recording; allowed: a path, "),
        (Part(7), "int is no recording"),
        (Part(np.zeros(9)), "needs its rate"),
        (None, "NoneType is no recording; allowed: a path, "),
        (7, "int is no recording"),
        (object(), "object is no recording"),
        ({"audio": 1}, "the keys 'audio' is no recording"),
        ({}, "the keys none is no recording"),
        ((np.zeros(9), "48000"), "'48000'.* is given; of .array, rate. one must be a whole number"),
        ((np.zeros(9), 44_100.5), "44100.5"),
        ((np.zeros(9), True), "True"),
        ((np.zeros(9), np.zeros(9)), r"\(an array, an array\) is given"),
        (np.zeros(9), "needs its rate"),
        ({"array": np.zeros(9)}, "needs its rate"),
    ],
)
def test_what_is_no_recording_is_a_wrong_use_and_named(recognizer: Recognizer, given: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        recognizer(given)


def test_one_bad_item_of_any_kind_costs_no_other(recognizer: Recognizer, clips: list[Path], tmp_path: Path) -> None:
    secret = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(secret))
    bad = [
        None, 7, object(), {"a": 1}, (np.zeros(9), "rate"), np.zeros(9), ("x", "y"), [["ragged"], ["array", "s"]],
        "x" * 300, "a\0b.wav", b"", tmp_path, secret, "", "/dev/null", io.StringIO("text"), io.BytesIO(b"words"),
        (np.full(99, np.nan), 16_000), (np.zeros((9, 9, 9)), 16_000), (np.zeros(9, complex), 16_000),
        Part(clips[0], start=1e6), Part(clips[0], start=2, end=1), Part(clips[0], channel=7), Part("nowhere.wav"),
    ]  # fmt: skip
    with Path(__file__).open(encoding="utf-8") as text:
        bad.append(text)
        sources = [each for one in bad for each in (one, clips[0])]
        results = list(recognizer.each(sources))
    expected = recognizer(clips[0])
    assert [each.emotion for each in results[1::2]] == [expected.emotion] * len(bad)
    for given, found in zip(bad, results[::2], strict=True):
        assert isinstance(found, EmotoneError), given
        assert str(found)


def test_a_text_file_and_a_name_with_a_nul_are_told_as_what_they_are(recognizer: Recognizer) -> None:
    with Path(__file__).open(encoding="utf-8") as text, pytest.raises(AudioError, match=r"open as text.*'rb'"):
        recognizer(text)
    with pytest.raises(AudioError, match=r"'a\\x00b\.wav': is no path"):
        recognizer("a\0b.wav")


def test_a_named_pipe_is_read_to_its_end(recognizer: Recognizer, clips: list[Path], tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    thread = threading.Thread(target=lambda: pipe.write_bytes(clips[0].read_bytes()))
    thread.start()
    assert recognizer(pipe) == recognizer(clips[0])
    thread.join()


@pytest.mark.parametrize(
    ("left", "right"), [(1.0, -1.0), (0.5, -0.55), (-1.0, 1.0)], ids=["inverted", "nearly", "the other way"]
)
def test_channels_that_cancel_each_other_are_noticed(
    recognizer: Recognizer, clips: list[Path], tmp_path: Path, write: Write, left: float, right: float
) -> None:
    samples, rate = load(clips[0], rate=16_000)
    path = write(tmp_path / "inverted.wav", np.stack([left * samples, right * samples]), rate, subtype="FLOAT")
    found = recognizer(path)
    assert found.notes == ("its channels cancel each other; the louder one is taken",)
    louder = right if abs(right) > abs(left) else left
    np.testing.assert_allclose(
        list(found.scores.values()), list(recognizer((louder * samples, rate)).scores.values()), atol=1e-3
    )
    np.testing.assert_allclose(to_mono(read(path)[0]), louder * samples, atol=1e-6)
    stream = recognizer.stream(rate=rate, channels_last=True)
    inverted = np.stack([left * samples, right * samples], axis=1)
    for at in range(0, len(inverted), 777):
        stream.feed(inverted[at : at + 777])
    assert stream.finish().emotion == found.emotion


def test_channels_that_do_not_cancel_are_averaged(recognizer: Recognizer, clips: list[Path]) -> None:
    samples, rate = load(clips[0], rate=16_000)
    noise = np.random.default_rng(0).normal(0, 0.02, (2, len(samples))).astype("f4")
    for right in (samples, np.roll(samples, 40), 0 * samples):
        both = np.stack([samples, right]) + noise
        found = recognizer((both, rate))
        assert found.notes == ()
        np.testing.assert_allclose(to_mono(both), both.mean(axis=0), atol=1e-6)


@pytest.mark.parametrize("size", [7, 64, 4_800])
def test_a_stream_of_blocks_with_channels_last(recognizer: Recognizer, clips: list[Path], size: int) -> None:
    samples, rate = load(clips[0])
    stereo = np.stack([samples, samples], axis=1)
    stream = recognizer.stream(rate=rate, channels_last=True)
    for at in range(0, len(stereo), size):
        stream.feed(stereo[at : at + size])
    result = stream.finish()
    assert result.duration == pytest.approx(len(samples) / rate, abs=1e-4)
    assert result.emotion == recognizer(clips[0]).emotion
    mono = recognizer.stream(rate=rate, channels_last=True)
    for at in range(0, len(samples), size):
        mono.feed(samples[at : at + size, None])
    assert mono.finish() == recognizer(clips[0])


@pytest.mark.parametrize("shape", [(64, 2), (2, 2), (64, 1), (9, 48), (3, 1), (48_000, 2)])
def test_a_shape_that_may_be_meant_either_way_is_refused_and_the_way_out_said(
    recognizer: Recognizer, shape: tuple[int, int]
) -> None:
    words = rf"shape \({shape[0]}, {shape[1]}\).*channels_last=True"
    with pytest.raises(AudioError, match=words):
        recognizer.stream(rate=48_000).feed(np.zeros(shape))
    with pytest.raises(AudioError, match=words):
        recognizer(np.zeros(shape), rate=48_000)
    last, first = recognizer.stream(rate=48_000, channels_last=True), recognizer.stream(rate=48_000)
    last.feed(np.zeros(shape))
    assert last.finish().duration == pytest.approx(shape[0] / 48_000, abs=1e-4)
    first.feed(np.zeros((2, 3)))
    with pytest.raises(AudioError, match="has 1 channels; those before it had 2"):
        first.feed(np.zeros(100))


def test_what_is_cut_short_is_answered_with_a_note_or_refused(
    recognizer: Recognizer, clips: list[Path], tmp_path: Path, write: Write
) -> None:
    samples, rate = load(clips[0], rate=16_000)
    path = write(tmp_path / "cut.wav", samples, rate, subtype="PCM_16")
    path.write_bytes(path.read_bytes()[: -2 * rate])
    found = recognizer(path)
    assert found.duration == pytest.approx(len(samples) / rate - 1, abs=1e-3)
    assert found.notes == (f"cut short: 1.00 of {len(samples) / rate:.2f} s are missing",)
    assert found.to_dict()["notes"] == list(found.notes)
    with pytest.raises(AudioError, match=r"cut\.wav: truncated or damaged: cut short: 1\.00"):
        recognizer(path, strict=True)


@pytest.mark.parametrize("of", ["path", "relative path", "bytes", "emotone's own", "one speaker's"])
def test_a_recogniser_goes_to_other_processes(
    bundle: Path, clips: list[Path], of: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(bundle.parent)
    made = {
        "path": lambda: Recognizer.load(bundle),
        "relative path": lambda: Recognizer.load(bundle.name),
        "bytes": lambda: Recognizer(type(Recognizer.load(bundle).model).load(bundle.read_bytes())),
        "emotone's own": Recognizer.load,
        "one speaker's": lambda: Recognizer.load().adapt(clips[:4]),
    }[of]()
    expected = made(clips[0])
    content = pickle.dumps(made)
    assert len(content) < 50_000 or of in ("bytes", "one speaker's")
    monkeypatch.chdir("/")
    assert pickle.loads(content)(clips[0]) == expected
    if of == "path":
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            assert pool.apply(made, (clips[0],)) == expected
        (found,) = joblib.Parallel(n_jobs=2)([joblib.delayed(made)(clips[0])])
        assert found == expected
        assert made.labels == LABELS
