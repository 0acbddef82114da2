"""One run whose fitted system is kept."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from emotone.comparison.encoders import with_encoder
from emotone.comparison.plan import check, plan
from emotone.comparison.run import Setting, run
from emotone.comparison.sweep import checkpoint_path, extract_features
from emotone.corpora.base import Corpus
from emotone.corpora.fingerprint import sample_digests
from emotone.errors import UsageError
from emotone.evaluation.record import RunRecord
from emotone.files import make_folder
from emotone.recipes.schema import Recipe
from emotone.terminal import SweepProgress, counting
from emotone.training.frames import encoder_folder
from emotone.training.store import save_system

__all__ = ["train_one"]


def train_one(
    recipe: Recipe,
    load_corpus: Callable[[], Corpus],
    out: Path,
    *,
    protocol: str,
    fold: int,
    seed: int,
    preset: str,
    device: str,
    precision: str,
    encoder: str | None = None,
) -> RunRecord:
    """Train a recipe on one fold (from 1), write its record to `out/run.json` and the system beside it.

    Killed and run again, it goes on from its last checkpoint in `out`.
    """
    if not 0 <= seed < 2**32:
        raise UsageError(f"--seed is {seed}; it must be 0 to {2**32 - 1}.")
    check([recipe], protocols=[protocol], preset=preset)
    recipe = with_encoder([recipe], encoder)[0]
    folder = encoder_folder(recipe)
    if folder is not None and out.exists() and out.samefile(folder):
        raise UsageError(f"--out {out}: the encoder lies there; name another folder.")
    make_folder(out)
    corpus = load_corpus()
    specs = plan([recipe], corpus, protocols=[protocol], preset=preset, seeds=1)
    if not 1 <= fold <= len(specs):
        raise UsageError(f"--fold is {fold}; {protocol!r} with preset {preset!r} has folds 1 to {len(specs)}.")
    spec = replace(specs[fold - 1], seed=seed)
    with counting(f"Reading {corpus.info.name}") as progress:
        setting = Setting(corpus, sample_digests(corpus.utterances, on_progress=progress), device, precision)
    checkpoint = checkpoint_path(spec, setting, out)
    with SweepProgress([spec]) as listener:
        extract_features([spec], setting, listener.features)
        record, system = run(
            spec,
            setting,
            checkpoint=checkpoint,
            on_epoch=lambda epoch, epochs: listener.epoch(spec, epoch.epoch, epochs),
        )
        listener.finish(spec, record)
    trained_on = {
        "corpus": corpus.info.name,
        "protocol": protocol,
        "fold": fold,
        "folds": spec.folds,
        "seed": seed,
        "speakers": list(record.split.train_speakers),
        "data_hash": record.data_hash,
    }
    save_system(system, out, licence=corpus.info.licence, trained_on=trained_on)
    record.write(out / "run.json")
    checkpoint.unlink(missing_ok=True)
    return record
