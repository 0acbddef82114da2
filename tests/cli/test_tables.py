"""Tables as a person sees them, in terminals of any width: every word whole, no line too long."""

import os
import pty
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

_STYLE = re.compile(r"\x1b\[[0-9;]*m")


def shown(width: int, *arguments: object) -> list[str]:
    """Return the lines of a command in a terminal of `width` columns."""
    mine, its = pty.openpty()
    nowhere = {"EMOTONE_CACHE": "/nowhere"}  # a corpus that another test has made there has a path of any length
    environment = os.environ | {"COLUMNS": str(width), "TERM": "xterm"} | nowhere
    command = [sys.executable, "-m", "emotone", *map(str, arguments)]
    with subprocess.Popen(command, stdin=its, stdout=its, stderr=subprocess.PIPE, env=environment) as process:
        os.close(its)
        told = b""
        try:
            while block := os.read(mine, 1 << 16):
                told += block
        except OSError:  # the other end is closed
            pass
    os.close(mine)
    assert process.returncode in (0, 1), told
    return [line.rstrip() for line in _STYLE.sub("", told.decode()).splitlines()]


def words(lines: list[str]) -> Counter[str]:
    return Counter(word for line in lines for word in line.split())


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("command", [("corpora",), ("systems",), ("model", "show", "emotone/tiny")])
def test_every_word_is_whole_and_no_line_is_too_long(command: tuple[str, ...], width: int) -> None:
    headers = words(shown(300, *command)[:1])
    lines = shown(width, *command)
    assert max(map(len, lines)) <= width
    assert words(shown(300, *command)) - words(lines) - headers == Counter()


def test_a_terminal_that_is_too_narrow_for_a_table_shows_row_by_row() -> None:
    lines = shown(60, "corpora")
    at = lines.index("savee")
    assert lines[at + 1 : at + 5] == [
        "  Language: en-GB   Speakers: 4   Clips: 480   Emotions: 7",
        "  Speech: acted",
        "  Licence: research use only, after registration with the",
        "    University of Surrey",
    ]


def test_a_path_is_not_broken(tmp_path: Path) -> None:
    inside = f"neutral/{'long' * 15}.wav"
    (tmp_path / inside).parent.mkdir()
    (tmp_path / inside).touch()
    assert f"    {inside}" in shown(60, "corpora", "check", tmp_path)


def test_a_card_says_whom_a_model_has_heard_in_few_words() -> None:
    row = next(line for line in shown(200, "model", "show") if line.startswith("Trained on"))
    assert "43 speakers (10 of emodb, 9 of nemo, 24 of ravdess)" in row
