"""How well `emotone.audit.voices` tells one speaker under two names from two speakers, on corpora that are here.

    python benchmarks/voices.py ravdess emodb urdu tess     # $EMOTONE_DATA holds them

Each speaker's clips are dealt to two names, ten times anew. Written to results/benchmarks/voices.json.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from emotone import corpora
from emotone.audit.voices import FEWEST_CLIPS, NEAR, nearness, timbres
from emotone.files import write_text

TARGET = Path(__file__).parents[1] / "results" / "benchmarks" / "voices.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", nargs="+")
    measured = {}
    for name in parser.parse_args().corpus:
        corpus = corpora.load(name)
        known = [utterance for utterance in corpus.utterances if utterance.speaker]
        clips = timbres(known)
        one: list[Any] = []
        two: list[Any] = []
        for seed in range(10):
            random = np.random.default_rng(seed)
            halves: dict[str, Any] = {}
            for speaker, values in clips.items():
                if len(values) >= 2 * FEWEST_CLIPS:
                    order = random.permutation(len(values))
                    halves |= {f"{speaker} a": values[order[::2]], f"{speaker} b": values[order[1::2]]}
            for (first, second), value in nearness(halves).items():
                (one if first[:-2] == second[:-2] else two).append(value)
        measured[name] = {
            "found": int(np.sum(np.array(one) <= NEAR)),
            "same": len(one),
            "mistaken": int(np.sum(np.array(two) <= NEAR)),
            "unlike": len(two),
            "nearest": float(min(two)),
        }
        print(name, measured[name])
    write_text(TARGET, json.dumps(measured, indent=1) + "\n")


if __name__ == "__main__":
    main()
