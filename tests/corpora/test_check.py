"""Check finds each fault that is put into a corpus, and nothing else."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from emotone.corpora import synthetic
from emotone.corpora.check import check
from emotone.errors import CorpusError

A = "Actor_01/03-01-0"


@pytest.fixture(scope="module")
def one_actor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic.write(tmp_path_factory.mktemp("data") / "ravdess", actors=[1])


@pytest.fixture
def faulty(one_actor: Path, tmp_path: Path) -> Path:
    root = tmp_path / "ravdess"
    (root / "Actor_01").mkdir(parents=True)
    for file in (one_actor / "Actor_01").iterdir():
        (root / "Actor_01" / file.name).write_bytes(file.read_bytes())
    return root


def files(findings) -> list[str]:
    return [finding.file for finding in findings]


def test_each_fault_is_found_and_nothing_else(faulty: Path) -> None:
    def path(rest: str) -> Path:
        return faulty / f"{A}{rest}.wav"

    original, rate = soundfile.read(path("3-01-01-01-01"))
    loud = np.clip(original * 2 / np.abs(original).max(), -1, 1)
    path("3-01-01-02-01").write_bytes(path("3-01-01-02-01").read_bytes()[:1000])
    path("4-01-01-01-01").write_bytes(b"")
    soundfile.write(path("5-01-01-01-01"), np.full(8000, 5e-5), rate, subtype="PCM_24")
    soundfile.write(path("6-01-01-01-01"), loud, rate)
    soundfile.write(path("7-01-01-01-01"), 0.6 * loud, rate)  # clipped, then turned down
    soundfile.write(path("8-01-01-01-01"), original / np.abs(original).max(), rate)  # loud, not clipped
    soundfile.write(path("2-01-01-01-01"), np.stack([original, original], axis=1), rate)  # a stereo copy
    path("1-01-01-01-01").unlink()
    (faulty / "Actor_01" / "take two.wav").write_bytes(path("3-01-01-01-01").read_bytes())

    done: list[tuple[int, int]] = []
    report = check("ravdess", data=faulty, on_progress=lambda *progress: done.append(progress))

    assert files(report.unreadable) == [f"{A}3-01-01-02-01.wav", f"{A}4-01-01-01-01.wav"]
    assert "empty" in report.unreadable[1].reason
    assert files(report.silent) == [f"{A}5-01-01-01-01.wav"]
    assert files(report.clipped) == [f"{A}6-01-01-01-01.wav", f"{A}7-01-01-01-01.wav"]
    assert files(report.duplicated) == [f"{A}3-01-01-01-01.wav"]
    assert f"{A}2-01-01-01-01.wav" in report.duplicated[0].reason
    assert files(report.unparsed) == ["Actor_01/take two.wav"]
    assert len(report.missing) == 1 + 23 * 60
    assert report.missing[0].file == "03-01-01-01-01-01-01"
    assert done == [(number, 59) for number in range(1, 60)]
    assert not report.clean


def test_a_sound_corpus_lacks_only_what_is_missing(one_actor: Path) -> None:
    report = check("ravdess", data=one_actor)
    assert [kind for kind, findings in report.by_kind().items() if findings] == ["missing"]
    assert report.files == 60


def test_a_recording_in_two_formats_is_duplicated_by_name(one_actor: Path, tmp_path: Path) -> None:
    name = f"{A}3-01-01-01-01"
    (tmp_path / "ravdess/Actor_01").mkdir(parents=True)
    samples, rate = soundfile.read(one_actor / f"{name}.wav", dtype="int16")
    for suffix in ("wav", "flac"):
        soundfile.write(tmp_path / f"ravdess/{name}.{suffix}", samples, rate)
    report = check("ravdess", data=tmp_path)
    assert files(report.duplicated) == [f"{name}.wav"]
    assert "by its name" in report.duplicated[0].reason


def test_other_corpora_are_counted(tmp_path: Path, record) -> None:
    record(tmp_path / "savee/ALL/DC_a01.wav")
    (finding,) = check("savee", data=tmp_path).missing
    assert "1 recordings, 479 fewer" in finding.reason


def test_a_manifest_is_checked_for_files_that_do_not_exist(tmp_path: Path, record) -> None:
    record(tmp_path / "here.wav", seed=1)
    record(tmp_path / "copy.flac", seed=1)
    (tmp_path / "m.csv").write_text("file,emotion,speaker\nhere.wav,sad,a\ngone.wav,sad,a\ncopy.flac,sad,b\n")
    report = check(str(tmp_path / "m.csv"))
    assert files(report.missing) == ["gone.wav"]
    assert files(report.duplicated) == ["here.wav"]
    assert report.files == 2


def test_folders_are_checked(tmp_path: Path, record) -> None:
    record(tmp_path / "sad" / "a.wav")
    (tmp_path / "sad" / "b.wav").write_bytes(b"no audio")
    assert files(check(str(tmp_path)).unreadable) == ["sad/b.wav"]


def test_an_empty_folder_is_no_corpus(tmp_path: Path) -> None:
    (tmp_path / "ravdess").mkdir()
    with pytest.raises(CorpusError, match="holds no recording of ravdess"):
        check("ravdess", data=tmp_path)


def test_real_ravdess_has_one_clip_under_two_names(ravdess: Path) -> None:
    report = check("ravdess", data=ravdess)
    assert files(report.duplicated) == ["Actor_07/03-01-03-01-02-02-07.flac"]
    assert "Actor_07/03-01-03-01-02-01-07.flac" in report.duplicated[0].reason
    assert [kind for kind, findings in report.by_kind().items() if findings] == ["duplicated"]
    assert report.files == 1440
