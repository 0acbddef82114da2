"""The first layers of encoders of waveforms: transformers' own, blind to pads, particular about files."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from emotone.errors import EmotoneError, RecipeError, UsageError
from emotone.models.config import Architecture, Wav2Vec2Config
from emotone.models.wav2vec2 import Wav2Vec2Layers
from emotone.models.wav2vec2_weights import read_architecture, read_weights

NAMES = ("wav2vec2", "wav2vec2-large", "hubert", "hubert-base", "wavlm", "wavlm-base", "data2vec-audio")
LENGTHS = (16_000, 9_001, 4_000, 700, 1)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def folders(make_encoder: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("encoders")
    return {name: make_encoder(name, root / name) for name in NAMES}


def network(folder: Path, **changes: Any) -> Wav2Vec2Layers:
    given = {"encoder": "tiny", "layers": 2, "read": (1, 2), "architecture": read_architecture(folder)} | changes
    made = Wav2Vec2Layers(Wav2Vec2Config(**given), 3)
    made.load_encoder(folder)
    return made.eval()


def clips(*lengths: int) -> list[Tensor]:
    random = torch.Generator().manual_seed(1)
    return [0.1 * torch.randn(1, length, generator=random) + 0.05 for length in lengths]


def batch_of(given: list[Tensor], pad: float) -> tuple[Tensor, Tensor]:
    """Clips in one batch, longer than all of them, whose rest is not silent."""
    lengths = torch.tensor([clip.shape[1] for clip in given])
    batch = torch.full((len(given), 1, int(lengths.max()) + 777), pad)
    for row, clip in zip(batch, given, strict=True):
        row[:, : clip.shape[1]] = clip
    return batch, lengths


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("layers", [1, 2])
def test_layers_are_read_as_transformers_counts_its_hidden_states(
    folders: dict[str, Path], name: str, layers: int
) -> None:
    import transformers as hf

    theirs = hf.AutoModel.from_pretrained(folders[name]).eval()
    extractor = hf.AutoFeatureExtractor.from_pretrained(folders[name])
    own = network(folders[name], layers=layers, read=tuple(range(1, layers + 1)))
    assert len(own.trained) == layers, "what lies above costs nothing"
    (clip,) = clips(16_000)
    given = extractor(clip[0].numpy(), sampling_rate=16_000, return_tensors="pt")["input_values"]
    length = torch.tensor([16_000])
    with torch.inference_mode():
        expected = theirs(given, output_hidden_states=True).hidden_states
        found = own.statistics(own.normalise(clip[None], length), length).reshape(layers, 2, -1)
    for number, each in enumerate(found, start=1):
        torch.testing.assert_close(each[0], expected[number][0].mean(0), atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(each[1], expected[number][0].std(0, correction=0), atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_a_clip_does_not_hear_its_pads_nor_its_neighbours(folders: dict[str, Path], name: str) -> None:
    own, given = network(folders[name]), clips(*LENGTHS)
    with torch.inference_mode():
        together = own(batch_of(given, pad=7.0))
        alone = torch.cat([own((clip[None], torch.tensor([clip.shape[1]]))) for clip in given])
        silence = own((torch.zeros(1, 1, 3_000), torch.tensor([3_000])))
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)
    assert torch.isfinite(together).all() and torch.isfinite(silence).all()


@pytest.mark.parametrize("name", ["wav2vec2", "wavlm"])
def test_it_learns_from_the_scores_that_it_gives(folders: dict[str, Path], name: str) -> None:
    own, given = network(folders[name], dropout=0.0), batch_of(clips(*LENGTHS), pad=0.0)
    torch.nn.init.normal_(own.output.weight)
    scores, gradients = [], []
    for training in (False, True):
        own.train(training).zero_grad()
        scores.append(own(given))
        scores[-1].square().sum().backward()
        gradients.append(torch.cat([part.grad.flatten() for part in own.parameters() if part.grad is not None]))
    torch.testing.assert_close(*scores, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(*gradients, rtol=1e-3, atol=1e-3 * float(gradients[0].abs().max()))


def test_how_loud_a_clip_was_recorded_counts_as_the_feature_extractor_says(folders: dict[str, Path]) -> None:
    (clip,), length = clips(8_000), torch.tensor([8_000])
    for name, counts in (("wavlm-base", True), ("hubert-base", False)):
        own = network(folders[name])
        with torch.inference_mode():
            loud, faint = (own.normalise(scale * clip[None], length) for scale in (1.0, 0.1))
        assert bool((loud - faint).abs().max() > 0.01) == counts


def edited(folder: Path, target: Path, file: str = "config.json", **settings: Any) -> Path:
    shutil.copytree(folder, target)
    said = json.loads((target / file).read_text()) | settings
    (target / file).write_text(json.dumps(said))
    return target


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"model_type": "whisper"}, UsageError, "Unknown kind of encoder 'whisper' in .*Valid: hubert"),
        ({"conv_pos_batch_norm": True}, UsageError, "conv_pos_batch_norm is true in its config.json; only"),
        ({"hidden_size": "wide"}, EmotoneError, "cannot be read as an encoder: .*hidden_size"),
        ({"conv_kernel": [3]}, EmotoneError, "cannot be read as an encoder"),
    ],
)
def test_another_encoder_is_told_apart(
    folders: dict[str, Path], tmp_path: Path, settings: dict[str, Any], error: type[EmotoneError], words: str
) -> None:
    folder = edited(folders["hubert"], tmp_path / "other", **settings)
    with pytest.raises(error, match=words) as caught:
        read_architecture(folder)
    assert str(folder) in str(caught.value) and "\n" not in str(caught.value)


def test_fewer_layers_and_other_sizes_than_the_recipes_are_refused(folders: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has 2 layers; the recipe reads 3\. model\.layers may be 1 to 2"):
        network(folders["wavlm"], layers=3, read=(3,))
    known = read_architecture(folders["wavlm"])
    other = edited(folders["wavlm"], tmp_path / "other", num_attention_heads=4)
    with pytest.raises(UsageError, match=r"num_attention_heads is 4, but the recipe's model\.architecture has 2"):
        network(other, architecture=known)
    with pytest.raises(UsageError, match="was not looked for"):
        Wav2Vec2Layers(Wav2Vec2Config(encoder="tiny", layers=1, read=(1,)), 3)


@pytest.mark.parametrize("part", ["model.safetensors", "config.json", "preprocessor_config.json"])
def test_missing_and_cut_files_are_refused(folders: dict[str, Path], tmp_path: Path, part: str) -> None:
    folder = Path(shutil.copytree(folders["hubert"], tmp_path / "cut"))
    known, content = read_architecture(folder), (folder / part).read_bytes()
    (folder / part).write_bytes(content[: len(content) // 2])
    with pytest.raises(EmotoneError, match=r"cannot be read as an encoder: .*hf download NAME"):
        read_weights(folder, known, 2)
    (folder / part).unlink()
    with pytest.raises(EmotoneError, match=f"{part} is missing. .*hf download NAME"):
        read_weights(folder, known, 2)


def test_weights_that_are_missing_are_not_drawn_at_random(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(folders["hubert"], tmp_path / "holes"))
    state = load_file(folder / "model.safetensors")

    def keep(lost: str) -> None:
        kept = {name: value for name, value in state.items() if lost not in name}
        save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})

    keep("layers.0.attention.q_proj")
    with pytest.raises(EmotoneError, match=r"2 weights are missing or of another shape: .*q_proj"):
        network(folder)
    keep("encoder.layers.1.")
    assert network(folder, layers=1, read=(1,)), "what is not read need not be there"


def test_the_digest_is_of_the_weights_that_are_read_and_not_of_their_files(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    architecture = read_architecture(folders["wavlm"])
    known = read_weights(folders["wavlm"], architecture, 1).digest
    folder = Path(shutil.copytree(folders["wavlm"], tmp_path / "other"))
    state = load_file(folder / "model.safetensors")
    save_file({f"wavlm.{name}": value for name, value in state.items()} | {"lm_head.weight": torch.zeros(6, 32)},
              folder / "model.safetensors", metadata={"format": "pt"})  # fmt: skip
    assert read_weights(folder, architecture, 1).digest == known != read_weights(folder, architecture, 2).digest
    network(folder, layers=1, read=(1,), weights=known)
    with pytest.raises(EmotoneError, match=f"holds the weights .*, the recipe is of {known}"):
        network(folder, weights=known)


def test_files_of_old_are_read_as_those_of_today(folders: dict[str, Path], tmp_path: Path) -> None:
    """As the hub has the base models: no safetensors, the names of an older torch."""
    architecture = read_architecture(folders["hubert-base"])
    known = read_weights(folders["hubert-base"], architecture, 2)
    folder = Path(shutil.copytree(folders["hubert-base"], tmp_path / "old"))
    state = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    for new, old in (
        ("parametrizations.weight.original0", "weight_g"),
        ("parametrizations.weight.original1", "weight_v"),
    ):
        state = {name.replace(new, old): value for name, value in state.items()}
    assert any(name.endswith("conv.weight_g") for name in state)
    torch.save(state, folder / "pytorch_model.bin")
    found = read_weights(folder, architecture, 2)
    assert found.digest == known.digest
    assert all(torch.equal(found.state[name], value) for name, value in known.state.items())


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"hidden_act": "nothing"}, "cannot be read as an encoder"), ({"num_attention_heads": 7}, "divisible")],
)
def test_an_architecture_that_cannot_be_is_an_error(
    folders: dict[str, Path], changes: dict[str, Any], words: str
) -> None:
    said = read_architecture(folders["hubert"]).model_dump() | changes
    config = Wav2Vec2Config(encoder="tiny", layers=1, read=(1,), architecture=Architecture(**said))
    with pytest.raises(EmotoneError, match=f"tiny: .*{words}"):
        Wav2Vec2Layers(config, 3)


def test_what_is_read_must_be_run() -> None:
    with pytest.raises(RecipeError, match="read names layer 3 of 2"):
        Wav2Vec2Config.parse({"encoder": "x", "layers": 2, "read": [3]}, where="a recipe")
