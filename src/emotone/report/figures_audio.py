"""The papers' own pictures, drawn from the corpus: emotions, waveforms, spectrograms, augmentations, preprocessing."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from emotone.audio import load
from emotone.augment import AugmentConfig, augment, copies
from emotone.corpora.base import Corpus, Utterance
from emotone.emotions import EMOTIONS
from emotone.errors import AudioError
from emotone.features.config import AudioConfig
from emotone.features.prepare import prepare
from emotone.report.panels import Panel, Picture, Samples, draw_picture, mel, mfcc, wave
from emotone.report.theme import Gallery, colour, figure, to_svg

__all__ = ["draw"]

RATE = 48_000
"""Of all pictures, in Hz: RAVDESS's own."""

_WAVE, _SPECTRUM = 0.62, 1.05  # heights in inches
_CLOSE = 0.03  # seconds of a close-up


def draw(corpus: Corpus, gallery: Gallery) -> list[Picture]:
    """Return the pictures of a corpus, each also saved as PNG; what the corpus lacks is left out.

    A clip that cannot be read takes its picture with it: the caption says so, and the report goes on.
    """
    pictures = [_distribution(corpus, gallery)]
    makers: Sequence[Callable[[Corpus, Gallery], Picture | None]] = (
        _emotions,
        _genders,
        _augmentations,
        _noise,
        _prepared,
    )
    for make in makers:
        try:
            picture = make(corpus, gallery)
        except AudioError as error:
            picture = Picture(make.__name__.strip("_"), "Left out", f"A clip of this picture cannot be used. {error}")
        if picture:
            pictures.append(picture)
    return pictures


def _distribution(corpus: Corpus, gallery: Gallery) -> Picture:
    """How many clips of each emotion, by gender."""
    emotions = _emotions_of(corpus.utterances)
    genders = [gender for gender in ("female", "male", None) if any(u.gender == gender for u in corpus.utterances)]
    counts = Counter((utterance.emotion, utterance.gender) for utterance in corpus.utterances)
    drawn = figure(8.4, 0.5 + 0.24 * len(emotions))
    axes = drawn.add_axes((0.09, 0.4 / drawn.get_figheight(), 0.87, 1 - 0.7 / drawn.get_figheight()))
    start = np.zeros(len(emotions))
    for gender, tone in zip(genders, ("purple", "green", "soft"), strict=False):
        width = np.array([counts[emotion, gender] for emotion in emotions])
        axes.barh(emotions, width, left=start, color=colour(tone), height=0.72, label=gender or "gender not stated")
        start += width
    for row, total in enumerate(start):
        axes.annotate(f"{total:.0f}", (total, row), (4, 0), textcoords="offset points", va="center")
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0, labelcolor=colour("ink"))
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("clips")
    axes.grid(axis="x")
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, frameon=False, borderaxespad=0.2, handlelength=1)
    title = "Clips per emotion"
    png = gallery.save(drawn, "recordings-distribution")
    speakers = len({utterance.speaker for utterance in corpus.utterances if utterance.speaker})
    caption = f"{len(corpus.utterances):,} clips" + (f" of {speakers} speakers." if speakers else ".")
    return Picture("distribution", title, caption, (to_svg(drawn, label=title),), png, columns=1)


def _emotions(corpus: Corpus, gallery: Gallery) -> Picture | None:
    """Waveform and mel spectrogram of one clip per emotion, all of one speaker."""
    speaker = _richest_speaker(corpus.utterances)
    chosen = [_first(corpus, speaker=speaker, emotion=emotion) for emotion in _emotions_of(corpus.utterances)]
    clips = [(utterance, _load(utterance)) for utterance in chosen if utterance]
    peak, seconds = _scale([samples for _, samples in clips])
    panels = [
        Panel(
            utterance.emotion,
            (
                (_WAVE, wave(samples, RATE, peak=peak, seconds=seconds)),
                (_SPECTRUM, mel(samples, RATE, seconds=seconds)),
            ),
        )
        for utterance, samples in clips
    ]
    who = f"speaker {speaker}" if speaker else "speakers not stated"
    strength = f", {clips[0][0].intensity} intensity" if clips[0][0].intensity else ""
    caption = (
        f"One clip each, {who}{strength}, as recorded. Above: amplitude over time, one scale for all. Below: mel "
        "spectrogram, windows of 2,048 samples at 48 kHz, 128 bands from 0 to 8 kHz, in dB below the clip's loudest."
    )
    return draw_picture(
        "emotions", "Waveform and mel spectrogram of each emotion", caption, panels, gallery, columns=4, decibels=True
    )


def _genders(corpus: Corpus, gallery: Gallery) -> Picture | None:
    """A woman and a man: mel spectrogram of a happy clip, MFCCs of a surprised one."""
    wanted = [("happy", "female"), ("happy", "male"), ("surprised", "female"), ("surprised", "male")]
    chosen = [_first(corpus, emotion=emotion, gender=gender) for emotion, gender in wanted]
    clips = [(utterance, _load(utterance)) for utterance in chosen if utterance]
    if len(clips) < len(wanted):
        return None
    _, seconds = _scale([samples for _, samples in clips])
    who = {"female": "woman", "male": "man"}
    panels = [
        Panel(
            f"{utterance.emotion} {who[str(utterance.gender)]}, speaker {utterance.speaker}: "
            + ("mel spectrogram" if utterance.emotion == "happy" else "MFCC"),
            ((_SPECTRUM * 1.25, (mel if utterance.emotion == "happy" else mfcc)(samples, RATE, seconds=seconds)),),
        )
        for utterance, samples in clips
    ]
    caption = "Mel spectrograms as above. MFCCs 1 to 39 of 40; coefficient 0, the loudness, is left out."
    return draw_picture("genders", "A woman and a man", caption, panels, gallery, columns=2)


def _augmentations(corpus: Corpus, gallery: Gallery) -> Picture | None:
    """A clip and its four augmented copies, whole and close up."""
    utterance = _first(corpus, emotion="happy") or corpus.utterances[0]
    original = _load(utterance)
    config = AugmentConfig(kind="boucheta")
    variants = {"original": original}
    for name in copies(config):
        variants[name] = augment(original, RATE, config=config, variant=name, clip_key=utterance.clip)
    peak, seconds = _scale(list(variants.values()))
    loudest = float(np.abs(original).argmax()) / RATE
    start = max(0.0, min(loudest, seconds - _CLOSE) - _CLOSE / 2)
    panels = []
    for name, samples in variants.items():
        behind = None if name == "original" else original
        close = wave(samples, RATE, peak=peak, seconds=_CLOSE, start=start, behind=behind)
        panels.append(Panel(name, ((_WAVE, wave(samples, RATE, peak=peak, seconds=seconds)), (_WAVE, close))))
    caption = (
        f"A {utterance.emotion} clip and boucheta's four copies of it. Above: the whole clip. Below: "
        f"{1000 * _CLOSE:.0f} ms around its loudest moment, the original in grey behind; noise and shift are too small "
        "to be seen from afar."
    )
    return draw_picture("augmentations", "The augmentations as waveforms", caption, panels, gallery, columns=3)


def _noise(corpus: Corpus, gallery: Gallery) -> Picture | None:
    """A clip with and without noise."""
    utterance = _first(corpus, emotion="calm") or _first(corpus, emotion="neutral") or corpus.utterances[0]
    original = _load(utterance)
    noisy = augment(original, RATE, config=AugmentConfig(kind="awgn"), variant="awgn-1", clip_key=utterance.clip)
    power = np.mean(np.square(original, dtype=np.float64)) / np.mean(np.square(noisy - original, dtype=np.float64))
    caption = f"White Gaussian noise, {10 * np.log10(power):.0f} dB below the speech, as bhanbhro adds it."
    return _before_after(
        "noise", "A clip without and with noise", caption, ("without", original), ("with", noisy), gallery
    )


def _prepared(corpus: Corpus, gallery: Gallery) -> Picture | None:
    """A clip before and after trimming and peak normalisation."""
    utterance = _first(corpus, emotion="sad") or corpus.utterances[0]
    original = _load(utterance)
    done = prepare(original, AudioConfig(rate=RATE, trim_db=20, normalise="peak"))
    caption = (
        "Silence more than 20 dB below the loudest is cut at both ends, then the peak is set to 1, as kakadiya does. "
        f"{len(original) / RATE:.2f} s become {len(done) / RATE:.2f} s."
    )
    return _before_after(
        "preprocessing", "Before and after preprocessing", caption, ("before", original), ("after", done), gallery
    )


def _before_after(
    name: str, title: str, caption: str, before: tuple[str, Samples], after: tuple[str, Samples], gallery: Gallery
) -> Picture:
    peak, seconds = _scale([before[1], after[1]])
    panels = [
        Panel(
            label,
            (
                (_WAVE, wave(samples, RATE, peak=peak, seconds=seconds)),
                (_SPECTRUM, mel(samples, RATE, seconds=seconds)),
            ),
        )
        for label, samples in (before, after)
    ]
    return draw_picture(name, title, caption, panels, gallery, columns=2, decibels=True)


def _load(utterance: Utterance) -> Samples:
    return load(utterance.part, rate=RATE)[0]


def _scale(clips: Sequence[Samples]) -> tuple[float, float]:
    """Return the largest amplitude (0.01 at least) and the longest duration in seconds."""
    peak = max(float(np.abs(samples).max()) for samples in clips)
    return max(peak, 0.01), max(len(samples) for samples in clips) / RATE


def _emotions_of(utterances: Sequence[Utterance]) -> list[str]:
    """Return the emotions that occur, in their own order, those of the corpus alone at the end."""
    present = {utterance.emotion for utterance in utterances}
    return [emotion for emotion in EMOTIONS if emotion in present] + sorted(present.difference(EMOTIONS))


def _richest_speaker(utterances: Sequence[Utterance]) -> str | None:
    """Return the first of the speakers with the most emotions."""
    heard: dict[str, set[str]] = {}
    for utterance in utterances:
        if utterance.speaker is not None:
            heard.setdefault(utterance.speaker, set()).add(utterance.emotion)
    return min(heard, key=lambda speaker: (-len(heard[speaker]), speaker)) if heard else None


def _first(corpus: Corpus, **wanted: str | None) -> Utterance | None:
    """Return the first clip that states what is wanted, of normal intensity if there is one. None wants anything."""

    def fitting() -> Iterator[Utterance]:
        for utterance in corpus.utterances:
            if all(value is None or getattr(utterance, name) == value for name, value in wanted.items()):
                yield utterance

    return min(
        fitting(), key=lambda utterance: (utterance.intensity not in (None, "normal"), utterance.clip), default=None
    )
