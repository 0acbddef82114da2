"""Functionals are what NumPy and librosa make of a clip, whatever stands beside it."""

import librosa
import numpy as np
import pytest
import torch

from emotone import corpora, recipes
from emotone.augment import ORIGINAL
from emotone.models.functionals import Functionals
from emotone.training.frames import frames_of

BANDS = 64


@pytest.fixture(scope="module")
def clips() -> list[np.ndarray]:
    """Log-mels of real recordings where RAVDESS is found, else of synthetic ones, each centred."""
    found = corpora.load("ravdess" if corpora.find("ravdess") else "synthetic").utterances[::400]
    frames = frames_of(recipes.load("emotone/base"), [(clip.path, clip.clip, ORIGINAL) for clip in found])
    return [(each - each.mean()) / 10 for each in frames]


def batch(clips: list[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    padded = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(clip.T) for clip in clips], batch_first=True)
    return padded.transpose(1, 2), torch.tensor([clip.shape[1] for clip in clips])


def expected(clip: np.ndarray) -> np.ndarray:
    change = np.abs(np.diff(clip, axis=1, prepend=clip[:, :1])).mean(0)
    bands = clip.reshape(BANDS // 4, 4, -1).mean(1)
    contours = np.vstack([bands, librosa.feature.mfcc(S=clip, n_mfcc=21)[1:], clip.mean(0), change])
    slopes = [librosa.feature.delta(contours, width=2 * reach + 1, mode="nearest") for reach in (2, 8, 16)]
    contours = np.vstack([contours, np.stack(slopes, axis=1).reshape(-1, clip.shape[1])])
    mean, deviation = contours.mean(1), contours.std(1)
    centred = contours - mean[:, None]
    lean = np.tanh(2 * centred / np.sqrt(deviation**2 + 1e-5)[:, None]).mean(1) * deviation
    return np.concatenate([mean, deviation, contours.max(1), contours.min(1), np.abs(centred).mean(1), lean])


def test_they_are_those_of_numpy_and_librosa(clips: list[np.ndarray]) -> None:
    functionals = Functionals(BANDS)
    raw = functionals.raw(*batch(clips))
    assert raw.shape == (len(clips), functionals.width) == (len(clips), 912)
    np.testing.assert_allclose(raw, [expected(clip) for clip in clips], atol=1e-3)


def test_standardised_they_have_no_outliers(clips: list[np.ndarray]) -> None:
    functionals, inputs = Functionals(BANDS), batch(clips)
    raw = functionals.raw(*inputs)
    functionals.standardise(raw)
    told, varies = functionals(*inputs), raw.std(0) > 1e-6  # the mean of a centred clip does not
    torch.testing.assert_close(told.mean(0), torch.zeros(912), atol=1e-3, rtol=0)
    torch.testing.assert_close(told.std(0, correction=0), varies.float(), atol=1e-2, rtol=0)
    louder = functionals(*batch([clips[0] + 1e-5]))
    assert louder[:, ~varies].abs().max() < 1e-9, "nor is its rounding amplified"
    strange, lengths = batch([100 * clips[0]])
    assert functionals(strange, lengths).abs().max() == 2


def test_the_shortest_clips_have_them_too() -> None:
    functionals = Functionals(3)
    for frames in (1, 2, 5):
        raw = functionals.raw(torch.randn(1, 3, frames), torch.tensor([frames]))
        assert raw.isfinite().all()
