"""A user's manifest: CSV, JSONL and Parquet say the same, and what is wrong is named by line."""

import json
from pathlib import Path

import pytest

from emotone import corpora
from emotone.corpora.manifest import read_manifest
from emotone.errors import CorpusError

ROWS = [
    {"file": "b/two.wav", "emotion": "Anger", "speaker": "", "gender": "F", "repetition": "2", "room": "hall"},
    {"file": "a/one.wav", "emotion": "contempt", "speaker": "s1", "gender": "", "repetition": "", "room": ""},
]


def write_csv(path: Path, rows: list[dict[str, str]]) -> Path:
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)] if rows else ["file,emotion,speaker"]
    path.write_text("\ufeff" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_jsonl(path: Path, rows: list[dict[str, str]]) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n\n", encoding="utf-8")
    return path


def write_parquet(path: Path, rows: list[dict[str, str]]) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


WRITERS = {"csv": write_csv, "jsonl": write_jsonl, "parquet": write_parquet}


@pytest.mark.parametrize("kind", WRITERS)
def test_all_kinds_say_the_same(kind: str, tmp_path: Path, record) -> None:
    for row in ROWS:
        record(tmp_path / row["file"])
    corpus = corpora.load(str(WRITERS[kind](tmp_path / f"mine.{kind}", ROWS)))
    one, two = corpus.utterances
    assert (corpus.info.name, corpus.info.synthetic, corpus.root) == ("mine", False, tmp_path.resolve())
    assert (one.clip, one.emotion, one.speaker, one.gender, one.repetition) == ("a/one", "contempt", "s1", None, None)
    assert (two.clip, two.emotion, two.speaker, two.gender, two.repetition) == ("b/two", "angry", None, "female", 2)
    assert two.path.is_file()
    assert dict(two.extra) == {"room": "hall"}


def test_numbers_and_nothing_in_jsonl_and_parquet_are_text(tmp_path: Path, record) -> None:
    record(tmp_path / "x.wav")
    rows = [{"file": "x.wav", "emotion": "sad", "speaker": 7, "repetition": 3, "language": None, "age": 31}]
    for kind in ("jsonl", "parquet"):
        (utterance,) = corpora.load(str(WRITERS[kind](tmp_path / f"m.{kind}", rows))).utterances
        assert (utterance.speaker, utterance.repetition, utterance.language) == ("7", 3, None)
        assert utterance.extra["age"] == "31"


def test_files_outside_of_the_manifests_folder(tmp_path: Path, record) -> None:
    record(tmp_path / "audio/x.wav")
    (tmp_path / "lists").mkdir()
    for file in ("../audio/x.wav", str(tmp_path / "audio/x.wav")):
        manifest = write_csv(tmp_path / "lists/m.csv", [{"file": file, "emotion": "sad", "speaker": "a"}])
        corpus = corpora.load(str(manifest))
        assert corpus.root == (tmp_path / "audio").resolve()
        assert corpus.utterances[0].clip == "x"


@pytest.mark.parametrize("kind", WRITERS)
def test_a_missing_column_names_the_valid_ones(kind: str, tmp_path: Path) -> None:
    manifest = WRITERS[kind](tmp_path / f"m.{kind}", [{"file": "x.wav", "label": "sad", "speaker": "a"}])
    with pytest.raises(CorpusError) as error:
        corpora.load(str(manifest))
    assert "column 'emotion' is missing. Found: file, label, speaker" in str(error.value)
    assert "Required: file, emotion, speaker. Optional: gender, intensity" in str(error.value)


GOOD = {"file": "x.wav", "emotion": "sad", "speaker": "a"}
BAD_ROWS = [
    ({**GOOD, "emotion": " "}, "'emotion' is empty"),
    ({**GOOD, "file": ""}, "'file' is empty"),
    (GOOD, "x.wav is already in line 2"),
    ({**GOOD, "file": "./sub/../x.flac"}, "x.flac is called as x.wav in line 2 but for its ending"),
    ({**GOOD, "file": "y.wav", "gender": "robot"}, "gender 'robot' is not female, male or empty"),
    ({**GOOD, "file": "y.wav", "repetition": "0"}, "repetition '0' is not a number from 1"),
]


@pytest.mark.parametrize(("row", "reason"), BAD_ROWS)
def test_a_bad_row_is_named_by_its_line(row: dict[str, str], reason: str, tmp_path: Path) -> None:
    empty = {"gender": "", "repetition": ""}
    manifest = write_csv(tmp_path / "m.csv", [{**GOOD, **empty}, {**GOOD, **empty, **row}])
    with pytest.raises(CorpusError, match=r"m\.csv: line 3: ") as error:
        corpora.load(str(manifest))
    assert reason in str(error.value)


def test_bad_files_are_refused_by_name(tmp_path: Path) -> None:
    cases = {
        "empty.csv": (b"file,emotion,speaker\n", "no rows"),
        "nothing.jsonl": (b"", "no rows"),
        "latin.csv": ("file,emotion,speaker\nx.wav,\xe4rger,a\n".encode("latin-1"), "not UTF-8"),
        "wide.csv": (b"file,emotion,speaker\nx.wav,sad,a,b\n", "line 2: more cells"),
        "broken.jsonl": (b'{"file": "x.wav"\n', "line 1: not JSON"),
        "list.jsonl": (b'["x.wav"]\n', "line 1: not an object"),
        "fake.parquet": (b"not parquet", "not a Parquet file"),
        "table.ods": (b"", "ends in .csv, .tsv, .jsonl, .parquet, .xlsx, not in '.ods' (OpenDocument; save it as CSV)"),
        "fake.xlsx": (b"not excel", "not an Excel file"),
    }
    for name, (content, reason) in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CorpusError, match=name) as error:
            corpora.load(str(tmp_path / name))
        assert reason in str(error.value), name
    with pytest.raises(CorpusError, match=r"gone\.csv: no such manifest"):
        corpora.load("gone.csv")


def test_files_that_do_not_exist_are_named(tmp_path: Path, record) -> None:
    record(tmp_path / "0.wav")
    manifest = write_csv(tmp_path / "m.csv", [{**GOOD, "file": f"{number}.wav"} for number in range(6)])
    with pytest.raises(CorpusError, match="5 of 6 files do not exist") as error:
        corpora.load(str(manifest))
    assert "1.wav" in str(error.value) and "4.wav" not in str(error.value)


@pytest.mark.parametrize("emotion", ["-", "_", "- -"])
def test_an_emotion_without_a_letter_is_none(emotion: str, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "m.csv", [{"file": "a.wav", "emotion": emotion, "speaker": "x"}])
    with pytest.raises(CorpusError, match=rf"m\.csv: line 2: 'emotion' is {emotion} \(a\.wav\)"):
        read_manifest(path)
