"""Hostile input of every kind, a case at a time, each kind in a process of its own: `python -m tests.fuzz`.

It writes results/fuzzing.json, which docs/robustness.md is made of. Promised of every case: an answer, or an error that
a user can read; within two seconds of processor time and a gigabyte; nothing written but in the folder given.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import strategies as st

from emotone.files import write_text

from . import binaries, recordings, texts
from .trial import CHUNK, Trial

__all__ = ["OUT", "TARGETS", "Outcome", "Target", "fuzz"]

ROOT = Path(__file__).parents[2]
OUT = ROOT / "results" / "fuzzing.json"
_PATIENCE = 3600  # seconds by the clock: for what hangs without computing
_ENDS = {
    -signal.SIGPROF: "took more than two seconds",
    -signal.SIGSEGV: "SIGSEGV",
    -signal.SIGABRT: "SIGABRT",
    -signal.SIGKILL: "killed, or hung",
}


class Target(NamedTuple):
    """What is fuzzed, in words; how many of 100,000 cases go to it; how they are drawn, what is done with one."""

    what: str
    share: int
    cases: Callable[[], st.SearchStrategy[Any]]
    use: Callable[[Any, Path], None]


TARGETS = {
    "recordings": Target(
        "recordings in every format, their bytes changed", 37_000, recordings.recordings, recordings.hear
    ),
    "headers": Target("WAV headers that lie, odd samples", 20_000, recordings.headers, recordings.hear),
    "arrays": Target("arrays of odd shapes, types, values, rates", 8_000, recordings.samples, recordings.hear_array),
    "archives": Target("zips: names that lead out, links, locks, bombs", 5_000, binaries.archives, binaries.unzip),
    "recipes": Target("recipes, and traps for readers of YAML", 5_000, texts.recipes, texts.read_recipe),
    "manifests": Target("tables of every format, hostile paths in them", 9_000, texts.manifests, texts.read_listed),
    "turns": Target("RTTM", 6_000, texts.turns, texts.read_turns),
    "records": Target("records of runs that a report reads", 2_000, texts.records, texts.report),
    "bundles": Target("ONNX bundles whose card or graph lies", 3_000, binaries.bundles, binaries.load_bundle),
    "systems": Target("stored systems, one file of theirs another", 2_000, binaries.stored, binaries.load_stored),
    "entries": Target("entries of the features' cache", 3_000, binaries.entries, binaries.load_entry),
}


@dataclass
class Outcome:
    """What came of a target's cases: how many, how many of them were refused in words, and the faults.

    A fault is its kind and place -> what was said, and the first case of it.
    """

    cases: int = 0
    refused: int = 0
    faults: dict[str, str] = field(default_factory=dict)


def fuzz(name: str, cases: int, *, seed: int = 0) -> Outcome:
    """Try `cases` cases of a target. Where one ends the process, another goes on behind its chunk."""
    outcome, begun = Outcome(), 0
    while begun < cases:
        with tempfile.TemporaryDirectory(prefix="fuzz") as folder:
            command = [
                sys.executable,
                "-m",
                "tests.fuzz",
                "--child",
                name,
                str(seed + begun),
                str(cases - begun),
                folder,
            ]
            environment = os.environ | {"TMPDIR": folder, "EMOTONE_CACHE": folder}
            try:
                done = subprocess.run(
                    command, cwd=ROOT, env=environment, capture_output=True, timeout=_PATIENCE, check=False
                )
                code, said = done.returncode, done.stderr.decode(errors="replace").strip()
            except subprocess.TimeoutExpired:
                code, said = -signal.SIGKILL, ""
            told = Path(folder) / "told.jsonl"
            chunks = [Outcome(**json.loads(line)) for line in told.read_text().splitlines()] if told.exists() else []
            for chunk in chunks:
                outcome.cases += chunk.cases
                outcome.refused += chunk.refused
                outcome.faults = chunk.faults | outcome.faults
            if code == 0:
                return outcome
            last = Path(folder) / "case"
            case = last.read_text(encoding="utf-8") if last.exists() else ""
            outcome.faults.setdefault(_ENDS.get(code, f"ended with {code}"), f"{said[-500:]}\n{case}")
            outcome.cases += 1
            begun += len(chunks) * CHUNK + CHUNK
    return outcome


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"{', '.join(TARGETS)} [default: all]")
    parser.add_argument("--cases", type=int, default=100_000, help="of all targets together [default: 100000]")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.child:
        name, seed, cases, folder = given.child
        Trial(TARGETS[name].cases, TARGETS[name].use, Path(folder)).run(int(seed), int(cases))
        return 0
    faults = 0
    for name in given.targets or TARGETS:
        target = TARGETS[name]
        outcome = fuzz(name, max(1, target.share * given.cases // 100_000), seed=given.seed)
        print(f"{name}: {outcome.cases} cases, {outcome.refused} refused, {len(outcome.faults)} faults", flush=True)
        for fault, case in outcome.faults.items():
            print(f"  {fault}: {case[:400]}", flush=True)
        faults += len(outcome.faults)
        written = json.loads(OUT.read_text(encoding="utf-8")) if OUT.exists() else {}
        written[name] = {
            "what": target.what, "cases": outcome.cases, "refused": outcome.refused, "faults": len(outcome.faults),
        }  # fmt: skip
        ordered = {each: written[each] for each in TARGETS if each in written}
        write_text(OUT, json.dumps(ordered, indent=1) + "\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
