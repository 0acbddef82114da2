"""RTTM as diarisers write it."""

from pathlib import Path

import pytest

from emotone.corpora.rttm import Turn, read_rttm
from emotone.errors import CorpusError

GOOD = """;; made by a diariser
SPKR-INFO call 1 <NA> <NA> <NA> unknown anna <NA> <NA>
SPEAKER call 1 2.50 1.00 <NA> <NA> ben <NA> <NA>
SPEAKER call 1 0.00 2.50 <NA> <NA> anna <NA> <NA>

SPEAKER other 2 1e-1 0.9 <NA> <NA> anna <NA>
SPEAKER call 1 9.00 0.00 <NA> <NA> nobody <NA> <NA>
SPEAKER call 1 1e300 1.0 <NA> <NA> nobody <NA> <NA>
"""


def test_turns_by_file_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "d.rttm"
    path.write_text(GOOD, encoding="utf-8-sig")
    assert read_rttm(path) == {
        "call": [Turn(1, 0.0, 2.5, "anna"), Turn(1, 2.5, 3.5, "ben")],
        "other": [Turn(2, 0.1, 1.0, "anna")],
    }


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"SPEAKER call 1 0 1\n", "line 1: 5 fields; RTTM has SPEAKER, file, channel"),
        (b"\nSPEAKER call 1 x 1 <NA> <NA> a <NA> <NA>\n", "line 2: channel 1, start x, duration 1; allowed"),
        (b"SPEAKER call 0 0 1 <NA> <NA> a <NA> <NA>\n", "line 1: channel 0"),
        (b"SPEAKER call 1 -1 1 <NA> <NA> a <NA> <NA>\n", "start -1"),
        (b"SPEAKER call 1 0 nan <NA> <NA> a <NA> <NA>\n", "duration nan"),
        (b"", "no line begins with SPEAKER"),
        (b"\xff\xfe\xff", "not UTF-8 text"),
    ],
)
def test_what_is_no_rttm_is_named_by_its_line(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "d.rttm").write_bytes(content)
    with pytest.raises(CorpusError, match=r"d\.rttm: ") as error:
        read_rttm(tmp_path / "d.rttm")
    assert words in str(error.value)
    with pytest.raises(CorpusError, match="no such file"):
        read_rttm(tmp_path / "none.rttm")
    with pytest.raises(CorpusError, match="cannot be read"):
        read_rttm(tmp_path)
