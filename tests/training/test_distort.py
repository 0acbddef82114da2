"""Distortions change what they name and no more, differ from clip to clip, and leave clips whole."""

import pytest
import torch

from emotone.recipes.schema import DistortionConfig
from emotone.training.distort import distort, distort_waveforms

BANDS, STEPS = 32, 60
LENGTHS = torch.tensor([60, 40, 10, 1])


def clips() -> torch.Tensor:
    """Silence at -60 dB with a tone in band 12 that is loud in the second half of the clip."""
    frames = torch.full((len(LENGTHS), BANDS, STEPS), -60.0)
    for row, length in enumerate(LENGTHS.tolist()):
        frames[row, 12, length // 2 : length] = 0.0
        frames[row, :, length:] = 0.0
    return frames


def changed(seed: int = 0, **settings: float) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(seed)
    return distort(clips(), LENGTHS, DistortionConfig(**settings), frames_per_second=20)


def own(frames: torch.Tensor, lengths: torch.Tensor) -> list[torch.Tensor]:
    return [frame[:, :length] for frame, length in zip(frames, lengths.tolist(), strict=True)]


def test_nothing_is_done_unless_asked_for() -> None:
    frames, lengths = changed()
    assert torch.equal(frames, clips()) and torch.equal(lengths, LENGTHS)
    frames, lengths = changed(share=0, stretch=0.3, shift=5, scale=0.2, tilt=9, mask_bands=9, mask_frames=9, noise=10)
    torch.testing.assert_close(own(frames, lengths), own(clips(), LENGTHS), atol=1e-3, rtol=0)


@pytest.mark.parametrize("seed", range(20))
def test_a_stretched_clip_keeps_its_order_and_its_bands(seed: int) -> None:
    frames, lengths = changed(seed, stretch=0.25)
    ratio = lengths / LENGTHS
    assert bool(((ratio >= 0.75) & (ratio <= 1.4)).all()) and int(lengths.max()) == frames.shape[2]
    loudest = frames[0, :, lengths[0] - 5].argmax()
    assert loudest == 12 and frames[0, 12, 0] == -60 and frames[0, 12, lengths[0] - 1] == 0
    crossing = (own(frames, lengths)[0][12] > -30).nonzero()[0] / lengths[0]
    assert crossing == pytest.approx(0.5, abs=0.05)


def test_another_voice_moves_the_bands() -> None:
    places = {int(changed(seed, shift=4)[0][0, :, 50].argmax()) for seed in range(40)}
    assert min(places) == 8 and max(places) == 16 and len(places) > 5
    places = {int(changed(seed, scale=0.25)[0][0, :, 50].argmax()) for seed in range(40)}
    assert min(places) in (9, 10) and max(places) in (15, 16)


def test_a_tilt_is_a_line_over_the_bands() -> None:
    difference = changed(tilt=6)[0] - clips()
    slope = difference[:, 1:] - difference[:, :-1]
    torch.testing.assert_close(slope, slope[:, :1, :1].expand_as(slope), atol=1e-4, rtol=0)
    assert float(difference.abs().max()) <= 6 and len({round(float(value), 4) for value in slope[:, 0, 0]}) == 4


def test_noise_fills_the_silence_and_leaves_what_is_loud() -> None:
    frames, _ = changed(noise=20)
    quiet, loud = frames[0, 20, :60], frames[0, 12, 30:60]
    assert -60 < quiet.mean() < -15 and loud.abs().max() < 3


def test_a_line_loses_the_highest_bands_and_no_others() -> None:
    kept = set()
    for seed in range(20):
        for before, after in zip(own(clips(), LENGTHS), own(*changed(seed, low_pass=10)), strict=True):
            lost = (after == before.max() - 80).all(1)
            kept.add(BANDS - int(lost.sum()))
            assert torch.equal(after[~lost], before[~lost]) and bool((lost.diff().int() >= 0).all())
    assert kept == set(range(23, 33))


def test_a_style_is_between_that_of_two_clips() -> None:
    """A level of its own in every clip: bands take on the mean and the deviation of another clip, in part."""
    source = clips() + 10 * torch.randn(clips().shape, generator=torch.Generator().manual_seed(1))
    source += torch.tensor([0.0, -10, -20, -30])[:, None, None]
    torch.manual_seed(0)
    frames, lengths = distort(source, LENGTHS, DistortionConfig(style=0.5), frames_per_second=20)
    before, after = own(source, LENGTHS), own(frames, lengths)
    levels = [clip.mean() for clip in after]
    assert min(levels) > -95 and max(levels) < -55 and len({round(float(level)) for level in levels}) > 1
    assert any(abs(one.mean() - other.mean()) > 2 for one, other in zip(before, after, strict=True))
    pairs = list(zip(before, after, strict=True))[:3]
    shapes = [torch.corrcoef(torch.stack([one[20], other[20]]))[0, 1] for one, other in pairs]
    assert min(shapes) > 0.999, "what a band does over time stays, but for its level and its depth"


def test_masks_are_stripes_of_the_clips_mean() -> None:
    frames, _ = changed(3, mask_bands=8)
    rows = (frames[0] == frames[0, :, :1]).all(1) & (frames[0, :, 0] != -60)
    assert 1 <= int(rows.sum()) <= 16
    torch.testing.assert_close(frames[0][rows].unique(), clips()[0].mean().reshape(1))
    frames, _ = changed(3, mask_frames=8)
    columns = (frames[1, :, :40] == frames[1, :1, :40]).all(0) & (frames[1, 0, :40] != -60)
    assert 1 <= int(columns.sum()) <= 16


def test_a_crop_is_a_part_of_the_clip() -> None:
    starts = set()
    for seed in range(30):
        frames, lengths = changed(seed, crop=2.0)
        assert frames.shape[2] == 40 and lengths.tolist() == [40, 40, 10, 1]
        starts.add(int((frames[0, 12] < -30).sum()))
        assert torch.equal(frames[1], clips()[1, :, :40]), "a clip that is short enough is left as it is"
    assert min(starts) <= 12 and max(starts) >= 28


def test_the_same_seed_gives_the_same_clips_and_every_clip_its_own() -> None:
    everything = {"stretch": 0.2, "shift": 3, "scale": 0.1, "tilt": 5, "noise": 20, "mask_bands": 6, "mask_frames": 6}
    assert torch.equal(changed(1, **everything)[0], changed(1, **everything)[0])
    frames, lengths = changed(2, **everything)
    assert not torch.equal(frames, changed(1, **everything)[0])
    assert bool(torch.isfinite(frames).all()) and len(set((lengths / LENGTHS).tolist())) > 2


def waves() -> torch.Tensor:
    """Tones of 500 Hz at 16 kHz, silent beyond each clip's end."""
    time = torch.arange(1_000) / 16_000
    frames = torch.sin(2 * torch.pi * 500 * time).repeat(len(WAVES), 1, 1)
    for row, length in zip(frames, WAVES.tolist(), strict=True):
        row[:, length:] = 0.0
    return frames


WAVES = torch.tensor([1_000, 640, 100, 1])


def changed_waves(seed: int = 0, **settings: float) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(seed)
    return distort_waveforms(waves(), WAVES, DistortionConfig(**settings), frames_per_second=16_000)


def power(frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    return torch.stack([clip.square().mean() for clip in own(frames, lengths)])


def test_nothing_is_done_to_waveforms_unless_asked_for() -> None:
    frames, lengths = changed_waves()
    assert torch.equal(frames, waves()) and torch.equal(lengths, WAVES)
    frames, lengths = changed_waves(share=0, stretch=0.3, gain=9, tilt=9, noise=10, mask_frames=90)
    torch.testing.assert_close(own(frames, lengths), own(waves(), WAVES), atol=1e-4, rtol=0)


@pytest.mark.parametrize("seed", range(5))
def test_a_waveform_is_louder_or_softer_noisier_shorter_or_longer_as_far_as_is_asked(seed: int) -> None:
    decibels = 10 * torch.log10(power(*changed_waves(seed, gain=6)) / power(waves(), WAVES))[:3]
    assert decibels.abs().max() <= 6 and decibels.unique().numel() == 3, "each clip by its own"
    frames, _ = changed_waves(seed, noise=20)
    added = 10 * torch.log10(power(frames - waves(), WAVES) / power(waves(), WAVES))[:2]
    assert ((added < -19) & (added > -51)).all()
    _, lengths = changed_waves(seed, stretch=0.25)
    assert (lengths >= 1).all() and ((lengths / WAVES)[:3] > 0.79).all() and ((lengths / WAVES)[:3] < 1.34).all()
    frames, lengths = changed_waves(seed, crop=0.02)
    assert lengths.tolist() == [320, 320, 100, 1] and frames.shape[2] == 320


def test_a_tilt_moves_a_tone_by_what_its_line_says() -> None:
    """500 Hz is at -15/16 of the line from -1, at 0 Hz, to 1, at 8 kHz."""
    tilts = []
    for seed in range(8):
        frames, _ = changed_waves(seed, tilt=8)
        tilts.append(10 * torch.log10(power(frames, WAVES) / power(waves(), WAVES))[0].item())
    assert max(map(abs, tilts)) <= 8 * 15 / 16 + 0.5 and max(tilts) > 1 and min(tilts) < -1


def test_masked_samples_are_silent_and_within_the_clip() -> None:
    frames, lengths = changed_waves(3, mask_frames=300)
    silent = ((frames - frames[:1].mean()).abs() < 0.05)[0, 0, : int(lengths[0])].float().mean()
    assert torch.equal(lengths, WAVES) and silent > ((waves()[0, 0].abs() < 0.05).float().mean())
