"""What openSMILE's eGeMAPS with a linear SVM reaches on luna5's unseen speakers: pip install emotone[train,benchmark].

Written to results/benchmarks/opensmile-svm.json: UAR and accuracy with intervals by bootstrap over speakers, plain, and
with every speaker's features standardised by the speaker's own clips, unlabelled. The cost C is chosen on validation
speakers.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import opensmile
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from emotone import corpora, protocols, recipes
from emotone.audio import load
from emotone.cli.terminal import counting
from emotone.comparison.plan import labels_of
from emotone.evaluation.intervals import bootstrap
from emotone.evaluation.metrics import summary
from emotone.files import write_text

TARGET = Path(__file__).parents[1] / "results" / "benchmarks" / "opensmile-svm.json"
RATE = 16_000
COSTS = (0.001, 0.01, 0.1, 1.0)


def functionals(paths: list[Path]) -> np.ndarray:
    """Return the 88 eGeMAPS functionals of every clip."""
    smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
    rows = []
    with counting("eGeMAPS") as progress:
        for number, path in enumerate(paths, 1):
            rows.append(smile.process_signal(load(path, rate=RATE)[0], RATE).to_numpy()[0])
            progress(number, len(paths))
    return np.array(rows)


def by_speaker(features: np.ndarray, speakers: np.ndarray) -> np.ndarray:
    """Return the features standardised over the clips of each speaker."""
    found = np.empty_like(features)
    for speaker in np.unique(speakers):
        own = speakers == speaker
        found[own] = StandardScaler().fit_transform(features[own])
    return found


def answers(features: np.ndarray, labels: np.ndarray, folds: list[protocols.Fold]) -> np.ndarray:
    """Return the class that each clip gets in the fold that tests it."""
    predicted = labels.copy()
    for fold in folds:
        train, validation, test = (
            [sample.clip for sample in part] for part in (fold.train, fold.validation, fold.test)
        )
        fitted = [machine(cost).fit(features[train], labels[train]) for cost in COSTS]
        scores = [model.score(features[validation], labels[validation]) for model in fitted]
        both = train + validation
        predicted[test] = (
            machine(COSTS[int(np.argmax(scores))]).fit(features[both], labels[both]).predict(features[test])
        )
    return predicted


def machine(cost: float) -> Any:
    return make_pipeline(StandardScaler(), SVC(kernel="linear", C=cost, class_weight="balanced"))


def main() -> None:
    corpus, recipe = corpora.load("ravdess"), recipes.load("emotone/base")
    labels, classes = labels_of(recipe, corpus)
    folds = protocols.make_folds(recipe, "luna5", corpus.utterances, labels, seed=0)
    speakers = np.array([clip.speaker for clip in corpus.utterances])
    features = functionals([clip.path for clip in corpus.utterances])
    found: dict[str, object] = {"protocol": "luna5", "clips": len(labels), "opensmile": opensmile.__version__}
    for name, each in {"plain": features, "adapted": by_speaker(features, speakers)}.items():
        predicted = answers(each, np.array(labels), folds).tolist()
        intervals = bootstrap(labels, predicted, speakers.tolist(), classes)
        found[name] = {
            metric: {"mean": summary(labels, predicted, classes)[metric], "low": low, "high": high}
            for metric, (low, high) in intervals.items()
        }
    write_text(TARGET, json.dumps(found, indent=1) + "\n")
    print(TARGET)


if __name__ == "__main__":
    main()
