"""Encoders of every architecture: own weights, a head as transformers' pipeline has it, masks, rates, refusals."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from emotone.errors import EmotoneError, UsageError
from emotone.models.pretrained import FAMILIES, Encoder, FrozenEncoder

ENCODERS = ("wav2vec2", "wav2vec2-large", "hubert", "wavlm", "data2vec-audio", "whisper")
Make = Callable[..., Path]
MASKED = ("wav2vec2-large", "hubert", "wavlm")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def clip(seconds: float, seed: int = 0) -> NDArray[np.float32]:
    """A voice-like clip, (1, samples)."""
    random = np.random.default_rng(seed)
    time = np.arange(int(16_000 * seconds)) / 16_000
    voice = sum(np.sin(2 * np.pi * 140 * (seed + 1) ** 0.3 * harmonic * time) / harmonic for harmonic in range(1, 6))
    return (0.1 * voice + 0.01 * random.normal(size=len(time))).astype(np.float32)[None]


def load(folder: Path, **options: Any) -> Encoder:
    torch.manual_seed(1)
    return Encoder.load(folder, **options).eval()


def own_weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


@pytest.mark.parametrize("name", ENCODERS)
def test_the_encoders_own_weights_are_read_and_the_head_is_drawn(encoders: dict[str, Path], name: str) -> None:
    encoder = load(encoders[name], classes=8)
    saved = {key.rsplit("encoder.", 1)[-1]: value for key, value in own_weights(encoders[name]).items()}
    layers = [key for key in encoder.base.state_dict() if ".layers.1." in f".{key}"]
    assert layers
    for key in layers:
        assert torch.equal(saved[key.rsplit("encoder.", 1)[-1]], encoder.base.state_dict()[key]), key
    same, other = load(encoders[name], classes=8), Encoder.load(encoders[name], classes=8)
    assert torch.equal(encoder.head[0].weight, same.head[0].weight)
    assert not torch.equal(encoder.head[0].weight, other.head[0].weight)
    with torch.no_grad():
        assert encoder(encoder.inputs([clip(0.5), clip(0.8)])).shape == (2, 8)


@pytest.mark.parametrize("name", [*MASKED, "whisper"])
def test_a_clips_scores_do_not_depend_on_the_pads_of_its_batch(encoders: dict[str, Path], name: str) -> None:
    encoder = load(encoders[name])
    short, long = clip(0.7, 1), clip(2.0, 2)
    with torch.no_grad():
        together = encoder(encoder.inputs([short, long]))
        alone = torch.cat([encoder(encoder.inputs([each])) for each in (short, long)])
        torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)
        if name in MASKED:
            unmasked = encoder({"input_values": encoder.inputs([short, long])["input_values"]})
            assert (unmasked[0] - alone[0]).abs().max() > 1e-4, "without the mask the pads are heard"


def test_on_its_own_length_a_clip_is_not_padded(encoders: dict[str, Path]) -> None:
    """For a clip of 30 s it is transformers' own; a shorter one hears neither pads nor its neighbours."""
    padded, own = load(encoders["whisper"]), load(encoders["whisper"], own_length=True)
    whole, short = clip(30.0), clip(0.7, 1)
    with torch.no_grad():
        torch.testing.assert_close(own(own.inputs([whole])), padded(padded.inputs([whole])), atol=1e-4, rtol=1e-4)
        together = own(own.inputs([short, clip(2.0, 2)]))
        alone = own(own.inputs([short]))
        torch.testing.assert_close(together[:1], alone, atol=1e-5, rtol=1e-5)
        assert (alone - padded(padded.inputs([short]))).abs().max() > 1e-3, "the mean over 30 s is mostly silence"
        assert own.frames(short).shape == (35, 32)
        assert torch.isfinite(own(own.inputs([clip(0.001)]))).all()
    frames = FrozenEncoder(encoders["whisper"], rate=16_000, mean=False, device="cpu", own_length=True)
    assert frames.load()(short).shape == (32, 35)
    assert frames.identity != FrozenEncoder(encoders["whisper"], rate=16_000, mean=False, device="cpu").identity


def test_only_whisper_has_a_length_that_is_not_its_own(encoders: dict[str, Path]) -> None:
    with pytest.raises(UsageError, match=r"own_length goes with a Whisper; this encoder is a hubert"):
        Encoder.load(encoders["hubert"], own_length=True)


def test_data2vec_hears_pads_near_a_clips_end_and_less_with_the_mask(encoders: dict[str, Path]) -> None:
    """Its positions come of stacked convolutions, and a mask before the first does not reach the others."""
    encoder = load(encoders["data2vec-audio"])
    inputs = encoder.inputs([clip(0.7, 1), clip(2.0, 2)])
    with torch.no_grad():
        alone = encoder(encoder.inputs([clip(0.7, 1)]))[0]
        masked, unmasked = encoder(inputs)[0], encoder({"input_values": inputs["input_values"]})[0]
    assert 1e-5 < (masked - alone).abs().max() < (unmasked - alone).abs().max()


def test_what_was_trained_without_a_mask_gets_none(encoders: dict[str, Path]) -> None:
    encoder = load(encoders["wav2vec2"])
    inputs = encoder.inputs([clip(0.5, 1), clip(1.0, 2)])
    assert set(inputs) == {"input_values"}
    alone = encoder.inputs([clip(0.5, 1)])["input_values"]
    torch.testing.assert_close(inputs["input_values"][:1, :8_000], alone)  # its level is not its batch's
    assert not inputs["input_values"][0, 8_000:].any()


@pytest.mark.parametrize("name", ENCODERS)
def test_scores_are_the_heads_of_the_mean_frames(encoders: dict[str, Path], name: str) -> None:
    encoder = load(encoders[name], classes=5)
    with torch.no_grad():
        frames = encoder.frames(clip(1.0))
        torch.testing.assert_close(encoder.head(frames.mean(0)), encoder(encoder.inputs([clip(1.0)]))[0])
    assert frames.shape == (1500 if name == "whisper" else 49, 32)


@pytest.mark.parametrize("name", ENCODERS)
def test_frozen_frames(encoders: dict[str, Path], name: str) -> None:
    whole = FrozenEncoder(encoders[name], rate=16_000, mean=False, device="cpu")
    frames = whole.load()(clip(1.0))
    assert frames.dtype == np.float32 and frames.shape == (32, 50 if name == "whisper" else 49)
    again = FrozenEncoder(encoders[name], rate=16_000, mean=False, device="cpu").load()(clip(1.0))
    assert np.array_equal(frames, again)
    mean = FrozenEncoder(encoders[name], rate=16_000, mean=True, device="cpu")
    assert mean.identity != whole.identity
    with torch.no_grad():
        expected = load(encoders[name]).frames(clip(1.0)).mean(0)[:, None]
    np.testing.assert_allclose(mean.load()(clip(1.0)), expected, atol=1e-6)


@pytest.mark.parametrize("name", ENCODERS)
def test_what_is_frozen(encoders: dict[str, Path], name: str) -> None:
    def trained(part: Any) -> set[str]:
        encoder = load(encoders[name])
        encoder.freeze(part)
        names = (key for key, value in encoder.model.named_parameters() if value.requires_grad)
        return {key for key in names if "embed_positions" not in key}  # sines, which Whisper never trains

    everything, head = trained("nothing"), trained("encoder")
    assert head == {"projector.weight", "projector.bias", "classifier.weight", "classifier.bias"}
    convolutions = everything - trained("features")
    expected = ".conv1.", ".conv2." if name == "whisper" else ".feature_extractor."
    assert convolutions == {key for key in everything if any(part in f".{key}" for part in expected)} != set()


@pytest.mark.parametrize("name", ENCODERS)
def test_every_layer_has_its_own_rate(encoders: dict[str, Path], name: str) -> None:
    encoder = load(encoders[name])
    encoder.freeze("features")
    groups = encoder.rates(head=0.1, top=0.01, decay=0.5)
    rates = {id(parameter): group["lr"] for group in groups for parameter in group["params"]}
    assert len(rates) == sum(len(group["params"]) for group in groups), "no parameter twice"
    assert groups[0]["lr"] == 0.1
    for key, parameter in encoder.model.named_parameters():
        if not parameter.requires_grad:
            assert id(parameter) not in rates
        elif key.startswith(("projector", "classifier")):
            assert rates[id(parameter)] == 0.1
        elif ".layers.1." in key and "pos_conv" not in key:
            assert rates[id(parameter)] == 0.01
        elif ".layers.0." in key and "pos_conv" not in key:
            assert rates[id(parameter)] == 0.005
        else:
            assert rates[id(parameter)] == 0.0025, key


@pytest.mark.parametrize("name", ENCODERS)
def test_transformers_pipeline_gives_the_same_probabilities(
    encoders: dict[str, Path], name: str, tmp_path: Path
) -> None:
    from transformers import pipeline

    labels = ("neutral", "happy", "sad")
    encoder = load(encoders[name], classes=3)
    encoder.save(tmp_path, labels)
    with torch.no_grad():
        expected = torch.softmax(encoder(encoder.inputs([clip(1.3)])), 1)[0]
    answer = pipeline("audio-classification", model=str(tmp_path), device="cpu")(clip(1.3)[0])
    given = {each["label"]: each["score"] for each in answer}
    assert given == pytest.approx(dict(zip(labels, expected.tolist(), strict=True)), abs=1e-5)
    restored = Encoder.load(tmp_path, classes=3, with_head=True)
    for key, value in encoder.state_dict().items():
        assert torch.equal(restored.state_dict()[key], value), key


def test_the_head_of_another_task_is_not_kept(encoders: dict[str, Path], tmp_path: Path) -> None:
    """Eight classes learnt elsewhere, on test clips perhaps, are no start for eight classes here."""
    first = load(encoders["hubert"], classes=8)
    first.save(tmp_path, [str(label) for label in range(8)])
    again = load(tmp_path, classes=8)
    torch.manual_seed(2)
    other = Encoder.load(tmp_path, classes=8)
    assert not torch.equal(again.head[1].weight, other.head[1].weight)
    assert load(tmp_path, classes=3).head[1].weight.shape == (3, 24)
    with pytest.raises(EmotoneError, match="weights are missing or of another shape: classifier"):
        Encoder.load(tmp_path, classes=3, with_head=True)


def refusal(folder: Path) -> str:
    with pytest.raises(EmotoneError) as caught:
        Encoder.load(folder)
    assert str(folder) in str(caught.value) and "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_no_encoder_of_speech_is_refused(encoders: dict[str, Path], tmp_path: Path) -> None:
    from transformers import BertConfig, BertModel

    BertModel(BertConfig(vocab_size=9, hidden_size=8, num_hidden_layers=1, num_attention_heads=1)).save_pretrained(
        tmp_path
    )
    assert "'bert'" in refusal(tmp_path) and all(family in refusal(tmp_path) for family in FAMILIES)
    assert "cannot be read as an encoder" in refusal(tmp_path / "absent")


@pytest.mark.parametrize("part", ["model.safetensors", "config.json", "preprocessor_config.json"])
def test_missing_and_cut_files_are_refused(tmp_path: Path, part: str, make_encoder: Make) -> None:
    folder = make_encoder("hubert", tmp_path)
    content = (folder / part).read_bytes()
    (folder / part).write_bytes(content[: len(content) // 2])
    assert "cannot be read as an encoder" in refusal(folder)
    (folder / part).unlink()
    assert "cannot be read as an encoder" in refusal(folder)


def test_settings_of_another_type_are_refused(tmp_path: Path, make_encoder: Make) -> None:
    folder = make_encoder("hubert", tmp_path)
    settings = json.loads((folder / "config.json").read_text()) | {"hidden_size": "wide"}
    (folder / "config.json").write_text(json.dumps(settings))
    assert "cannot be read as an encoder" in refusal(folder) and "hidden_size" in refusal(folder)


def test_an_encoder_without_some_of_its_weights_is_refused(tmp_path: Path, make_encoder: Make) -> None:
    """transformers would draw them at random, with a warning that nobody reads."""
    folder = make_encoder("hubert", tmp_path)
    kept = {key: value for key, value in own_weights(folder).items() if "layers.1.attention.q_proj" not in key}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    assert "2 weights are missing" in refusal(folder) and "q_proj" in refusal(folder)


def test_pretraining_may_have_left_out_the_mask_of_training(tmp_path: Path, make_encoder: Make) -> None:
    folder = make_encoder("wav2vec2", tmp_path)
    kept = {key: value for key, value in own_weights(folder).items() if "masked_spec_embed" not in key}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    assert load(folder).rate == 16_000


def test_another_sampling_rate_is_refused(encoders: dict[str, Path]) -> None:
    with pytest.raises(UsageError, match=r"reads 16000 Hz, but the recipe's audio\.rate is 48000"):
        FrozenEncoder(encoders["hubert"], rate=48_000, mean=True).load()


def test_weights_of_half_precision_are_read_in_full(tmp_path: Path, make_encoder: Make) -> None:
    folder = make_encoder("hubert", tmp_path)
    halved = {key: value.half() for key, value in own_weights(folder).items()}
    save_file(halved, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"dtype": "float16"}))
    assert {value.dtype for value in load(folder).parameters()} == {torch.float32}
