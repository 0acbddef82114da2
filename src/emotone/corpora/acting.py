"""How the synthetic speakers differ, what they say, and how an emotion changes the way they say it."""

from dataclasses import dataclass

import numpy as np

from emotone.corpora.voice import Segment, Style

__all__ = ["SENTENCES", "Speaker", "speaker_of", "style_of"]

# Formants in Hz of a male voice, after Peterson & Barney (1952).
_IH, _AH, _AO, _AX = (390, 1990, 2550, 3500), (730, 1090, 2440, 3400), (570, 840, 2410, 3300), (500, 1500, 2500, 3500)
_R, _NG, _LABIAL, _ALVEOLAR = (
    (460, 1190, 1550, 3300),
    (250, 1400, 2300, 3300),
    (250, 900, 2200, 3300),
    (250, 1700, 2600, 3500),
)


def _vowel(formants: tuple[float, float, float, float], seconds: float, stressed: float) -> Segment:
    return Segment(formants, seconds, stressed=stressed)


def _stop(formants: tuple[float, float, float, float]) -> tuple[Segment, Segment]:
    """A closure, then a burst."""
    return Segment(formants, 0.05, voice=0.02), Segment(formants, 0.03, voice=0.05, noise=0.7)


def _fricative(seconds: float) -> Segment:
    return Segment(_ALVEOLAR, seconds, voice=0.15, noise=0.5)


_BY_THE_DOOR = (
    Segment(_LABIAL, 0.06, voice=0.25),
    _vowel(_AH, 0.10, 0.5),
    _vowel(_IH, 0.06, 0.4),
    Segment(_ALVEOLAR, 0.04, voice=0.3, noise=0.1),
    _vowel(_AX, 0.06, 0.1),
    Segment(_ALVEOLAR, 0.05, voice=0.2),
    _vowel(_AO, 0.18, 1.0),
    _vowel(_R, 0.12, 0.6),
)
SENTENCES: dict[str, tuple[Segment, ...]] = {
    "01": (  # kids are talking by the door
        *_stop(_ALVEOLAR),
        _vowel(_IH, 0.12, 0.9),
        _fricative(0.08),
        _vowel(_AH, 0.05, 0.2),
        _vowel(_R, 0.05, 0.2),
        *_stop(_ALVEOLAR),
        _vowel(_AO, 0.15, 0.8),
        *_stop(_LABIAL),
        _vowel(_IH, 0.07, 0.3),
        Segment(_NG, 0.06, voice=0.5, stressed=0.2),
        *_BY_THE_DOOR,
    ),
    "02": (  # dogs are sitting by the door
        Segment(_ALVEOLAR, 0.05, voice=0.2),
        _vowel(_AO, 0.17, 0.9),
        _fricative(0.08),
        _vowel(_AH, 0.05, 0.2),
        _vowel(_R, 0.05, 0.2),
        _fricative(0.10),
        _vowel(_IH, 0.08, 0.8),
        *_stop(_ALVEOLAR),
        _vowel(_IH, 0.07, 0.3),
        Segment(_NG, 0.06, voice=0.5, stressed=0.2),
        *_BY_THE_DOOR,
    ),
}


@dataclass(frozen=True)
class _Effect:
    """What an emotion adds at normal intensity. Pitches in semitones, levels in dB, rate and formants in percent."""

    pitch: float = 0
    accent: float = 0
    slope: float = 0
    final: float = 0
    level: float = 0
    attack: float = 0
    rate: float = 0
    tilt: float = 0
    open_quotient: float = 0
    breath: float = 0
    jitter: float = 0
    tremor: float = 0
    formants: float = 0


_EFFECTS = {
    "neutral": _Effect(),
    "calm": _Effect(pitch=-1.2, accent=-0.8, level=-3, attack=-1.5, rate=-12, tilt=0.05, open_quotient=0.05),
    "happy": _Effect(pitch=3, accent=3, level=4, attack=1.5, rate=6, tilt=-0.10, formants=4),
    "sad": _Effect(pitch=0.5, accent=-1, slope=-2, level=-5, rate=-16, tilt=0.07, open_quotient=0.08, breath=0.10),
    "angry": _Effect(pitch=2.5, accent=1.5, level=9, attack=4, rate=8, tilt=-0.25, open_quotient=-0.12, jitter=0.01),
    "fearful": _Effect(pitch=5, accent=0.5, level=2, rate=16, tilt=-0.05, breath=0.08, jitter=0.006, tremor=0.5),
    "disgust": _Effect(pitch=-1.5, accent=0.8, slope=-2.5, level=1, attack=2, rate=-12, jitter=0.012, formants=-5),
    "surprised": _Effect(pitch=4.5, accent=3, final=5, level=3, rate=-2, tilt=-0.05, breath=0.05, formants=1),
}
_INTENSITIES = {"normal": 1.0, "strong": 1.6}
_SPEAKER_SPREAD, _CLIP_SPREAD = 0.8, 0.9  # how far one speaker, one clip lie from the effects above


@dataclass(frozen=True)
class Speaker:
    """One synthetic speaker: a plain voice, and a seed for the own ways to express each emotion."""

    actor: int
    pitch: float
    formant_scale: float
    rate: float
    level: float
    tilt: float
    open_quotient: float
    breath: float
    expressiveness: float


def speaker_of(actor: int, seed: int) -> Speaker:
    """Return speaker `actor`: odd is male, even is female, as in RAVDESS."""
    rng = np.random.default_rng([seed, actor])
    male = actor % 2 == 1
    return Speaker(
        actor=actor,
        pitch=(115 if male else 205) * 2 ** (rng.normal(0, 1.5) / 12),
        formant_scale=(1.0 if male else 1.16) * (1 + 0.03 * rng.standard_normal()),
        rate=1 + 0.06 * rng.standard_normal(),
        level=1.5 * rng.standard_normal(),
        tilt=0.78 + 0.03 * rng.standard_normal(),
        open_quotient=0.62 + 0.03 * rng.standard_normal(),
        breath=0.03 + 0.03 * rng.random(),
        expressiveness=rng.uniform(0.8, 1.2),
    )


def style_of(speaker: Speaker, emotion: str, intensity: str, seed: int, rng: np.random.Generator) -> Style:
    """Return how `speaker` says something with `emotion`; `rng` makes each clip a little different."""
    effect = _EFFECTS[emotion]
    own = np.random.default_rng([seed, speaker.actor, list(_EFFECTS).index(emotion)]).standard_normal(8)
    vary = _SPEAKER_SPREAD * own + _CLIP_SPREAD * rng.standard_normal(8)
    strength = _INTENSITIES[intensity] * speaker.expressiveness
    return Style(
        pitch=speaker.pitch * 2 ** ((strength * effect.pitch + 1.2 * vary[0]) / 12),
        accent=max(0.3, 3 + strength * effect.accent + 1.0 * vary[1]),
        slope=-3 + strength * effect.slope + 1.0 * vary[2],
        final=strength * effect.final,
        level=speaker.level + strength * effect.level + 1.5 * vary[3],
        attack=4 + strength * effect.attack + 1.0 * vary[4],
        rate=float(np.clip(speaker.rate * (1 + strength * effect.rate / 100 + 0.05 * vary[5]), 0.6, 1.6)),
        tilt=float(np.clip(speaker.tilt + strength * effect.tilt + 0.03 * vary[6], 0.1, 0.95)),
        open_quotient=float(np.clip(speaker.open_quotient + strength * effect.open_quotient, 0.4, 0.9)),
        breath=speaker.breath + strength * effect.breath * (1 + 0.3 * vary[7]),
        jitter=0.004 + strength * effect.jitter,
        tremor=0.05 + strength * effect.tremor,
        formant_scale=speaker.formant_scale * (1 + strength * effect.formants / 100 + 0.01 * vary[7]),
        silence=(float(rng.uniform(0.10, 0.20)), float(rng.uniform(0.10, 0.20))),
    )
