"""How the report speaks: numbers as text, protocols and leaks in plain words."""

from collections.abc import Collection, Iterable

__all__ = [
    "MINUS",
    "OWN",
    "anchor",
    "corpus_title",
    "count",
    "duration",
    "listing",
    "number",
    "paper_title",
    "papers_said",
    "percent",
    "points",
    "protocol_note",
    "protocol_title",
]

MINUS = "−"
OWN = "emotone"
"""What stands for a paper where a system is of none."""

_PROTOCOLS = {
    "published": ("As published", "what the paper did, leaks included"),
    "clean": ("Clean split", "the paper's split sizes; copies of training clips only, epochs chosen on validation"),
    "luna5": ("Unseen speakers (luna5)", "five folds by speaker; the tested speakers are never trained on"),
    "emobox6": ("Unseen speakers (emobox6)", "six folds by speaker; the tested speakers are never trained on"),
    "loso": ("Unseen speakers (one left out)", "each speaker is tested by a model that never heard that speaker"),
    "cross": ("Cross-corpus", "trained on some corpora, tested on others, on the classes of both"),
    "leave-one-corpus-out": ("Unseen corpora", "each corpus is tested by a model that never heard that corpus"),
}

_PAPERS = {
    "nguyen": "Comparative Analysis of Deep Learning Architectures for Emotion Classification in Audio",
    "onah": "Evaluating Speech Emotion Recognition through the lens of CNN & LSTM Deep Learning Models",
    "boucheta": "Speech Emotion Recognition Using Deep Learning Approaches",
    "bhanbhro": "Comparative Analysis of CNN-LSTM and Attention-Enhanced CNN-LSTM Models (Signals 2025, 6(2), 22)",
    "kakadiya": "Speech Emotion Recognition Using Deep Learning {CNN, LSTM, Transformer}",
    OWN: "emotone's own, of no paper",
}


_CORPORA = {
    "ravdess": "RAVDESS",
    "savee": "SAVEE",
    "tess": "TESS",
    "cremad": "CREMA-D",
    "emodb": "EMO-DB",
    "urdu": "URDU",
    "nemo": "nEMO",
    "emovo": "EMOVO",
    "ased": "ASED",
    "iesc": "IESC",
    "turev": "TurEV-DB",
    "emogator": "EmoGator",
    "esd": "ESD",
    "jl": "JL",
    "shemo": "ShEMO",
    "emovdb": "EmoV-DB",
    "enterface": "eNTERFACE",
    "meld": "MELD",
    "synthetic": "computer-made voices",
}


def corpus_title(corpus: str) -> str:
    """Return a corpus's name as its makers write it, those of joined ones too; that of a user's own as it is.

    >>> corpus_title("ravdess-to-calls"), corpus_title("speech-to-text"), corpus_title("ravdess+nemo-to-emodb")
    ('RAVDESS to calls', 'speech-to-text', 'RAVDESS and nEMO to EMO-DB')
    """
    sides = [side.split("+") for side in corpus.split("-to-")]
    if any(name in _CORPORA for side in sides for name in side):
        return " to ".join(listing([_CORPORA.get(name, name) for name in side]) for side in sides)
    return corpus


def paper_title(paper: str) -> str | None:
    """Return the title of a paper that emotone reproduces; None for any other."""
    return _PAPERS.get(paper)


def papers_said(papers: Collection[str]) -> str:
    """Say of which papers systems are.

    >>> papers_said({"nguyen", "onah", "emotone"})
    "of 2 papers and emotone's own"
    """
    theirs = len({*papers} - {OWN})
    said = [f"of {count(theirs, 'paper')}"] if theirs else []
    return listing([*said, "emotone's own"] if OWN in papers else said)


def protocol_title(protocol: str) -> str:
    """Return a protocol's name as a heading."""
    return _PROTOCOLS[protocol][0] if protocol in _PROTOCOLS else protocol


def protocol_note(protocol: str) -> str:
    """Return what a protocol does, in a few words; empty for one that is not emotone's own."""
    return _PROTOCOLS[protocol][1] if protocol in _PROTOCOLS else ""


def percent(fraction: float | None, digits: int = 1) -> str:
    """Return a fraction as per cent without the sign.

    >>> percent(0.6389)
    '63.9'
    """
    return "–" if fraction is None else f"{100 * fraction:.{digits}f}"


def points(fraction: float | None) -> str:
    """Return a difference of fractions in percentage points, with its sign.

    >>> points(-0.2411)
    '−24.1'
    """
    if fraction is None:
        return "–"
    text = f"{100 * abs(fraction):.1f}"
    return text if text == "0.0" else ("+" if fraction > 0 else MINUS) + text


def number(value: float | None, digits: int = 0) -> str:
    """Return a number with thousands apart.

    >>> number(377448)
    '377,448'
    """
    return "–" if value is None else f"{value:,.{digits}f}"


def duration(seconds: float) -> str:
    """Return seconds as a person says them.

    >>> duration(0.42), duration(75), duration(4500)
    ('0.4 s', '75 s', '75 min')
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def count(value: int, noun: str, many: str | None = None) -> str:
    """Return a number with its noun.

    >>> count(1, "seed"), count(3, "seed")
    ('one seed', '3 seeds')
    """
    return f"one {noun}" if value == 1 else f"{number(value)} {many or noun + 's'}"


def listing(items: Iterable[str]) -> str:
    """Join as a person would.

    >>> listing(["a", "b", "c"])
    'a, b and c'
    """
    parts = list(items)
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1] if parts else ""


def anchor(*parts: str) -> str:
    """Return a name for files and links from any text.

    >>> anchor("kakadiya/cnn-lstm", "published")
    'kakadiya-cnn-lstm-published'
    """
    return (
        "-".join("".join(c if c.isalnum() and c.isascii() else "-" for c in part) for part in parts).strip("-").lower()
    )
