"""What the page computes in the browser, part by part, is what Python computes."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import soxr
import webrtcvad

from emotone.audio import load
from emotone.audio.channels import Mixer
from emotone.bundle import BundleInfo
from emotone.bundle.adaptation import Head
from emotone.recognition.stream import Answer, Settings, Track
from emotone.recognition.timeline import Timeline
from emotone.recognition.windows import Window, Windows

Samples = npt.NDArray[np.float32]
Run = Callable[..., Any]
RATE = 16_000
LABELS = ("neutral", "happy", "sad")

_KIT = """() => {
  window.kit = {
    load: (name) => import(`/static/${name}.js`),
    floats: (text) => new Float32Array(Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0)).buffer),
    text: (floats) => {
      const bytes = new Uint8Array(Float32Array.from(floats).buffer);
      let signs = "";
      for (const byte of bytes) signs += String.fromCharCode(byte);
      return btoa(signs);
    },
    blocks: (samples, sizes) => {
      const parts = [];
      for (let at = 0; at < samples.length; at += parts.at(-1).length) {
        parts.push(samples.subarray(at, at + sizes[parts.length % sizes.length]));
      }
      return parts;
    },
    async detector() {
      const { loadDetector } = await kit.load("local/detector");
      return (await loadDetector("/static/vendor/fvad.js", 2))();
    },
  };
}"""


def sent(samples: Samples) -> str:
    """Return samples as text that the page reads by `kit.floats`."""
    return base64.b64encode(samples.astype("<f4").tobytes()).decode()


def received(text: str) -> Samples:
    """Return the samples that the page has written by `kit.text`."""
    return np.frombuffer(base64.b64decode(text), "<f4")


@pytest.fixture(scope="module")
def run(browser: Any, static: str) -> Iterator[Run]:
    """Return a function that runs JavaScript beside the page, whose model need not be loaded."""
    page = browser.new_page()
    page.goto(f"{static}static/config.json")
    page.evaluate(_KIT)
    yield page.evaluate
    page.close()


@pytest.fixture(scope="module")
def sounds(clips: list[Path]) -> list[Samples]:
    """Real speech; and noise, a tone, silence, clipped speech, speech with pauses, next to nothing."""
    real = [load(clip, rate=RATE)[0] for clip in clips]
    noise = np.random.default_rng(0).normal(0, 0.1, 2 * RATE).astype(np.float32)
    tone = (0.3 * np.sin(np.arange(2 * RATE) * 0.2)).astype(np.float32)
    loud = np.clip(30 * real[0], -1, 1)
    pauses = np.concatenate([*real[:4], np.zeros(RATE, np.float32), *real[4:6]])
    return [*real, noise, tone, np.zeros(RATE, np.float32), loud, pauses, real[0][:3000]]


def test_the_detector_decides_as_webrtcvad_frame_by_frame(run: Run, sounds: list[Samples]) -> None:
    voiced = 0
    for samples in sounds:
        heard = (np.clip(samples * 4.0, -1, 1) * 32767).astype("<i2")
        detector = webrtcvad.Vad(2)
        frames = [heard[at : at + 320] for at in range(0, len(heard) - 319, 320)]
        expected = [detector.is_speech(frame.tobytes(), RATE) for frame in frames]
        found = run(
            """async (text) => {
              const isVoiced = await kit.detector();
              const samples = kit.floats(text);
              const found = [];
              for (let at = 0; at + 320 <= samples.length; at += 320) {
                const frame = samples.subarray(at, at + 320);
                found.push(isVoiced(Int16Array.from(frame, (value) =>
                  Math.trunc(Math.fround(Math.max(-1, Math.min(1, 4 * value)) * 32767)))));
              }
              return found;
            }""",
            sent(samples),
        )
        assert found == expected
        voiced += sum(expected)
    assert voiced > 500


@pytest.mark.parametrize("live", [True, False])
def test_windows_are_cut_as_in_python_however_the_sound_comes(run: Run, sounds: list[Samples], live: bool) -> None:
    options = {"window": round(1.3 * RATE), "hop": round(0.4 * RATE), "live": live}
    cut = 0
    for samples in sounds:
        windows = Windows(RATE, **options)  # type: ignore[arg-type]
        expected = [_told(each) for each in [*windows.feed(samples), *windows.finish()]]
        found = run(
            """async ([text, options]) => {
              const { Windows } = await kit.load("local/windows");
              const windows = new Windows(await kit.detector(), options);
              const found = [];
              for (const block of kit.blocks(kit.floats(text), [1, 319, 5000, 77, 48000])) {
                found.push(...windows.feed(block));
              }
              found.push(...windows.finish());
              const loudness = (samples) => samples.reduce((sum, each) => sum + Math.abs(each), 0);
              return found.map(({ origin, start, end, samples, full, last }) =>
                [origin, start, end, full, last, samples.length, loudness(samples)]);
            }""",
            [sent(samples), options],
        )
        assert found == [pytest.approx(each) for each in expected]
        cut += len(expected)
    assert cut > 40


def _told(window: Window) -> tuple[Any, ...]:
    loudness = float(np.abs(window.samples.astype(np.float64)).sum())
    return window.region.start, window.start, window.end, window.full, window.last, len(window.samples), loudness


@pytest.mark.parametrize(("least", "unlike"), [(0.0, 0.0), (0.5, 0.0), (0.0, 0.4)])
def test_a_timeline_is_that_of_python(run: Run, sounds: list[Samples], least: float, unlike: float) -> None:
    hop = round(0.4 * RATE)
    draw = np.random.default_rng(1)
    emotions = set()
    for samples in sounds:
        windows = Windows(RATE, window=round(1.3 * RATE), hop=hop, live=False)
        cut = [*windows.feed(samples), *windows.finish()]
        answers = draw.dirichlet([0.6, 0.6, 0.6], len(cut)).astype(np.float32)
        far = (draw.uniform(size=len(cut)) < unlike).tolist()
        timeline = Timeline(LABELS, rate=RATE, hop=hop)
        for window, answer, each in zip(cut, answers, far, strict=True):
            timeline.add(window, answer, far=each)
        duration = round(len(samples) / RATE, 4)
        expected = timeline.result(duration, min_confidence=least).to_dict()
        found = run(
            """async ([cut, answers, far, labels, hop, duration, least]) => {
              const { Timeline } = await kit.load("local/timeline");
              const timeline = new Timeline(labels, 16000, hop);
              cut.forEach(([origin, start, end, full, last], at) =>
                timeline.add({ origin, start, end, full, last }, Float32Array.from(answers[at]), far[at]));
              return timeline.result(duration, least);
            }""",
            [[_told(each)[:5] for each in cut], answers.tolist(), far, LABELS, hop, duration, least],
        )
        assert {**found, "scores": None, "confidence": None, "segments": None} == {
            **expected,
            "scores": None,
            "confidence": None,
            "segments": None,
        }
        assert found["scores"] == pytest.approx(expected["scores"], abs=1e-12)
        for one, other in zip(found["segments"], expected["segments"], strict=True):
            assert one["scores"] == pytest.approx(other["scores"], abs=1e-12)
            assert {name: one[name] for name in ("start", "end", "emotion")} == {
                name: other[name] for name in ("start", "end", "emotion")
            }
            emotions.add(one["emotion"])
    assert emotions >= {"silence", *LABELS} and (least + unlike == 0) == ("uncertain" not in emotions)


@pytest.mark.parametrize(
    ("rate", "apart"), [(48_000, 1e-6), (32_000, 1e-6), (24_000, 1e-6), (8_000, 1e-6), (44_100, 1e-3), (22_050, 1e-3)]
)
def test_resampling_is_soxrs(run: Run, clips: list[Path], rate: int, apart: float) -> None:
    samples, own = load(clips[0])
    given = soxr.resample(samples, own, rate).astype(np.float32)
    expected = np.clip(soxr.resample(given, rate, RATE, quality="HQ"), -1, 1)
    found = run(
        """async ([text, rate]) => {
          const { Resampler, joined } = await kit.load("local/resampler");
          const resampler = new Resampler(rate, 16000);
          const parts = kit.blocks(kit.floats(text), [1, 2048, 333]).map((block) => resampler.feed(block));
          return kit.text(joined(...parts, resampler.finish()));
        }""",
        [sent(given), rate],
    )
    made = received(found)
    assert len(made) == len(expected)
    assert np.abs(made - expected).max() < apart * np.abs(expected).max()


def test_channels_that_cancel_each_other_are_told(run: Run, clips: list[Path]) -> None:
    samples, rate = load(clips[0])
    other = np.concatenate([samples[: rate // 10], -samples[rate // 10 :]])
    mixer = Mixer(rate)
    expected = np.concatenate([mixer.feed(np.stack([samples, other])), mixer.finish()])
    found, cancelled = run(
        """async ([one, other, rate]) => {
          const { Mixer } = await kit.load("local/mixer");
          const mixer = new Mixer(rate);
          const channels = [one, other].map(kit.floats);
          const mixed = [];
          for (let at = 0; at < channels[0].length; at += 3 * mixer.step) {
            mixed.push(...mixer.mix(channels.map((channel) => channel.subarray(at, at + 3 * mixer.step))));
          }
          return [kit.text(mixed), mixer.cancelled];
        }""",
        [sent(samples), sent(other), rate],
    )
    assert cancelled is mixer.cancelled is True
    np.testing.assert_allclose(received(found), expected, atol=1e-7)


@pytest.mark.parametrize(("form", "subtype"), [("WAV", None), ("FLAC", None), ("OGG", "VORBIS"), ("MP3", None)])
@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_the_rate_that_a_file_states_is_found(
    run: Run, tmp_path: Path, form: str, subtype: str | None, rate: int
) -> None:
    path = tmp_path / "sound"
    soundfile.write(path, np.zeros((rate, 2)), rate, format=form, subtype=subtype)
    found = run(
        """async (bytes) => (await kit.load("decode")).rateOf(new DataView(Uint8Array.from(bytes).buffer))""",
        list(path.read_bytes()[:4096]),
    )
    assert found == rate


@pytest.mark.parametrize(
    ("value", "digits"),
    [(0.5, 0), (1.5, 0), (2.5, 0), (0.03125, 4), (0.09375, 4), (1.0005, 3), (2.675, 2), (61.4999, 0)],
)
def test_numbers_are_rounded_as_in_python(run: Run, value: float, digits: int) -> None:
    found = run(
        """async ([value, digits]) => (await kit.load("local/numbers")).round(value, digits)""", [value, digits]
    )
    assert found == round(value, digits)


def test_speech_unlike_that_of_training_is_told_as_by_python(run: Run, sounds: list[Samples]) -> None:
    draw = np.random.default_rng(2)
    head = Head(
        weight=((0.0,) * 8,) * len(LABELS),
        bias=(0.0,) * len(LABELS),
        mean=tuple(draw.normal(size=8).tolist()),
        deviation=tuple(draw.uniform(0.5, 2, 8).tolist()),
        reach=1.2,
    )
    info = BundleInfo(
        name="made", version="0", labels=LABELS, rate=RATE, window=1.3, hop=0.4, temperature=1, licence="CC0",
        trained_on={}, intended_use="tests", limits="says nothing", recipe={}, head=head,
    )  # fmt: skip
    told = []
    for samples in sounds:
        track = Track(info, RATE, Settings.of(info), live=False)
        cut = [*track.push(samples[None]), *track.close()]
        answers = draw.dirichlet([0.6, 0.6, 0.6], len(cut)).astype(np.float32)
        embeddings = draw.normal(size=(len(cut), 8)).astype(np.float32) * head.deviation + head.mean
        for window, answer, embedding, far in zip(cut, answers, embeddings, head.are_far(embeddings), strict=True):
            track.add(window, Answer(answer, embedding, bool(far)))
        expected = track.result()
        found = run(
            """async ([text, answers, embeddings, card]) => {
              const { Track } = await kit.load("local/track");
              const track = new Track(card, 16000, await kit.detector(), { least: null, live: false });
              const cut = [...track.push([kit.floats(text)]), ...track.close()];
              cut.forEach((window, at) =>
                track.add(window, { probabilities: Float32Array.from(answers[at]), embedding: embeddings[at] }));
              return track.result();
            }""",
            [sent(samples), answers.tolist(), embeddings.tolist(),
             info.model_dump(mode="json", exclude={"head"}) | {"near": head.model_dump(mode="json")}],
        )  # fmt: skip
        assert found["notes"] == list(expected.notes)
        assert [each["emotion"] for each in found["segments"]] == [each.emotion for each in expected.segments]
        assert found["emotion"] == expected.emotion
        told += expected.notes
    assert any("unlike what the model was trained on" in note for note in told)
