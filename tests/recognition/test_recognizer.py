"""One call for every kind of recording; a bad one is refused in words."""

import http.server
import json
import os
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

import emotone
from emotone.audio import load, read, resample
from emotone.errors import AudioError, BundleError, UsageError
from emotone.recognition import Recognizer, Result

from ..made_bundles import LABELS

Write = Callable[..., Path]


def scores(result: Result) -> list[float]:
    return list(result.scores.values())


def test_real_clips(recognizer: Recognizer, ravdess: Path, clips: list[Path]) -> None:
    results = recognizer.batch(clips)
    for path, result in zip(clips, results, strict=True):
        samples, rate = read(path)
        assert result.duration == pytest.approx(samples.shape[1] / rate, abs=1e-4)
        assert tuple(result.scores) == LABELS
        assert sum(scores(result)) == pytest.approx(1, abs=1e-9)
        assert result.emotion == max(result.scores, key=result.scores.get)
        assert result.confidence == result.scores[result.emotion]
        assert 1.0 <= result.speech <= result.duration
    assert len({result.emotion for result in results}) >= 3  # it listens


def test_path_string_bytes_file_and_array_are_the_same(recognizer: Recognizer, clips: list[Path]) -> None:
    path = clips[0]
    samples, rate = read(path)
    expected = recognizer(path)
    with path.open("rb") as file:
        others = [recognizer(str(path)), recognizer(path.read_bytes()), recognizer(file)]
    others += [recognizer((samples, rate)), recognizer(samples, rate=rate), recognizer(samples[0].tolist(), rate=rate)]
    assert others == [expected] * len(others)


def test_a_pipe_is_read_to_its_end(recognizer: Recognizer, clips: list[Path]) -> None:
    reading, writing = os.pipe()

    def send() -> None:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(clips[0].read_bytes())

    thread = threading.Thread(target=send)
    thread.start()
    with os.fdopen(reading, "rb") as pipe:
        assert recognizer(pipe) == recognizer(clips[0])
    thread.join()


def test_a_batch_keeps_the_order_and_says_what_each_alone_says(recognizer: Recognizer, clips: list[Path]) -> None:
    sources = [clips[0], (np.zeros(8_000), 16_000), load(clips[1]), clips[2].read_bytes(), *clips[3:]]
    results = recognizer.batch(sources)
    assert len(results) == len(sources)
    assert results[1].emotion == "no speech"
    for source, result in zip(sources, results, strict=True):
        alone = recognizer(source)
        assert (result.emotion, result.duration) == (alone.emotion, alone.duration)
        np.testing.assert_allclose(scores(result), scores(alone), atol=1e-5)


def test_one_bad_recording_among_others(recognizer: Recognizer, clips: list[Path], tmp_path: Path) -> None:
    cut = tmp_path / "cut.wav"
    samples, rate = load(clips[0])
    soundfile.write(cut, np.concatenate([samples] * 40), rate)  # long enough for windows before the end is missed
    half = cut.read_bytes()[: cut.stat().st_size // 2]
    cut.write_bytes(half)
    sources = [clips[0], cut, tmp_path / "absent.wav", clips[1]]
    first, second, third, fourth = recognizer.each(sources, strict=True)
    assert isinstance(second, AudioError) and "truncated" in str(second)
    assert isinstance(third, AudioError) and str(third) == f"{tmp_path / 'absent.wav'}: no such file"
    assert (first, fourth) == (recognizer(clips[0]), recognizer(clips[1]))
    with pytest.raises(AudioError, match="truncated"):
        recognizer.batch(sources, strict=True)


def test_threads_share_one_recognizer(bundle: Path, clips: list[Path]) -> None:
    shared = Recognizer.load(bundle)
    expected = [shared(path) for path in clips[:8]]
    with ThreadPoolExecutor(8) as pool:
        for found, result in zip(pool.map(shared, clips[:8] * 4), expected * 4, strict=True):
            assert found == result


def test_recordings_of_all_kinds(
    recognizer: Recognizer, ravdess: Path, clips: list[Path], tmp_path: Path, write: Write
) -> None:
    samples, rate = load(clips[0])
    expected = recognizer(clips[0])
    telephone = write(tmp_path / "phone.wav", resample(samples, rate, 8_000), 8_000, subtype="ULAW")
    both = resample(samples, rate, 44_100)
    music = write(tmp_path / "both.mp3", np.stack([both, both]), 44_100)
    loudest = int(np.abs(samples).argmax())
    second = write(tmp_path / "second.wav", samples[loudest - rate // 2 : loudest + rate // 2], rate)
    for path in (telephone, music):
        result = recognizer(path)
        assert result.duration == pytest.approx(expected.duration, abs=0.1)
        assert result.speech == pytest.approx(expected.speech, abs=0.3)
    np.testing.assert_allclose(scores(recognizer(music)), scores(expected), atol=0.1)
    result = recognizer(second)
    assert (result.duration, tuple(result.scores)) == (1.0, LABELS)
    assert len([each for each in result.segments if each.emotion != "silence"]) >= 1


@pytest.mark.parametrize("seconds", [0.001, 0.5, 10.0])
def test_silence_is_no_speech(recognizer: Recognizer, tmp_path: Path, write: Write, seconds: float) -> None:
    result = recognizer(write(tmp_path / "silence.wav", np.zeros(round(48_000 * seconds)), 48_000))
    assert (result.emotion, dict(result.scores), result.confidence, result.speech) == ("no speech", {}, 0.0, 0.0)
    assert [(each.start, each.end, each.emotion) for each in result.segments] == [(0.0, seconds, "silence")]
    assert json.loads(result.to_json())["scores"] == {}


def test_bad_recordings_are_refused(recognizer: Recognizer, tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("these are words\n" * 100)
    (tmp_path / "empty.wav").touch()
    for name, words in {"text.wav": "not audio", "empty.wav": "empty", "none.wav": "no such file"}.items():
        with pytest.raises(AudioError, match=rf"{name}: .*{words}"):
            recognizer(tmp_path / name)
    with pytest.raises(UsageError, match="rate"):
        recognizer(np.zeros(100))
    with pytest.raises(AudioError, match="no samples"):
        recognizer(np.zeros(0), rate=16_000)
    with pytest.raises(AudioError, match="channels, samples"):
        recognizer(np.zeros((16_000, 2)), rate=16_000)


def test_windows_that_overlap_far_are_not_all_held(
    recognizer: Recognizer, conversation: tuple[Path, np.ndarray, int], tmp_path: Path, write: Write
) -> None:
    """Two minutes of speech without a pause are 1,200 windows of half a minute: over 1 GB, were all cut at once."""
    sound = np.concatenate([part for part in np.split(conversation[1][: 16_000 * 20], 200) if np.ptp(part) > 0.05])
    path = write(tmp_path / "long.wav", np.resize(sound, 120 * 16_000), 16_000)
    tracemalloc.start()
    result = recognizer(path, window=30, hop=0.1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert result.speech > 60 and peak < 200e6


def test_below_the_least_confidence_it_is_uncertain(recognizer: Recognizer, clips: list[Path]) -> None:
    sure = recognizer(clips[0])
    unsure = recognizer(clips[0], min_confidence=min(1.0, sure.confidence + 1e-3))
    assert unsure.emotion == "uncertain"
    assert (unsure.scores, unsure.confidence) == (sure.scores, sure.confidence)
    assert {each.emotion for each in unsure.segments} == {"silence", "uncertain"}
    assert recognizer(clips[0], min_confidence=sure.confidence).emotion == sure.emotion


def test_results_as_json_and_frame(recognizer: Recognizer, clips: list[Path]) -> None:
    result = recognizer(clips[0])
    told = json.loads(result.to_json())
    assert told == result.to_dict()
    assert told["scores"] == dict(result.scores)
    assert [each["start"] for each in told["segments"]] == [each.start for each in result.segments]
    frame = result.to_frame()
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns) == ["start", "end", "emotion", "confidence", *LABELS]
    spoken = frame[frame.emotion != "silence"]
    np.testing.assert_allclose(spoken[list(LABELS)].sum(axis=1), 1)
    assert frame[frame.emotion == "silence"][list(LABELS)].isna().all(axis=None)


def test_importing_and_recognising_load_nothing_heavy(bundle: Path, clips: list[Path]) -> None:
    script = """
import sys, emotone
assert not {"numpy", "onnxruntime", "emotone.recognition"} & set(sys.modules)
emotone.Recognizer.load(sys.argv[1])(sys.argv[2]).to_json()
heavy = "torch pandas librosa scipy sklearn matplotlib av pyarrow onnx huggingface_hub rich typer".split()
print(*sorted({name.split(".")[0] for name in sys.modules} & set(heavy)))
"""
    done = subprocess.run([sys.executable, "-c", script, bundle, clips[0]], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
    assert emotone.Recognizer is Recognizer
    with pytest.raises(AttributeError, match="Recogniser"):
        emotone.Recogniser  # noqa: B018


def test_models_that_are_not_there(tmp_path: Path, bundle: Path) -> None:
    with pytest.raises(BundleError, match=r"absent\.onnx: no such file"):
        Recognizer.load(tmp_path / "absent.onnx")
    with pytest.raises(UsageError, match=r"the folder holds no emotone\.onnx"):
        Recognizer.load(tmp_path)
    with pytest.raises(UsageError, match=r"nonsense: no such model. Allowed: emotone/probe, .*, a \.onnx file"):
        Recognizer.load("nonsense")
    (tmp_path / "emotone.onnx").write_bytes(bundle.read_bytes())
    assert Recognizer.load(tmp_path).labels == LABELS


class Hub(http.server.BaseHTTPRequestHandler):
    """As much of the Hugging Face hub as serves one file of one repository."""

    content = b""

    def answer(self, body: bool) -> None:
        if self.path != "/org/voice/resolve/main/emotone.onnx":
            self.send_response(404)
            known = self.path.startswith("/org/voice/")
            self.send_header("X-Error-Code", "EntryNotFound" if known else "RepoNotFound")
            if known:
                self.send_header("X-Repo-Commit", "0" * 40)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("ETag", '"abc"')
        self.send_header("X-Repo-Commit", "0" * 40)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        if body:
            self.wfile.write(self.content)

    def do_HEAD(self) -> None:
        self.answer(False)

    def do_GET(self) -> None:
        self.answer(True)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def hub(bundle: Path) -> Iterator[str]:
    handler = type("Serving", (Hub,), {"content": bundle.read_bytes()})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def from_hub(name: str, endpoint: str, home: Path, *, before: str = "") -> subprocess.CompletedProcess[str]:
    """Load a model in a process of its own: where the hub is, is read when its client is imported."""
    script = f"""
import sys
{before}
from emotone import Recognizer
from emotone.errors import EmotoneError
try:
    print(*Recognizer.load(sys.argv[1]).labels)
except EmotoneError as error:
    print(type(error).__name__, error)
"""
    own = {"HF_ENDPOINT": endpoint, "HF_HOME": str(home), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    command = [sys.executable, "-c", script, name]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | own)


def test_a_model_of_the_hub(hub: str, tmp_path: Path) -> None:
    first = from_hub("org/voice", hub, tmp_path)
    assert first.stdout.split() == list(LABELS), first.stderr
    offline = from_hub("org/voice", "http://127.0.0.1:9", tmp_path)
    assert offline.stdout.split() == list(LABELS), "the cache serves it without the hub"


def test_a_hub_that_lacks_it(hub: str, tmp_path: Path) -> None:
    told = from_hub("org/other", hub, tmp_path).stdout
    assert told.startswith("DownloadError org/other: the hub has no such repository"), told
    offline = "import os; os.environ['HF_HUB_OFFLINE'] = '1'"  # else the client tries again for half a minute
    away = from_hub("org/voice", hub, tmp_path, before=offline).stdout
    assert away.startswith("DownloadError org/voice: not in the cache, and the hub cannot be reached"), away
    without = from_hub("org/voice", hub, tmp_path, before="sys.modules['huggingface_hub'] = None").stdout
    assert without.startswith("UsageError org/voice: ") and "pip install emotone[hub]" in without
