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
