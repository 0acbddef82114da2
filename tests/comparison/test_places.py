"""A corpus that is tested is placed among those that are trained on."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from emotone.audio import Part
from emotone.comparison.places import places
from emotone.corpora.base import Corpus, CorpusInfo, Utterance
from emotone.errors import AudioError

WIDTH = 64
INFO = CorpusInfo("joined", "Joined", "CC0", citation="", languages=("en",), url="")


def voices(corpus: str, count: int, *, stated: bool = True, clips: int = 6) -> list[Utterance]:
    return [
        Utterance(Path(f"{corpus}-{who}-{take}"), corpus, f"{who}-{take}", "sad", speaker=f"{who}" if stated else None)
        for who in range(count)
        for take in range(clips)
    ]


def ear(middles: dict[str, float]) -> Callable[[Part], NDArray[np.float32] | None]:
    """Hear speakers that lie 1 around the middle of their corpus; no speech in first takes."""

    def embed(part: Part) -> NDArray[np.float32] | None:
        corpus, who, take = Path(str(part.source)).name.split("-")
        if take == "5":
            raise AudioError("cut")
        voice = np.random.default_rng([len(corpus), int(who)]).normal(size=WIDTH)
        return None if take == "0" else (middles[corpus] + voice).astype(np.float32)

    return embed


def joined(*parts: list[Utterance], tested: tuple[str, ...]) -> Corpus:
    return Corpus(INFO, Path(), tuple(clip for part in parts for clip in part), tested=tested)


def test_a_corpus_lies_where_its_speakers_do() -> None:
    corpus = joined(
        voices("a", 20),
        voices("bb", 20),
        voices("near", 9),
        voices("distant", 2, stated=False),
        tested=("near", "distant"),
    )
    heard: list[tuple[int, int]] = []
    middles = {"a": 0.0, "bb": 1.5, "near": 1.6, "distant": 9.0}
    near, distant = places(corpus, ear(middles), on_progress=lambda *done: heard.append(done))
    assert [near.corpus, *near.distances] == ["near", "bb", "a"]
    assert near.distances["a"] == pytest.approx(1.6, abs=0.3)
    assert (near.is_far, distant.is_far) == (False, True)
    assert str(distant).startswith("distant lies 7.")
    assert heard[-1][0] == heard[-1][1]


def test_too_few_speakers_tell_no_distance() -> None:
    corpus = joined(voices("a", 2), voices("near", 9), tested=("near",))
    assert places(corpus, ear({"a": 0.0, "near": 1.0})) == ()
