"""The parts of a network compute what the papers and Keras say."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from emotone.models.config import ConvolutionConfig
from emotone.models.layers import AdditiveAttention, MaxPool, convolution_blocks, keras_defaults


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


def blocks(**changes: object) -> ConvolutionConfig:
    usual = {"channels": [4, 6], "kernel": 3, "pool": 2, "dropout": 0}
    return ConvolutionConfig.parse(usual | changes, where="test")


@pytest.mark.parametrize("shape", [(2, 3, 9), (2, 3, 8, 9)])
@pytest.mark.parametrize("size", [1, 2, 4])
def test_pooling_is_torchs_where_the_map_is_large_enough(shape: tuple[int, ...], size: int) -> None:
    maps = torch.randn(shape)
    expected = F.max_pool1d(maps, size) if len(shape) == 3 else F.max_pool2d(maps, size)
    assert torch.equal(MaxPool(size)(maps), expected)


def test_a_map_smaller_than_its_pool_is_pooled_whole() -> None:
    assert torch.equal(MaxPool(4)(torch.tensor([[[3.0, 7.0, 5.0]]])), torch.tensor([[[7.0]]]))
    maps = torch.randn(1, 2, 3, 10)
    pooled = MaxPool(4)(maps)
    assert pooled.shape == (1, 2, 1, 2)  # the low side whole, the long side in fours
    assert torch.equal(pooled[0, :, 0, 0], maps[0, :, :, :4].amax((1, 2)))
    assert MaxPool(4)(torch.randn(1, 2, 1, 1)).shape == (1, 2, 1, 1)


def test_attention_is_the_papers_formula() -> None:
    attention = AdditiveAttention(3)
    steps = torch.randn(2, 5, 3)
    weight, bias = (parameter.detach().numpy() for parameter in (attention.score.weight, attention.score.bias))
    expected = []
    for h in steps.numpy():
        e = np.tanh(h @ weight[0] + bias[0])
        a = np.exp(e) / np.exp(e).sum()
        expected.append(sum(a[t] * h[t] for t in range(5)))
    np.testing.assert_allclose(attention(steps)[0].detach().numpy(), expected, rtol=1e-5)


def test_attention_of_one_step_is_that_step() -> None:
    steps = torch.randn(2, 1, 3)
    torch.testing.assert_close(AdditiveAttention(3)(steps)[0], steps[:, 0])


def test_attention_leaves_out_what_is_no_step() -> None:
    attention, steps = AdditiveAttention(3), torch.randn(2, 5, 3)
    real = torch.arange(5) < torch.tensor([[2], [5]])
    pooled, weights = attention(steps, real)
    torch.testing.assert_close(pooled[0], attention(steps[:1, :2])[0][0])
    torch.testing.assert_close(pooled[1], attention(steps[1:])[0][0])
    assert weights[0, 2:].tolist() == [0, 0, 0]
    torch.testing.assert_close((weights[:, :, None] * steps).sum(1), pooled)


@pytest.mark.parametrize("activation", ["relu", "elu"])
@pytest.mark.parametrize("norm", ["none", "before", "after"])
@pytest.mark.parametrize("dimensions", [1, 2])
def test_a_block_is_convolution_norm_activation_pooling(activation: str, norm: str, dimensions: int) -> None:
    stack = convolution_blocks(
        blocks(channels=[4], activation=activation, norm=norm), channels=3, dimensions=dimensions
    )
    kinds = nn.Conv1d | nn.Conv2d, nn.BatchNorm1d | nn.BatchNorm2d
    convolution = next(module for module in stack if isinstance(module, kinds[0]))
    normalisation = [module for module in stack if isinstance(module, kinds[1])]
    assert len(normalisation) == (norm != "none")
    for module in normalisation:
        nn.init.normal_(module.running_mean)
        nn.init.normal_(module.weight)  # negative factors too, which turn the order of values
    act = F.relu if activation == "relu" else F.elu
    maps = torch.randn(2, 3, *(9,) * dimensions)
    with torch.inference_mode():
        out = convolution(maps)
        out = normalisation[0].eval()(out) if norm == "before" else out
        out = act(out)
        out = normalisation[0].eval()(out) if norm == "after" else out
        torch.testing.assert_close(stack.eval()(maps), MaxPool(2)(out))


@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5])
def test_same_padding_keeps_the_length_whatever_the_kernel(kernel: int) -> None:
    same = convolution_blocks(blocks(channels=[4], kernel=kernel, pool=1), channels=1, dimensions=1)
    valid = convolution_blocks(blocks(channels=[4], kernel=kernel, pool=1, padding="valid"), channels=1, dimensions=1)
    assert same(torch.randn(1, 1, 10)).shape == (1, 4, 10)
    assert valid(torch.randn(1, 1, 10)).shape == (1, 4, 11 - kernel)


def test_every_block_has_its_own_settings() -> None:
    config = blocks(kernel=[5, 3], pool=[4, 2], dropout=[0, 0.3])
    stack = convolution_blocks(config, channels=1, dimensions=2)
    assert [module.kernel_size for module in stack if isinstance(module, nn.Conv2d)] == [(5, 5), (3, 3)]
    assert [module.size for module in stack if isinstance(module, MaxPool)] == [4, 2]
    assert [module.p for module in stack if isinstance(module, nn.Dropout)] == [0.3]
    assert isinstance(stack[-1], nn.Dropout)


def test_an_lstm_starts_as_in_keras() -> None:
    lstm = nn.LSTM(3, 4, bidirectional=True)
    keras_defaults(lstm)
    for name, parameter in lstm.named_parameters():
        value = parameter.detach()
        if name.startswith("weight_hh"):
            torch.testing.assert_close(value.T @ value, torch.eye(4), atol=1e-5, rtol=0)
        elif name.startswith("weight_ih"):
            limit = np.sqrt(6 / (3 + 16))  # Glorot's, of a kernel (3, 4 x 4)
            assert value.abs().max() <= limit and value.abs().max() > 0.8 * limit
        else:
            expected = torch.zeros(16)
            if name.startswith("bias_ih"):
                expected[4:8] = 1  # input, forget, cell, output
            assert torch.equal(value, expected)


def test_a_forgetful_gate_would_show() -> None:
    """With all kernels zero, the cell keeps sigmoid(1) of its state a step: the bias is on the forget gate."""
    lstm = nn.LSTM(1, 1)
    keras_defaults(lstm)
    with torch.no_grad():
        lstm.weight_ih_l0.zero_()
        lstm.weight_hh_l0.zero_()
    _, (_, cell) = lstm(torch.zeros(1, 1, 1), (torch.zeros(1, 1, 1), torch.ones(1, 1, 1)))
    torch.testing.assert_close(cell.detach().squeeze(), torch.sigmoid(torch.tensor(1.0)))


@pytest.mark.parametrize("layer", [nn.Linear(200, 100), nn.Conv1d(20, 30, 3), nn.Conv2d(6, 8, 3)])
def test_kernels_start_glorot_uniform_and_biases_zero(layer: nn.Linear | nn.Conv1d | nn.Conv2d) -> None:
    keras_defaults(layer)
    area = layer.weight[0, 0].numel()
    limit = np.sqrt(6 / (area * (layer.weight.shape[0] + layer.weight.shape[1])))
    weight = layer.weight.detach()
    assert weight.abs().max() <= limit
    assert abs(weight.std().item() / (limit / np.sqrt(3)) - 1) < 0.1
    assert layer.bias is not None and not layer.bias.any()


def test_batch_normalisation_is_kerass() -> None:
    norm = nn.BatchNorm1d(2)
    keras_defaults(norm)
    samples = torch.randn(50, 2) + 3
    norm(samples)
    torch.testing.assert_close(norm.running_mean, 0.01 * samples.mean(0))  # momentum 0.99 in Keras's terms
    assert norm.eps == 0.001
