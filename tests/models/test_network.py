"""Every network of the papers has the paper's size, and keeps the contract that training and prediction rely on."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import nn

from emotone import recipes
from emotone.cli.show import input_shape
from emotone.emotions import get_scheme
from emotone.errors import RecipeError
from emotone.models.config import NetworkConfig
from emotone.models.describe import keras_parameters, layers
from emotone.models.network import Network
from emotone.recipes.schema import Recipe

NETWORKS = [recipe for recipe in map(recipes.load, recipes.names()) if recipe.model.kind == "network"]
READ_FRAMES = [recipe for recipe in NETWORKS if recipe.features.layout == "frames"]
OF_CHUNKS = [recipe for recipe in NETWORKS if getattr(recipe.model, "reads", "") == "chunks"]
each_network = pytest.mark.parametrize("recipe", NETWORKS, ids=lambda recipe: recipe.id)
each_of_chunks = pytest.mark.parametrize("recipe", OF_CHUNKS, ids=lambda recipe: recipe.id)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


def config_of(recipe: Recipe) -> NetworkConfig:
    assert isinstance(recipe.model, NetworkConfig)
    return recipe.model


def classes_of(recipe: Recipe) -> int:
    return len(get_scheme(recipe.scheme).order)


def build(recipe: Recipe, frames: int | None = None) -> Network:
    """A recipe's network for clips as long as RAVDESS's, or of so many frames."""
    shape = input_shape(recipe.features, recipe.audio.rate)
    return Network(config_of(recipe), shape if frames is None else (shape[0], frames), classes_of(recipe))


@pytest.mark.parametrize(
    ("system", "everything", "trainable"),
    [
        ("kakadiya/lstm", 305_864, 305_864),
        ("kakadiya/cnn", 166_984, 166_088),
        ("kakadiya/cnn-lstm", 378_344, 377_448),
    ],
)
def test_kakadiyas_networks_have_the_papers_parameters(system: str, everything: int, trainable: int) -> None:
    recipe = recipes.load(system)
    assert input_shape(recipe.features, recipe.audio.rate) == (160,)
    assert keras_parameters(build(recipe)) == (everything, trainable)
    assert (recipe.published.parameters, recipe.published.trainable_parameters) == (everything, trainable)


def test_kerass_count_differs_from_torchs_by_one_bias_a_gate_and_by_running_statistics() -> None:
    network = build(recipes.load("bhanbhro/cnn-bilstm-attention"))
    ours = sum(parameter.numel() for parameter in network.parameters())
    statistics = 2 * (8 + 16 + 32 + 64 + 128 + 256)
    assert keras_parameters(network) == (ours - 2 * 4 * 128 + statistics, ours - 2 * 4 * 128)


@each_network
def test_scores_have_the_right_shape_and_every_parameter_learns(recipe: Recipe) -> None:
    network = build(recipe).train()
    scores = network(torch.randn(2, *network.input_shape))
    assert scores.shape == (2, classes_of(recipe))
    assert scores.dtype == torch.float32 and scores.isfinite().all()
    nn.functional.cross_entropy(scores, torch.tensor([0, 1])).backward()
    still = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not still


@each_network
def test_prediction_is_the_same_alone_in_a_batch_and_again(recipe: Recipe) -> None:
    network = build(recipe).eval()
    samples = torch.randn(3, *network.input_shape)
    with torch.inference_mode():
        together, alone = network(samples), network(samples[1:2])
        torch.testing.assert_close(together[1:2], alone, atol=1e-5, rtol=1e-4)
        assert torch.equal(network(samples), together)


@each_network
def test_dropout_and_batch_statistics_act_in_training_only(recipe: Recipe) -> None:
    network = build(recipe)
    samples = torch.randn(2, *network.input_shape)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with torch.inference_mode():
        network.eval()(samples)
        assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
        network.train()
        differs = not torch.equal(network(samples), network(samples))
    assert differs == any(isinstance(module, nn.Dropout) and module.p > 0 for module in network.modules())
    moved = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    normalised = {name for name, _ in network.named_buffers()}
    assert moved == normalised


@pytest.mark.parametrize("frames", [1, 7, 129, 700])
@pytest.mark.parametrize("recipe", READ_FRAMES, ids=lambda recipe: recipe.id)
def test_clips_may_be_short_or_long(recipe: Recipe, frames: int) -> None:
    network = build(recipe, frames).eval()
    with torch.inference_mode():
        scores = network(torch.randn(1, *network.input_shape))
    assert scores.shape == (1, classes_of(recipe)) and scores.isfinite().all()


@pytest.mark.parametrize("recipe", READ_FRAMES, ids=lambda recipe: recipe.id)
def test_one_network_takes_any_length_unless_it_flattens(recipe: Recipe) -> None:
    network = build(recipe, 200).eval()
    longer = torch.randn(1, network.input_shape[0], 430)
    if config_of(recipe).pooling == "flatten":
        with pytest.raises(RuntimeError):
            network(longer)
    else:
        assert network(longer).shape == (1, classes_of(recipe))


@pytest.mark.parametrize(
    ("reads", "shape"),
    [("vector", (40, 100)), ("sequence", (160,)), ("image", (160,)), ("chunks", (160,)), ("image", (1, 40, 100))],
)
def test_features_of_another_shape_are_refused(reads: str, shape: tuple[int, ...]) -> None:
    config = NetworkConfig.parse(
        {
            "reads": reads,
            "convolution": {"channels": [2], "kernel": 3, "pool": 2, "dropout": 0},
            "pooling": "average",
            "framework": "torch",
        }
        | ({"chunk_frames": 8, "chunk_hop": 4} if reads == "chunks" else {}),
        where="test",
    )
    with pytest.raises(RecipeError, match=f"reads '{reads}' cannot take"):
        Network(config, shape, 3)


@pytest.mark.parametrize("frames", [5, 128, 129, 192, 193, 430])
def test_time_distributed_is_the_same_convolutions_on_chunk_after_chunk(frames: int) -> None:
    recipe = recipes.load("bhanbhro/ablation-no-lstm")
    config = config_of(recipe)
    size, hop = config.chunk_frames or 0, config.chunk_hop or 0
    network = build(recipe, frames).eval()
    features = torch.randn(2, network.input_shape[0], frames)
    starts = range(0, max(frames - size, 0) + hop, hop) if frames > size else [0]
    starts = [start for start in starts if start == 0 or start - hop + size < frames]
    padded = nn.functional.pad(features, (0, max(starts) + size - frames))
    with torch.inference_mode():
        steps = [network.convolution(padded[:, None, :, start : start + size]).flatten(1) for start in starts]
        expected = network.output(network.attention(torch.stack(steps, 1))[0])  # type: ignore[misc]
        torch.testing.assert_close(network(features), expected, atol=1e-5, rtol=1e-4)


def test_every_frame_is_in_a_chunk() -> None:
    network = build(recipes.load("bhanbhro/ablation-no-lstm"), 300).eval()
    features = torch.randn(1, network.input_shape[0], 300, requires_grad=True)
    network(features).sum().backward()
    assert features.grad is not None and (features.grad.abs().sum((0, 1)) > 0).all()


LENGTHS = (40, 128, 129, 192, 193, 300)


def clips_of(network: Network, lengths: Sequence[int]) -> list[torch.Tensor]:
    return [torch.randn(network.input_shape[0], length) for length in lengths]


def padded(clips: Sequence[torch.Tensor], frames: int) -> torch.Tensor:
    return torch.stack([nn.functional.pad(clip, (0, frames - clip.shape[1])) for clip in clips])


@each_of_chunks
@pytest.mark.parametrize("pooling", ["average", None])
def test_pads_do_not_change_a_clips_scores(recipe: Recipe, pooling: str | None) -> None:
    config = config_of(recipe)
    config = config.model_copy(update={"pooling": pooling or config.pooling})
    network = Network(config, build(recipe).input_shape, classes_of(recipe)).eval()
    clips = clips_of(network, LENGTHS)
    with torch.inference_mode():
        alone = torch.cat([network(clip[None]) for clip in clips])
        for frames in (300, 431):
            torch.testing.assert_close(network(padded(clips, frames)), alone, atol=1e-5, rtol=1e-4)


@each_of_chunks
def test_pads_are_in_no_batch_statistics_and_no_gradient(recipe: Recipe) -> None:
    """Batch normalisation sees the chunks of the clips, as if every clip had been cut by itself."""

    def learn(frames: int) -> dict[str, torch.Tensor]:
        torch.manual_seed(0)
        network = build(recipe).train()
        nn.functional.cross_entropy(network(padded(clips, frames)), torch.arange(len(clips))).backward()
        gradients = {name: own.grad for name, own in network.named_parameters() if own.grad is not None}
        return gradients | dict(network.named_buffers())

    clips = clips_of(build(recipe), LENGTHS)
    least, more = learn(300), learn(600)
    assert least.keys() == more.keys()
    for name, value in least.items():
        torch.testing.assert_close(more[name], value, atol=1e-5, rtol=1e-3, msg=name)


@each_of_chunks
def test_the_convolutions_see_the_chunks_that_hold_new_frames(recipe: Recipe) -> None:
    network, seen = build(recipe).eval(), []
    network.convolution.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    clips = clips_of(network, LENGTHS)
    with torch.inference_mode():
        network(padded(clips, 600))
    assert len(seen[0]) == 1 + 1 + 2 + 2 + 3 + 4
    assert torch.equal(seen[0][1, 0], clips[1])
    assert torch.equal(seen[0][3, 0, :, :65], clips[2][:, 64:]) and not seen[0][3, 0, :, 65:].any()


@each_of_chunks
def test_silence_is_one_chunk(recipe: Recipe) -> None:
    network = build(recipe).eval()
    with torch.inference_mode():
        scores = network(torch.zeros(2, *network.input_shape))
        torch.testing.assert_close(scores[:1], network(torch.zeros(1, network.input_shape[0], 1)))
    assert scores.isfinite().all()


@each_network
def test_layers_are_listed_in_order_with_their_shapes(recipe: Recipe) -> None:
    network = build(recipe).train()
    listed = layers(network)
    assert network.training
    assert not any(module._forward_hooks for module in network.modules())
    assert listed[-1].name == "output" and listed[-1].output == (1, classes_of(recipe))
    assert sum(layer.parameters for layer in listed) == sum(p.numel() for p in network.parameters())
    named = [name for name, _ in network.named_parameters()]
    owners = list(dict.fromkeys(name.rsplit(".", 1)[0] for name in named))
    assert [layer.name for layer in listed if layer.parameters] == owners


def test_kakadiyas_layers_have_the_papers_shapes() -> None:
    listed = layers(build(recipes.load("kakadiya/cnn-lstm")))
    shapes = [layer.output[1:] for layer in listed if not layer.kind.startswith(("ReLU", "Dropout"))]
    assert shapes == [
        (64, 160), (64, 160), (64, 80),
        (128, 80), (128, 80), (128, 40),
        (256, 40), (256, 40), (256, 20),
        (20, 128), (20, 64), (64,), (32,), (8,),
    ]  # fmt: skip
    assert [layer.parameters for layer in listed if layer.kind.startswith("Conv1d")] == [256, 24_704, 98_560]


def test_the_seed_alone_decides_the_initial_weights() -> None:
    def weights(seed: int) -> np.ndarray:
        torch.manual_seed(seed)
        network = build(recipes.load("nguyen/cnn-lstm"), 50)
        return np.concatenate([value.numpy().ravel() for value in network.state_dict().values()])

    assert np.array_equal(weights(1), weights(1))
    assert not np.array_equal(weights(1), weights(2))


@pytest.mark.parametrize("name", ["bhanbhro/cnn-bilstm-attention", "nguyen/cnn-lstm"])
def test_the_output_layer_reads_the_embedding(name: str) -> None:
    network = build(recipes.load(name), 300).eval()
    features = torch.randn(2, *network.input_shape)
    with torch.inference_mode():
        embedding, attention = network.embed(features)
        assert torch.equal(network.output(embedding), network(features))
    assert (attention is None) == (name != "bhanbhro/cnn-bilstm-attention")
    if attention is not None:
        torch.testing.assert_close(attention.sum(1), torch.ones(2))
