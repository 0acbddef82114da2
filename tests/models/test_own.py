"""Our own network gives a clip the same scores whatever stands beside it, and is as small as it says."""

import pytest
import torch

from emotone.models.config import OwnConfig
from emotone.models.own import Own

BANDS = 20
LENGTHS = torch.tensor([50, 1, 2, 3, 7, 33, 49])


def network(**changes: object) -> Own:
    torch.manual_seed(0)
    config = OwnConfig(**{"stem": 6, "channels": (16, 24), "blocks": 2, "width": 16, **changes})
    own = Own(config, BANDS, 5)
    for module in own.modules():  # statistics that are not those of a fresh network, for which pads would be harmless
        if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
            module.bias.data.normal_()
    own.output.weight.data[:, 32:].normal_(std=0.1)  # those of the functionals
    return own.eval()


def clips(seed: int = 1) -> torch.Tensor:
    frames = torch.randn(len(LENGTHS), BANDS, 50, generator=torch.Generator().manual_seed(seed)) * 15 - 40
    return frames * (torch.arange(50) < LENGTHS[:, None])[:, None]


@pytest.mark.parametrize("squeeze", [True, False])
@pytest.mark.parametrize("normalise", ["clip", "bands"])
@pytest.mark.parametrize(("mixers", "functionals"), [(0, False), (3, False), (1, True)])
@torch.inference_mode()
def test_neither_the_other_clips_nor_the_pads_count(
    squeeze: bool, normalise: str, mixers: int, functionals: bool
) -> None:
    own = network(squeeze=squeeze, normalise=normalise, mixers=mixers, functionals=functionals)
    frames = clips()
    together = own((frames, LENGTHS))
    alone = [own((frames[row : row + 1, :, :length], LENGTHS[row : row + 1])) for row, length in enumerate(LENGTHS)]
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-5, rtol=0)
    rubbish = torch.where(torch.arange(50) < LENGTHS[:, None, None], frames, 1e3)
    torch.testing.assert_close(own((rubbish, LENGTHS)), together, atol=1e-5, rtol=0)


@torch.inference_mode()
def test_attention_is_over_the_clips_own_steps() -> None:
    own, frames = network(), clips()
    embedding, attention = own.embed(own.normalise(frames, LENGTHS), LENGTHS)
    assert embedding.shape == (len(LENGTHS), 32)
    torch.testing.assert_close(attention.sum(1), torch.ones(len(LENGTHS)))
    steps = -(-LENGTHS // 8)  # three layers halve the 50 frames
    assert attention.shape[1] == 7
    assert [int((row > 0).sum()) for row in attention] == steps.tolist()


@torch.inference_mode()
def test_loudness_does_not_count_and_with_bands_neither_does_the_microphone() -> None:
    frames = clips()[:1]
    louder, coloured = frames + 12, frames + torch.linspace(-10, 10, BANDS)[:, None]
    for normalise in ("clip", "bands"):
        own = network(normalise=normalise)
        torch.testing.assert_close(own((louder, LENGTHS[:1])), own((frames, LENGTHS[:1])), atol=1e-4, rtol=0)
        changed = (own((coloured, LENGTHS[:1])) - own((frames, LENGTHS[:1]))).abs().max()
        assert changed < 1e-4 if normalise == "bands" else changed > 1e-3


def test_functionals_add_to_the_same_network() -> None:
    plain, both = network(), network(functionals=True)
    assert both.output.in_features == plain.output.in_features + 624
    inputs = (clips(), LENGTHS)
    assert not torch.equal(both(inputs), plain(inputs))
    both.output.weight.data[:, 32:] = 0
    torch.testing.assert_close(both(inputs), plain(inputs))


def test_in_training_what_functionals_say_stays() -> None:
    own = network(functionals=True, dropout=0.5).train()
    own((clips(), LENGTHS)).square().sum().backward()
    gradient = own.output.weight.grad
    assert gradient is not None
    assert gradient[:, :32].abs().sum() > 0 == gradient[:, 32:].abs().sum()


def test_every_parameter_is_trained() -> None:
    own = network().train()
    own((clips(), LENGTHS)).square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in own.parameters())


@pytest.mark.parametrize("channels", [4, 12, 24])
def test_few_channels_are_trained_in_the_memory_that_is_theirs(channels: int) -> None:
    """Once a crash: oneDNN's gradient of a strided 1 x 1 convolution of fewer than 16 channels."""
    torch.manual_seed(0)
    own = Own(OwnConfig(stem=channels, channels=(channels,), width=8), 64, 5)
    for steps in range(60, 180, 6):
        own((torch.randn(32, 64, steps), torch.full((32,), steps))).square().sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in own.parameters())
