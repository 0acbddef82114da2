"""The first layers of Whisper: equal to transformers' own, blind to pads and neighbours, particular about weights."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from emotone.errors import EmotoneError, RecipeError, UsageError
from emotone.features.config import FeatureConfig
from emotone.features.extract import take_features
from emotone.models.config import WhisperConfig
from emotone.models.whisper import WhisperLayers
from emotone.models.whisper_weights import digest, read_weights

FEATURES = FeatureConfig(streams=("logmel",), window=400, hop=160, fft=400, mels=80, layout="ragged")


@pytest.fixture(scope="module")
def encoder(make_whisper: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_whisper(tmp_path_factory.mktemp("whisper"))


def network(folder: Path, **changes: Any) -> WhisperLayers:
    config = WhisperConfig(**{"encoder": "tiny", "width": 128, "layers": 2, "read": (1, 2)} | changes)
    made = WhisperLayers(config, 80, 3)
    made.load_encoder(folder)
    return made.eval()


def theirs(folder: Path, mels: torch.Tensor) -> list[torch.Tensor]:
    """The frames after each layer, by transformers."""
    import transformers as hf
    from safetensors.torch import load_file

    model = hf.models.whisper.modeling_whisper.WhisperEncoder(hf.WhisperConfig.from_pretrained(folder)).eval()
    state = load_file(folder / "model.safetensors").items()
    model.load_state_dict({name.split("encoder.")[-1]: own.float() for name, own in state if "decoder." not in name})
    with torch.inference_mode():
        return list(model(mels, output_hidden_states=True).hidden_states)


@pytest.mark.parametrize("real", [False, True])
def test_the_layers_are_transformers_own(encoder: Path, real: bool) -> None:
    changes: dict[str, Any] = {}
    if real:
        encoder = Path(os.environ.get("EMOTONE_DATA") or "/nowhere") / "encoders" / "whisper-base"
        if not encoder.is_dir():
            pytest.skip("needs Whisper-base: $EMOTONE_DATA/encoders/whisper-base")
        pytest.importorskip("transformers")
        changes = {"width": 512, "layers": 3, "read": (1, 2, 3)}
    own = network(encoder, **changes)
    mels = torch.randn(1, 80, 3000, generator=torch.Generator().manual_seed(0)).clamp(-1, 1.5)
    expected = theirs(encoder, mels)
    with torch.inference_mode():
        found = own.statistics(mels, torch.tensor([3000])).reshape(len(own.config.read), 2, -1)
    for number, each in zip(own.config.read, found, strict=True):
        torch.testing.assert_close(each[0], expected[number][0].mean(0), atol=3e-4, rtol=1e-3)
        torch.testing.assert_close(each[1], expected[number][0].std(0, correction=0), atol=3e-3, rtol=1e-2)


def test_log_mels_are_in_whispers_scale(encoder: Path) -> None:
    """By its own formula: the logarithm of the power to base 10, no lower than 8 below the largest, plus 4, over 4."""
    import transformers as hf

    samples = np.random.default_rng(0).normal(scale=0.1, size=16_000).astype("f4")
    samples[4_000:9_000] *= 0.001
    samples[:800] *= 0.1  # the loudest frame, of which the floor depends, is not at an end
    samples[-800:] *= 0.1
    frames = torch.from_numpy(take_features(samples, 16_000, FEATURES))
    own = network(encoder).normalise(frames[None], torch.tensor([frames.shape[1]]))[0]
    extractor = hf.WhisperFeatureExtractor()
    expected = extractor(samples, sampling_rate=16_000, return_tensors="pt", padding=False).input_features[0]
    inner = slice(3, 96)  # beyond, Whisper mirrors the clip, and here it is zeros
    torch.testing.assert_close(own[:, inner], torch.as_tensor(expected)[:, inner], atol=1e-4, rtol=1e-4)


def test_a_clip_does_not_hear_its_pads_nor_its_neighbours(encoder: Path) -> None:
    own, random = network(encoder), torch.Generator().manual_seed(1)
    clips = [20 * torch.randn(80, frames, generator=random) - 30 for frames in (61, 40, 1)]
    batch = torch.full((3, 80, 80), 7.0)
    for row, clip in zip(batch, clips, strict=True):
        row[:, : clip.shape[1]] = clip
    with torch.inference_mode():
        together = own((batch, torch.tensor([61, 40, 1])))
        alone = torch.cat([own((clip[None], torch.tensor([clip.shape[1]]))) for clip in clips])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)
    assert torch.isfinite(together).all()


def test_how_loud_a_clip_was_recorded_counts_only_where_the_recipe_wants_it(encoder: Path) -> None:
    samples = np.random.default_rng(0).normal(scale=0.1, size=16_000).astype("f4")
    loud, faint = (torch.from_numpy(take_features(scale * samples, 16_000, FEATURES))[None] for scale in (1, 0.1))
    beside = torch.cat([faint, torch.full((1, 80, 20), 30.0)], dim=2)  # louder, but beyond the clip's end
    length = torch.tensor([loud.shape[2]])
    as_recorded, level = network(encoder), network(encoder, normalise="peak")
    with torch.inference_mode():
        torch.testing.assert_close(level((faint, length)), level((loud, length)), atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(level((beside, length)), level((loud, length)), atol=1e-4, rtol=1e-4)
        assert (as_recorded((faint, length)) - as_recorded((loud, length))).abs().max() > 0.01


def test_lower_layers_and_deviations_are_expected_to_tell_less_where_the_recipe_says_so(encoder: Path) -> None:
    expected = torch.tensor([0.5, 0.25, 1.0, 0.5]).repeat_interleave(128)  # a layer's means, then its deviations
    torch.testing.assert_close(network(encoder, prior_scale=0.5).prior_scale(), expected)
    assert (network(encoder).prior_scale() == 1).all()


@pytest.mark.parametrize("level", ["none", "peak"])
def test_what_lies_below_the_floor_does_not_count(encoder: Path, level: str) -> None:
    random = torch.Generator().manual_seed(2)
    clip = -50 * torch.rand(1, 80, 60, generator=random)  # dB
    hum = torch.where(clip < -30, -45 + 5 * torch.rand(clip.shape, generator=random), clip)
    length = torch.tensor([60])
    hears, deaf = network(encoder, normalise=level), network(encoder, normalise=level, floor=30)
    with torch.inference_mode():
        assert (hears((hum, length)) - hears((clip, length))).abs().max() > 0.01
        torch.testing.assert_close(deaf((hum, length)), deaf((clip, length)), atol=2e-3, rtol=1e-3)


def edited(folder: Path, target: Path, **settings: Any) -> Path:
    target.mkdir()
    for path in folder.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    config = json.loads((target / "config.json").read_text()) | settings
    (target / "config.json").write_text(json.dumps(config))
    return target


def test_it_learns_from_the_scores_that_it_gives(encoder: Path) -> None:
    """Training works on the clips' own steps alone, one clip after another; what comes out is the same."""
    own = network(encoder, dropout=0.0)
    torch.nn.init.normal_(own.output.weight)
    clips = torch.randn(3, 80, 61, generator=torch.Generator().manual_seed(0)), torch.tensor([61, 20, 1])
    given, gradients = [], []
    for training in (False, True):
        own.train(training).zero_grad()
        scores = own(clips)
        scores.square().sum().backward()
        given.append(scores.detach())
        gradients.append(torch.cat([part.grad.flatten() for part in own.parameters() if part.grad is not None]))
    torch.testing.assert_close(given[0], given[1], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-3, atol=1e-3 * float(gradients[0].abs().max()))


@pytest.mark.parametrize(
    ("settings", "changes", "words"),
    [
        ({"model_type": "wav2vec2"}, {}, "an encoder of kind 'wav2vec2'; the recipe needs a Whisper"),
        ({}, {"layers": 4, "read": (4,)}, "the encoder has 3 layers; the recipe reads 4"),
        ({}, {"width": 192}, "the encoder's d_model is 128, but the recipe's model.width is 192"),
        ({"num_mel_bins": 128}, {}, "the encoder's num_mel_bins is 128, but the recipe's features.mels is 80"),
    ],
)
def test_another_encoder_is_told_apart(
    encoder: Path, tmp_path: Path, settings: dict[str, Any], changes: dict[str, Any], words: str
) -> None:
    folder = edited(encoder, tmp_path / "other", **settings)
    with pytest.raises(UsageError, match=words):
        network(folder, **changes)


def test_broken_files_are_named(encoder: Path, tmp_path: Path) -> None:
    folder = edited(encoder, tmp_path / "broken")
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EmotoneError, match="broken weights"):
        network(folder)
    (folder / "model.safetensors").write_bytes(whole)
    half = load_file(folder / "model.safetensors")
    name = next(each for each in half if each.endswith("encoder.layers.0.fc1.weight"))
    save_file(half | {name: half[name][:256].clone()}, folder / "model.safetensors")
    with pytest.raises(EmotoneError, match=r"other shapes than its config\.json says: .*layers\.0\.up\.weight"):
        network(folder)
    (folder / "config.json").write_text('{"model_type": "whisper"}')
    with pytest.raises(EmotoneError, match=r"its config\.json does not say 'd_model'"):
        network(folder)
    (folder / "config.json").write_text("{")
    with pytest.raises(EmotoneError, match=r"its config\.json cannot be read"):
        network(folder)
    (folder / "config.json").unlink()
    with pytest.raises(EmotoneError, match=r"no encoder in it, config\.json is missing"):
        network(folder)
    with pytest.raises(EmotoneError, match="no encoder in it"):
        read_weights(tmp_path / "nowhere", WhisperConfig(encoder="x", layers=1, read=(1,)), bands=80)


def test_missing_weights_are_named(encoder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = edited(encoder, tmp_path / "less")
    state = load_file(folder / "model.safetensors")
    state = {name: value for name, value in state.items() if "layers.1.fc2.weight" not in name}
    save_file(state, folder / "model.safetensors")
    with pytest.raises(EmotoneError, match=r"1 weights of the encoder are missing: layers\.1\.down\.weight"):
        network(folder)


@pytest.mark.parametrize(
    ("changes", "words"), [({"read": (1, 3)}, "read names layer 3 of 2"), ({"width": 100}, "64 wide")]
)
def test_what_a_recipe_may_not_say(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        WhisperConfig.parse({"encoder": "x", "width": 128, "layers": 2, "read": [1]} | changes, where="a recipe")


def test_other_weights_than_the_recipe_names_are_refused_however_they_are_packed(
    encoder: Path, make_whisper: Callable[..., Path], tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    config = WhisperConfig(encoder="tiny", width=128, layers=2, read=(1, 2))
    known = digest(read_weights(encoder, config, bands=80))
    folder = edited(encoder, tmp_path / "packed")
    state = load_file(folder / "model.safetensors")
    own = {name.removeprefix("model."): value.half().float() for name, value in state.items() if "decoder" not in name}
    save_file(own, folder / "model.safetensors")
    packed = digest(read_weights(folder, config, bands=80))
    save_file({name: value.half() for name, value in own.items()}, folder / "model.safetensors")
    assert digest(read_weights(folder, config, bands=80)) == packed != known, "half precision holds what it holds"
    network(folder, weights=packed)
    with pytest.raises(EmotoneError, match=f"holds the weights {packed}, the recipe is of {known}"):
        network(folder, weights=known)
