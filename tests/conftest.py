"""What all tests share: a cache of their own, real RAVDESS where it is found, recordings and a bundle for them."""

import gc
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import settings

from .made_bundles import bundle as bundle
from .made_bundles import clips as clips
from .made_bundles import conversation as conversation
from .made_bundles import recognizer as recognizer
from .made_bundles import write as write
from .made_runs import make_record as make_record

# The same examples in every run: a change is judged by what it changes, not by the draw.
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")

os.environ.setdefault("OMP_NUM_THREADS", "1")  # pytest-xdist has a process per core already

SMALL = {
    "net": """
extends: kakadiya/cnn
id: small/net
audio: {rate: 16000}
model: {convolution: {channels: [6, 6, 6]}, dense: [{units: 8, dropout: 0.3}]}
quick_epochs: 3
""",
    "frames": """
extends: onah/cnn
id: small/frames
features: {mfcc: 13}
model: {convolution: {channels: [6, 6, 6, 6]}}
quick_epochs: 3
""",
    "tree": """
extends: boucheta/decision-tree
id: small/tree
features: {mfcc: 13}
augment: null
""",
    "copies": """
extends: boucheta/decision-tree
id: small/copies
features: {mfcc: 13}
augment: {kind: awgn}
""",
}
"""Recipes of systems that run within a second: two networks, a tree, and a tree that learns from noisy copies too.

The tree alone needs no process beside the tests': torch, imported anew, takes two seconds, Lightning seven.
"""


LONGEST = ("web", "service", "comparison", "export", "training", "explanation", "cli")
"""Folders whose tests take long: begun first, so that no process ends long after the others."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a file's tests in one process of pytest-xdist, which then makes what they share once."""
    items.sort(key=lambda item: LONGEST.index(item.path.parent.name) if item.path.parent.name in LONGEST else 99)
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(f"{item.path.parent.name}/{item.path.stem}"))


def pytest_collection_finish() -> None:
    """Spare the garbage collector what all tests have imported: looking through it takes a second each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def cache_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> None:
    os.environ["EMOTONE_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def ravdess() -> Path:
    """The folder of real RAVDESS speech."""
    folder = Path(os.environ.get("EMOTONE_DATA", "")) / "ravdess"
    if not os.environ.get("EMOTONE_DATA") or not folder.is_dir():
        pytest.skip("needs real RAVDESS: set EMOTONE_DATA to the folder that holds ravdess/")
    return folder


@pytest.fixture(scope="session")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds `synthetic/`, the clips of its first three speakers: for `--data` or `EMOTONE_DATA`."""
    from emotone.corpora.synthetic import write

    folder = tmp_path_factory.mktemp("data")
    write(folder / "synthetic", actors=(1, 2, 3))
    return folder


@pytest.fixture(scope="session")
def few(synthetic: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `synthetic`, but with one take of one sentence: 45 clips."""
    folder = tmp_path_factory.mktemp("few")
    for clip in synthetic.glob("synthetic/Actor_*/03-01-??-??-01-01-??.wav"):
        target = folder / clip.relative_to(synthetic)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(clip, target)
    return folder


@pytest.fixture
def without_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the pictures of a corpus's audio out of reports, which take four seconds each; tests/report draws them."""
    monkeypatch.setattr("emotone.report.figures_audio.draw", lambda *_: [])


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Recipe files of small systems, by the names of `SMALL`."""
    folder = tmp_path_factory.mktemp("recipes")
    paths = {name: folder / f"{name}.yaml" for name in SMALL}
    for name, path in paths.items():
        path.write_text(SMALL[name], encoding="utf-8")
    return paths


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def emotone(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Return a function that runs the command line in this process, which spares the start of another."""
    from emotone.cli import main

    def run(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["emotone", *map(str, arguments)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        return Done(code, *capsys.readouterr())

    return run


TINY: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "conv_dim": (16,) * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
    "classifier_proj_size": 24,
    "initializer_range": 0.2,
}
MASKED = {"feat_extract_norm": "layer", "do_stable_layer_norm": True}
"""As the large encoders are made, which were trained with an attention mask."""


def save_encoder(name: str, folder: Path, *, seed: int = 0) -> Path:
    """Save a tiny encoder of a real architecture, with random weights, as the hub has them: with its processor."""
    import torch
    import transformers as hf

    torch.manual_seed(seed)
    is_base = name == "wav2vec2" or name.endswith("-base")
    how = {} if is_base else MASKED
    extractor: Any = hf.Wav2Vec2FeatureExtractor(return_attention_mask=not is_base, do_normalize=name != "wavlm-base")
    if name == "wav2vec2":
        model: Any = hf.Wav2Vec2ForPreTraining(hf.Wav2Vec2Config(**TINY))
        vocabulary = folder / "vocab.json"
        folder.mkdir(parents=True, exist_ok=True)
        vocabulary.write_text('{"<pad>": 0, "<s>": 1, "</s>": 2, "<unk>": 3, "|": 4, "A": 5}')
        extractor = hf.Wav2Vec2Processor(extractor, hf.Wav2Vec2CTCTokenizer(str(vocabulary)))
    elif name == "wav2vec2-large":
        model = hf.Wav2Vec2ForCTC(hf.Wav2Vec2Config(**TINY, **MASKED, vocab_size=6))
    elif name.startswith("hubert"):
        model = hf.HubertModel(hf.HubertConfig(**TINY, **how))
    elif name.startswith("wavlm"):
        model = hf.WavLMModel(hf.WavLMConfig(**TINY, **how))
    elif name == "data2vec-audio":
        model = hf.Data2VecAudioModel(hf.Data2VecAudioConfig(**TINY | {"num_conv_pos_embeddings": 3}))
    else:
        extractor = hf.WhisperFeatureExtractor()
        sizes = dict.fromkeys(("encoder_layers", "decoder_layers", "encoder_attention_heads"), 2)
        sizes |= {"decoder_attention_heads": 2, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "vocab_size": 10}
        special = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1}
        config = hf.WhisperConfig(d_model=32, classifier_proj_size=24, init_std=0.2, **sizes, **special)
        model = hf.WhisperForConditionalGeneration(config)
    model.save_pretrained(folder)
    extractor.save_pretrained(folder)
    return folder


def save_whisper(folder: Path, *, seed: int = 0, width: int = 128, bands: int = 80) -> Path:
    """Save a Whisper of three layers with random weights, its heads as wide as in all of them, as the hub has it."""
    import torch
    import transformers as hf

    torch.manual_seed(seed)
    sizes = dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads"), width // 64)
    sizes |= {
        "encoder_layers": 3,
        "decoder_layers": 1,
        "encoder_ffn_dim": 4 * width,
        "decoder_ffn_dim": 64,
        "vocab_size": 10,
    }
    special = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1}
    config = hf.WhisperConfig(d_model=width, num_mel_bins=bands, init_std=0.1, **sizes, **special)
    hf.WhisperForConditionalGeneration(config).save_pretrained(folder)
    hf.WhisperFeatureExtractor(feature_size=bands).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def make_whisper() -> Callable[..., Path]:
    """Return the function that saves a Whisper of three layers of width 128 into a folder; `seed` draws its weights."""
    return save_whisper


ENCODERS = ("wav2vec2", "wav2vec2-large", "hubert", "wavlm", "data2vec-audio", "whisper")


@pytest.fixture(scope="session")
def make_encoder() -> Callable[..., Path]:
    """Return the function that saves a tiny encoder, of its name and folder; `seed` draws its weights. Beside those of
    `encoders`, hubert-base and wavlm-base are made as the base models are: no mask, group normalisation.
    """
    return save_encoder


@pytest.fixture(scope="session")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of tiny pretrained encoders, one of every architecture; wav2vec2 as base (no mask) and as large."""
    folder = tmp_path_factory.mktemp("encoders")
    return {name: save_encoder(name, folder / name) for name in ENCODERS}
