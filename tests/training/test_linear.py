"""Rows of an output layer fitted by themselves."""

import torch

from emotone.training.linear import fit_rows


def test_copies_of_the_clips_weigh_as_much_as_one() -> None:
    torch.manual_seed(0)
    read, y = torch.randn(40, 5), torch.arange(40) % 3
    start = torch.zeros(3, 5), torch.zeros(3)
    once = fit_rows(read, y, *start, range(3))
    often = fit_rows(read.repeat(4, 1), y.repeat(4), *start, range(3), copies=4)
    strongest = fit_rows(read.repeat(4, 1), y.repeat(4), *start, range(3))
    for found, expected, other in zip(often, once, strongest, strict=True):
        torch.testing.assert_close(found, expected, atol=2e-3, rtol=0.02)
        assert not torch.allclose(found, other, atol=2e-3, rtol=0.02)


def test_weights_of_the_clips_count_as_copies_do() -> None:
    torch.manual_seed(0)
    read, y = torch.randn(40, 5), torch.arange(40) % 3
    start = torch.zeros(3, 5), torch.zeros(3)
    weights = torch.tensor([1.0, 3.0]).repeat(20)
    mean, deviation = read.mean(0), read.std(0)
    often = torch.cat([read, read[1::2], read[1::2]])
    wanted = fit_rows(read, y, *start, range(3), weights=weights)
    found = fit_rows(often, torch.cat([y, y[1::2], y[1::2]]), *start, range(3))
    mean, deviation = often.mean(0) - mean, often.std(0) / deviation
    assert mean.abs().max() < 0.3 and (deviation - 1).abs().max() < 0.2, "they are scaled by nearly the same"
    torch.testing.assert_close(found[0], wanted[0], atol=0.01, rtol=0.1)


def test_a_label_that_may_mean_two_classes_teaches_neither_against_the_other() -> None:
    torch.manual_seed(0)
    read, y = torch.randn(60, 5), torch.arange(60) % 3
    read[:, 0] += 3 * (y == 1)
    start = torch.zeros(3, 5), torch.zeros(3)
    meant = torch.tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]], dtype=torch.bool)
    vague = torch.where(y == 2, 2, 3)
    weight, bias = fit_rows(read, vague, *start, range(3), meant=meant)
    told = torch.softmax(read @ weight.T + bias, 1)
    assert (told[vague == 3][:, :2].sum(1).mean() > 0.6) and (weight[0] - weight[1]).abs().max() < 1e-3


def test_values_that_are_trusted_less_get_smaller_weights() -> None:
    torch.manual_seed(0)
    y = torch.arange(60) % 2
    read = (2.0 * y[:, None] - 1) + torch.randn(60, 2)  # both tell as much of the class
    start = torch.zeros(2, 2), torch.zeros(2)
    alike, _ = fit_rows(read, y, *start, range(2))
    trusted, _ = fit_rows(read, y, *start, range(2), scale=torch.tensor([1.0, 0.2]))
    assert 0.5 < (alike[1, 1] / alike[1, 0]) < 2
    assert trusted[1, 1] < 0.1 * trusted[1, 0] and trusted[1, 0] > alike[1, 0]
