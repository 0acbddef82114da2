"""`emotone predict --adapt`: what is of one voice is known before it is answered."""

import io
import json
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from emotone import corpora
from emotone.audio import load
from emotone.cli.voices import by_voice
from emotone.recognition import Recognizer
from emotone.recognition.asked import Asked
from emotone.recognition.recognizer import Options

from ..made_bundles import make_bundle
from ..recognition.test_speaker import HEAD

Emotone = Callable[..., Any]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("able") / "able.onnx", head=HEAD)


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory, clips: list[Path]) -> Path:
    """Folders `loud` and `quiet` of the same ten recordings, and `few` of two."""
    folder = tmp_path_factory.mktemp("calls")
    for name, gain, count in (("loud", 1.0, 10), ("quiet", 0.1, 10), ("few", 0.1, 2)):
        (folder / name).mkdir()
        for number, path in enumerate(clips[:count]):
            samples, rate = load(path, rate=16_000)
            soundfile.write(folder / name / f"{number}.wav", gain * 0.4 * samples / np.abs(samples).max(), rate)
    return folder


def happy(emotone: Emotone, *arguments: Any) -> dict[str, float]:
    done = emotone("predict", *arguments, "--format", "json", "--window", "1", "--hop", "0.5")
    assert done.code == 0, done.err
    named = ((Path(each["file"]), each["scores"]["happy"]) for each in json.loads(done.out))
    return {f"{path.parent.name}/{path.name}": score for path, score in named}


def test_each_folder_is_a_voice_and_one_with_little_speech_is_not(emotone: Emotone, model: Path, calls: Path) -> None:
    plain = happy(emotone, calls, "--model", model)
    done = emotone("predict", calls, "--model", model, "--adapt", "folder", "--window", "1", "--hop", "0.5")
    assert "few/0.wav and 1 more of the same voice: too little speech" in done.err
    known = happy(emotone, calls, "--model", model, "--adapt", "folder")
    assert list(known) == list(plain), "in the same order"
    differ = {
        name: max(abs(told[f"loud/{number}.wav"] - told[f"quiet/{number}.wav"]) for number in range(10))
        for name, told in (("plain", plain), ("known", known))
    }
    left = 0.5 if corpora.find("ravdess") else 0.8  # synthetic clips are short
    assert differ["known"] < left * differ["plain"]
    few = [f"few/{number}.wav" for number in range(2)]
    assert [known[name] for name in few] == pytest.approx([plain[name] for name in few], abs=1e-5)
    parts = [calls / "quiet" / f"{number}.wav" for number in range(10)]
    recogniser = Recognizer.load(model)
    vectors = np.concatenate([recogniser.embed(part, window=1, hop=0.5).vectors for part in parts])
    alone = recogniser.knowing(vectors)(parts[3], window=1, hop=0.5)
    assert known["quiet/3.wav"] == pytest.approx(alone.scores["happy"], abs=1e-5)


def test_a_speaker_is_a_voice_wherever_its_rows_stand(
    emotone: Emotone, model: Path, calls: Path, tmp_path: Path
) -> None:
    table = tmp_path / "calls.csv"
    rows = [f"{calls}/{name}/{number}.wav,{name}" for number in range(10) for name in ("loud", "quiet")]
    table.write_text("\n".join(["file,speaker", *rows]) + "\n")
    by_folder = happy(emotone, calls / "loud", calls / "quiet", "--model", model, "--adapt", "folder")
    assert happy(emotone, table, "--model", model, "--adapt", "speaker") == pytest.approx(by_folder, abs=1e-5)


def test_a_speaker_of_an_rttm_is_a_voice_of_one_recording(
    emotone: Emotone, model: Path, calls: Path, tmp_path: Path
) -> None:
    """Diarisers count each recording's speakers from 0."""
    for name in ("loud", "quiet"):
        whole = np.concatenate([load(calls / name / f"{number}.wav", rate=16_000)[0] for number in range(10)])
        soundfile.write(tmp_path / f"{name}.wav", whole, 16_000)
    scores = {}
    for how, speakers in (("counted", ("SPEAKER_00", "SPEAKER_00")), ("named", ("anna", "ben"))):
        lines = zip(("loud", "quiet"), speakers, strict=True)
        text = "".join(f"SPEAKER {name} 1 0 8 <NA> <NA> {speaker} <NA> <NA>\n" for name, speaker in lines)
        (tmp_path / "d.rttm").write_text(text)
        given = (tmp_path / "loud.wav", tmp_path / "quiet.wav", "--segments-from", tmp_path / "d.rttm")
        scores[how] = happy(emotone, *given, "--model", model, "--adapt", "speaker")
    assert scores["counted"] == scores["named"]


def test_a_recording_is_its_own_voice_through_a_pipe_too(
    emotone: Emotone, model: Path, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = np.concatenate([load(calls / "quiet" / f"{number}.wav", rate=16_000)[0] for number in range(10)])
    soundfile.write(calls.parent / "long.wav", whole, 16_000)
    known = happy(emotone, calls.parent / "long.wav", "--model", model, "--adapt", "recording")
    assert known != happy(emotone, calls.parent / "long.wav", "--model", model)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper((calls.parent / "long.wav").open("rb")))
    assert list(happy(emotone, "-", "--model", model, "--adapt", "recording").values()) == pytest.approx(
        list(known.values()), abs=1e-5
    )


def test_a_voice_is_forgotten_once_all_of_it_is_answered(model: Path, calls: Path) -> None:
    loud, quiet = ([calls / name / f"{number}.wav" for number in range(10)] for name in ("loud", "quiet"))
    rows = [*((path, "loud") for path in loud[:5]), *((path, "quiet") for path in quiet)]
    rows += [(path, "loud") for path in loud[5:]]
    rows += [(path, f"quiet {part}") for part in range(5) for path in quiet]
    asked = [Asked(str(path), path, speaker=speaker) for path, speaker in rows]
    options: Options = {"window": 1.0, "hop": 0.5}
    voices, alive = [], []
    for known, group in by_voice(asked, None, Recognizer.load(model), "speaker", options, diarised=False):
        voices.append((group[0].speaker, len(group), weakref.ref(known.model)))
        del known
        alive.append([who for who, _, held in voices if held() is not None])
    assert [(who, count) for who, count, _ in voices[:3]] == [("loud", 5), ("quiet", 10), ("loud", 5)]
    assert voices[0][2] is voices[2][2], "known once, though it is met twice"
    assert alive == [["loud"], ["loud"], [], *[[]] * 5]


def test_what_is_no_voice_is_refused(emotone: Emotone, model: Path, calls: Path, tmp_path: Path) -> None:
    for by, said in (("person", "Unknown voice 'person'"), ("speaker", "0.wav states none")):
        done = emotone("predict", calls / "few", "--model", model, "--adapt", by)
        assert done.code == 2 and said in done.err and not done.out
    unable = make_bundle(tmp_path / "unable.onnx")
    done = emotone("predict", calls / "loud", "--model", unable, "--adapt", "folder")
    assert done.code == 2 and "cannot adapt" in done.err
