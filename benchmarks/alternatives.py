"""Time one clip on one core, side by side: python benchmarks/alternatives.py CLIP.

The models that come with emotone, the default one through PyTorch, the same layers of Whisper in transformers'
pipeline, librosa's features with the CNN of boucheta/cnn, and openSMILE's eGeMAPS with a linear SVM. Decoding counts,
loading a model does not. Needs pip install emotone[train,benchmark]. Written to results/benchmarks/alternatives.json:
the median in milliseconds of one core's time, and as a multiple of the default model's.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from emotone import recipes
from emotone.audio import load
from emotone.bundle.hub import DEFAULT, SHIPPED, locate
from emotone.export.serving import Serving
from emotone.export.unbundle import system_of
from emotone.files import write_text
from emotone.models.config import LayersConfig, NetworkConfig
from emotone.models.network import Network
from emotone.recognition import Recognizer

TARGET = Path(__file__).parents[1] / "results" / "benchmarks" / "alternatives.json"
ROUNDS = 40


def by_torch() -> Callable[[Path], object]:
    serving = Serving(system_of(locate(DEFAULT)))

    def recognise(clip: Path) -> object:
        samples, _ = load(clip, rate=serving.frontend.rate)
        with torch.inference_mode():
            return serving(torch.from_numpy(samples)[None], torch.tensor([len(samples)]))

    return recognise


def by_transformers() -> Callable[[Path], object]:
    """Return transformers' own pipeline, which pads every clip to 30 s; weights change no time, so they are random."""
    from transformers import AudioClassificationPipeline, WhisperConfig, WhisperFeatureExtractor
    from transformers import WhisperForAudioClassification as Classification

    layers = cast(LayersConfig, recipes.load(DEFAULT).model).layers
    sizes = {"d_model": 512, "encoder_attention_heads": 8, "encoder_ffn_dim": 2048}
    network = Classification(WhisperConfig(encoder_layers=layers, num_labels=8, **sizes)).eval()
    extractor = WhisperFeatureExtractor()
    pipeline = AudioClassificationPipeline(model=network, feature_extractor=extractor)
    rate = extractor.sampling_rate
    return lambda clip: pipeline({"raw": load(clip, rate=rate)[0], "sampling_rate": rate})


def by_librosa() -> Callable[[Path], object]:
    """Return what boucheta's paper does to a clip; weights change no time, so they are random."""
    import librosa

    recipe = recipes.load("boucheta/cnn")
    audio, features = recipe.audio, recipe.features
    network: list[Network] = []

    def recognise(clip: Path) -> object:
        samples, rate = librosa.load(clip, sr=audio.rate, offset=audio.offset, duration=audio.seconds)
        frames = {"frame_length": features.window, "hop_length": features.hop}
        rows = [
            librosa.feature.zero_crossing_rate(samples, **frames),
            librosa.feature.rms(y=samples, **frames),
            librosa.feature.mfcc(
                y=samples, sr=rate, n_mfcc=features.mfcc, n_fft=features.window, hop_length=features.hop
            ),
        ]
        vector = torch.from_numpy(np.concatenate(rows).T.astype(np.float32).ravel())[None]
        if not network:
            network.append(Network(cast(NetworkConfig, recipe.model), (vector.shape[1],), 7).eval())
        with torch.inference_mode():
            return torch.softmax(network[0](vector), dim=1)

    return recognise


def by_opensmile() -> Callable[[Path], object]:
    """Return eGeMAPS with a linear SVM; weights change no time, so they are random."""
    import opensmile
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
    drawn = np.random.default_rng(0)
    machine = make_pipeline(StandardScaler(), LinearSVC())
    machine.fit(drawn.normal(size=(200, len(smile.feature_names))), drawn.integers(8, size=200))
    return lambda clip: machine.predict(smile.process_file(clip).to_numpy())


CONTENDERS: dict[str, Callable[[], Callable[[Path], object]]] = {
    **{name: partial(Recognizer.load, name, threads=1) for name in SHIPPED},
    f"{DEFAULT}, PyTorch": by_torch,
    "transformers' pipeline": by_transformers,
    "librosa + CNN": by_librosa,
    "openSMILE + SVM": by_opensmile,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    threadpool_limits(1)  # idle threads of one's linear algebra would spin on the others' time
    ready = {name: make() for name, make in CONTENDERS.items()}
    spent: dict[str, list[float]] = {name: [] for name in ready}
    for turn in range(ROUNDS + 3):  # the first calls plan and load
        for name, recognise in ready.items():
            start = time.process_time()
            recognise(options.clip)
            if turn >= 3:
                spent[name].append(1e3 * (time.process_time() - start))
    own = statistics.median(spent[DEFAULT])
    found = {
        name: {"milliseconds": statistics.median(each), "ratio": statistics.median(each) / own}
        for name, each in spent.items()
    }
    write_text(TARGET, json.dumps({"rounds": ROUNDS, "systems": found}, indent=1) + "\n")
    for name, each in found.items():
        print(f"{name:26}{each['milliseconds']:9.1f} ms{each['ratio']:8.1f} x")


if __name__ == "__main__":
    main()
