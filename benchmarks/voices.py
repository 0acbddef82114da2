"""How well `emotone.audit.voices` tells one speaker under two names from two speakers, on corpora that are here.

    python benchmarks/voices.py ravdess emodb urdu tess     # prints a line per corpus; $EMOTONE_DATA holds them

Each speaker's clips are dealt to two names, ten times anew.
"""

import argparse

import numpy as np

from emotone import corpora
from emotone.audit.voices import FEWEST_CLIPS, NEAR, nearness, timbres


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", nargs="+")
    for name in parser.parse_args().corpus:
        known = [utterance for utterance in corpora.load(name).utterances if utterance.speaker]
        clips = timbres(known)
        one, two = [], []
        for seed in range(10):
            random = np.random.default_rng(seed)
            halves = {}
            for speaker, values in clips.items():
                if len(values) >= 2 * FEWEST_CLIPS:
                    order = random.permutation(len(values))
                    halves |= {f"{speaker} a": values[order[::2]], f"{speaker} b": values[order[1::2]]}
            for (first, second), value in nearness(halves).items():
                (one if first[:-2] == second[:-2] else two).append(value)
        print(
            f"{name}: one speaker {np.mean(np.array(one) <= NEAR):.0%} of {len(one)} found, "
            f"two taken for one {np.mean(np.array(two) <= NEAR):.3%} of {len(two)} (the nearest {min(two):.2f})"
        )


if __name__ == "__main__":
    main()
