"""What people and programs write down, as nobody should: recipes, manifests, turns, the records of runs."""

import base64
import csv
import io
import json
import zipfile
import zlib
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from .recordings import changed

__all__ = ["edited", "manifests", "read_listed", "read_recipe", "read_turns", "recipes", "records", "report", "turns"]

_WORDS = (
    "", "nan", "sad", "../../etc/passwd", "/dev/zero", "/dev/stdin", "\0", "\ud800", "a\0b.wav", "x" * 300, "-", "~",
    "\x1b[J", "C:\\a.wav", "..\\..\\a.wav", "\u202egnp.wav", "1e999", "=1+1", "%s%n", "{0}", "kakadiya/cnn", "é",
)  # fmt: skip
_NUMBERS = (0, -1, 1, 2, 2**31, 2**63, 2**64, 10**30, -(2**63), 0.5, -0.5, 1e-320, 1e308, float("nan"), float("inf"),
            float("-inf"), True)  # fmt: skip
values = st.recursive(
    st.one_of(st.none(), st.sampled_from(_WORDS), st.sampled_from(_NUMBERS), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(_WORDS), inner, max_size=3)),
    max_leaves=4,
)


@st.composite
def edited(draw: Any, bases: Any, *, most: int = 3) -> Any:
    """Draw one of the mappings and change it: other values, keys that go, keys that come."""
    whole = json.loads(json.dumps(draw(bases)))
    for _ in range(draw(st.integers(0, most))):
        place = whole
        while True:
            keys = list(place) if isinstance(place, dict) else range(len(place))
            if not keys:
                break
            key = draw(st.sampled_from(list(keys)))
            if isinstance(place[key], dict | list) and place[key] and draw(st.integers(0, 3)):
                place = place[key]
                continue
            match draw(st.integers(0, 6)):
                case 0:
                    del place[key]
                case 1 if isinstance(place, dict):
                    place[draw(st.sampled_from(_WORDS))] = draw(values)
                case _:
                    place[key] = draw(values)
            break
    return whole


def deep(text: str) -> st.SearchStrategy[str]:
    """`text` with brackets, or more of it than a parser's stack holds."""
    return st.sampled_from([
        "[" * 3000, '{"a":' * 3000, text.replace(":", ": " + "[" * 3000, 1), "{a: " * 3000, "- " * 3000, "1" * 5000,
        text[: len(text) // 2],
    ])  # fmt: skip


_YAML = (
    "extends: kakadiya/cnn\nid: mine/a\n",
    "extends: kakadiya/cnn\nid: mine/a\nmodel: {recurrent: null}\naudio: {rate: 16000}\n",
    "extends: boucheta/knn\nid: mine/knn\n",
    "extends: emotone/tiny\nid: mine/tiny\n",
    "extends: nguyen/cnn-lstm-augmented\nid: mine/x\n",
)
_TRAPS = (
    "a: &a [x]\n" + "".join(f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in pairwise("abcdefghijk")),
    "extends: kakadiya/cnn\nid: m\naudio: &a [*a]\n",
    "extends: kakadiya/cnn\nid: m\naudio: &a {rate: *a}\n",
    "when: 2001-13-45\n", "a: !!int x\n", "a: !!float x\n", "a: !!timestamp x\n", "a: !!bool x\n", "a: !!binary é\n",
    "a: !!python/object/apply:os.system [id]\n", "? [a, b]\n: c\n", "? {a: b}\n: c\n", "=: 1\n", "<<: 1\n", "<<: [1]\n",
    "a: 0b_\n", "a: 1:2:3:99\n", "a: 0x_\n", f"a: {'1' * 5000}\n", "a: *b\n", "%YAML 9.9\n---\na\n", "a: .nan\n",
    "a: b\n---\nc: d\n", "1: 2\n", "null: 2\n", "extends: 1\n", "extends: [a]\n", "extends: {a: b}\n",
    f"extends: {'kakadiya/cn' * 9000}\n",
    "extends: mine.yaml\n", "!!set {a}\n", "!!omap [a: b]\n", "!!pairs [a: b]\n", "\ufeffextends: kakadiya/cnn\n",
)  # fmt: skip


@st.composite
def recipes(draw: Any) -> bytes:
    """YAML that is nearly a recipe, or a trap for whoever reads YAML."""
    import yaml

    match draw(st.integers(0, 5)):
        case 0:
            return draw(st.sampled_from(_TRAPS)).encode()
        case 1:
            return draw(deep(draw(st.sampled_from(_YAML)))).encode()
        case 2:
            return draw(changed(st.sampled_from([text.encode() for text in _YAML])))
        case _:
            made = draw(edited(st.deferred(lambda: st.sampled_from(_recipes()))))
            return yaml.safe_dump(made, allow_unicode=True).encode("utf-8", "surrogatepass")


@cache
def _recipes() -> tuple[dict[str, Any], ...]:
    import yaml

    from emotone import recipes as own

    kinds = ("kakadiya/cnn", "boucheta/knn", "emotone/tiny", "nguyen/wav2vec2", "bhanbhro/cnn-bilstm-attention")
    whole = [own.load(name).model_dump(mode="json") | {"id": "mine/a"} for name in kinds]
    return (*(yaml.safe_load(text) for text in _YAML), *whole)


def read_recipe(content: bytes, folder: Path) -> None:
    from emotone import recipes as own

    (folder / "mine.yaml").write_bytes(content)
    recipe = own.load(str(folder / "mine.yaml"))
    assert own.load_file(folder / "mine.yaml") == recipe


_HEADER = ("file", "emotion", "speaker", "start", "end", "gender", "repetition", "channel", "language", "split")
_CELLS = ("a.wav", "b/c.flac", "sad", "happy", "01", "1", "1.0", "0:01.5", "2,5", "0 days 00:00:01", "f", "M", *_WORDS,
          *map(str, _NUMBERS))  # fmt: skip
_USUAL = {"file": ("a.wav", "b.wav", *_WORDS), "emotion": ("sad", "happy", *_WORDS)}


@st.composite
def manifests(draw: Any) -> tuple[str, bytes]:
    """A table, by its ending and content."""
    columns = draw(st.lists(st.sampled_from([*_HEADER, "File", " file", "path", ""]), min_size=1, max_size=6))
    columns = list(dict.fromkeys(["file", "emotion", "speaker", *columns] if draw(st.integers(0, 4)) else columns))
    usual = [st.sampled_from(_USUAL.get(name, _CELLS)) for name in columns]
    rows = draw(st.lists(st.tuples(*usual), max_size=4))
    form = draw(st.sampled_from([".csv", ".csv", ".tsv", ".jsonl", ".jsonl", ".parquet", ".xlsx"]))
    match form:
        case ".jsonl":
            lines = [json.dumps(dict(zip(columns, row, strict=True))) for row in rows]
            lines += draw(
                st.lists(
                    st.one_of(
                        values.map(lambda value: json.dumps({"file": value, "emotion": "sad", "speaker": value})),
                        deep("{}"),
                    ),
                    max_size=1,
                )
            )
            content = "\n".join(lines).encode()
        case ".parquet" | ".xlsx":
            content = _binary(form, draw(st.sampled_from(_SHEETS)) if form == ".xlsx" else ("", ""))
        case _:
            text = io.StringIO()
            table = csv.writer(text, delimiter=draw(st.sampled_from(",;\t|")))
            table.writerows([columns, *rows])
            content = draw(st.sampled_from([text.getvalue(), "file\n" + "x" * 200_000, '"' + text.getvalue()])).encode(
                "utf-8", "surrogatepass"
            )
            if not draw(st.integers(0, 5)):
                content = text.getvalue().encode("utf-16", "surrogatepass")
    odd = not draw(st.integers(0, 2))
    return form, draw(changed(st.just(content), head=4000)) if odd else content


_SHEETS = (
    ("", ""),
    ('ref="A1:D4"', 'ref="A1:XFD1048576"'),
    ('<c r="A2"', '<c r="XFD2"'),
    ('<row r="3"', '<row r="1048576"'),
    ('<row r="3"', '<row r="99999999999"'),
    ('<row r="3"', '<row r="-1"'),
    ("<v>0.5</v>", "<v>1e999</v>"),
    ("<v>0.5</v>", f"<v>{'1' * 5000}</v>"),
    ("<sheetData>", '<sheetData><row r="1"><c r="A1" t="s"><v>99</v></c></row>'),
)
"""What stands in a sheet's XML, and what stands there in its place."""


@cache
def _binary(form: str, edit: tuple[str, str]) -> bytes:
    file = io.BytesIO()
    rows = [{"file": f"{at}.wav", "emotion": "sad", "speaker": "x", "start": 0.5} for at in range(3)]
    if form == ".parquet":
        import pyarrow as pa
        from pyarrow import parquet

        parquet.write_table(pa.Table.from_pylist(rows), file)
    else:
        import openpyxl

        book = openpyxl.Workbook()
        for row in [list(rows[0]), *(list(row.values()) for row in rows)]:
            book.active.append(row)
        book.save(whole := io.BytesIO())
        with zipfile.ZipFile(whole) as old, zipfile.ZipFile(file, "w") as new:
            for name in old.namelist():
                new.writestr(
                    name, old.read(name).replace(*(each.encode() for each in edit)) if edit[0] else old.read(name)
                )
    return file.getvalue()


def read_listed(case: tuple[str, bytes], folder: Path) -> None:
    """Read it as a corpus and as a list of recordings; every path is one, wherever it leads."""
    from emotone.cli.inputs import expand
    from emotone.corpora.manifest import read_manifest
    from emotone.errors import EmotoneError

    path = folder / f"m{case[0]}"
    path.write_bytes(case[1])
    try:
        corpus = read_manifest(path)
        assert all(each.clip and each.emotion and each.start >= 0 for each in corpus.utterances)
    except EmotoneError as error:
        assert str(error).startswith(str(path))
    for asked in expand([str(path)], [], None):
        asked.name.encode()
        assert asked.start >= 0 and asked.part


@st.composite
def turns(draw: Any) -> bytes:
    """RTTM."""
    line = st.tuples(
        st.sampled_from(["SPEAKER", "SPEAKER", "LEXEME", ";;"]), *[st.sampled_from(_CELLS)] * draw(st.integers(6, 9))
    )
    lines = draw(st.lists(line.map(" ".join), max_size=4))
    good = "SPEAKER call 1 0.0 1.4 <NA> <NA> anna <NA> <NA>"
    return draw(changed(st.just("\n".join([good, *lines]).encode("utf-8", "surrogatepass"))))


def read_turns(content: bytes, folder: Path) -> None:
    from emotone.corpora.rttm import read_rttm

    (folder / "d.rttm").write_bytes(content)
    for each in read_rttm(folder / "d.rttm").values():
        assert all(0 <= turn.start < turn.end < float("inf") for turn in each)


@cache
def _record() -> dict[str, Any]:
    from ..made_runs import build_record

    record = build_record(test_clips=24, epochs=2, adapted=0.6)
    return record.model_dump(mode="json")


def _packed(data: Any) -> dict[str, str]:
    return {"json+zlib+base64": base64.b64encode(zlib.compress(data)).decode()}


@st.composite
def records(draw: Any) -> bytes:
    """The record of a run, changed; its predictions packed, perhaps to a bomb."""
    data = draw(edited(st.deferred(lambda: st.just(_record()))))
    how = draw(st.integers(0, 6))
    if isinstance(data, dict) and how < 2:
        data["predictions"] = _packed(json.dumps(data.get("predictions")).encode())
    elif isinstance(data, dict) and how == 2:
        data["predictions"] = draw(
            st.sampled_from([_packed(b"[" * 200_000), _packed(b"0"), _packed(b"1" * 5000), _zeros()])
        )
    text = json.dumps(data)
    if how == 3:
        return draw(deep(text)).encode()
    return draw(changed(st.just(text.encode()), head=2000)) if how == 4 else text.encode()


@cache
def _zeros() -> dict[str, str]:
    packer, parts = zlib.compressobj(9), []
    for _ in range(2000):
        parts.append(packer.compress(bytes(1 << 20)))
    return {"json+zlib+base64": base64.b64encode(b"".join([*parts, packer.flush()])).decode()}


def report(content: bytes, folder: Path) -> None:
    """Read it and write the tables of a report about it."""
    from emotone.evaluation.record import read_records
    from emotone.report.results import read_results
    from emotone.report.tables import write_tables

    (folder / "run.json").write_bytes(content)
    write_tables(folder / "tables", read_results(read_records(folder)))
