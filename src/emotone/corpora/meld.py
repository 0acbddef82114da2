"""MELD: train_splits/dia0_utt3.mp4: dialogue and utterance; what they are stands in a table for each split."""

import csv
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from emotone.corpora.base import CorpusInfo
from emotone.corpora.source import Fields, Source, look_up
from emotone.errors import CorpusError

__all__ = ["MELD", "reader"]

_TABLES = {
    "train_splits": "train_sent_emo.csv",
    "dev_splits_complete": "dev_sent_emo.csv",
    "output_repeated_splits_test": "test_sent_emo.csv",
}
_EMOTIONS = {
    "anger": "angry",
    "disgust": "disgust",
    "fear": "fearful",
    "joy": "happy",
    "neutral": "neutral",
    "sadness": "sad",
    "surprise": "surprised",
}
_NAME = re.compile(r"(?:final_videos_test)?dia(?P<dialogue>\d+)_utt(?P<utterance>\d+)")

Key = tuple[str, int, int]


def reader(root: Path) -> Callable[[PurePosixPath], Fields]:
    """Return what reads a path of the MELD under `root`, by its tables."""
    rows = {key: row for folder, name in _TABLES.items() for key, row in _rows(root, folder, name).items()}

    def parse(path: PurePosixPath) -> Fields:
        match = _NAME.fullmatch(path.stem)
        folder = next((part for part in reversed(path.parts[:-1]) if part in _TABLES), "")
        if not match or not folder:
            raise CorpusError(f"{path}: not like train_splits/dia0_utt3.mp4: split, dialogue, utterance")
        row = rows.get((folder, int(match["dialogue"]), int(match["utterance"])))
        if row is None:
            raise CorpusError(f"{path}: {_TABLES[folder]} has no row of it")
        return Fields(
            emotion=look_up(path, "emotion", row.get("Emotion", "").strip().lower(), _EMOTIONS),
            speaker=row.get("Speaker", "").strip() or None,
            statement=row.get("Utterance", "").strip(),
            language="en-US",
            extra={"split": _TABLES[folder].split("_")[0], "clip": path.stem},
        )

    return parse


def _rows(root: Path, folder: str, name: str) -> dict[Key, dict[str, str]]:
    """Return the rows of a split's table, wherever under `root` it lies; none where there is none."""
    found = sorted(root.rglob(name))
    if not found:
        return {}
    try:
        with found[0].open(encoding="utf-8-sig", newline="", errors="replace") as file:
            return {(folder, int(row["Dialogue_ID"]), int(row["Utterance_ID"])): row for row in csv.DictReader(file)}
    except (KeyError, TypeError, ValueError) as error:
        raise CorpusError(f"{found[0]}: not MELD's table: {error}") from None


def _wanted(path: PurePosixPath, fields: Fields) -> bool:
    return not path.stem.startswith("final_videos_test")  # of the test split, cut again


MELD = Source(
    info=CorpusInfo(
        name="meld",
        title="MELD: Multimodal EmotionLines Dataset",
        licence="GPL-3.0; the recordings are of a television series",
        citation="Poria S, Hazarika D, Majumder N, Naik G, Cambria E, Mihalcea R (2019). MELD: A Multimodal "
        "Multi-Party Dataset for Emotion Recognition in Conversations. Proc. ACL 2019, 527-536.",
        languages=("en-US",),
        url="https://github.com/declare-lab/MELD",
        speakers=304,
        emotions=7,
        speech="television",
        use="test only",
    ),
    clips=13_708,
    how_to_get="Download it as https://github.com/declare-lab/MELD says and unpack it; its videos need pip install "
    "emotone[media].",
    reader=reader,
    wanted=_wanted,
)
