"""Several corpora as one: no two speakers of one name, no emotion that the others could not have."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from emotone.corpora.base import Corpus, CorpusInfo, Utterance
from emotone.emotions import EMOTIONS
from emotone.errors import UsageError

__all__ = ["named", "summed", "together"]


def together(corpora: Sequence[Corpus], *, tell: Callable[[str], None] = lambda _: None) -> Corpus:
    """Return corpora as one, "ravdess+emodb", their clips one after another.

    Clips and speakers are named with their corpus: two speakers called 03 are two people. Clips of emotions other than
    `EMOTIONS`, which one corpus has and the others do not, are left out.

    Args:
        corpora: at least one.
        tell: called with a line that counts what of a corpus is left out.

    Raises:
        UsageError: two corpora of one name.
    """
    names = [corpus.info.name for corpus in corpora]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise UsageError(f"{', '.join(twice)}: named twice; several corpora must have different names.")
    known: list[Utterance] = []
    for corpus in corpora:
        others = Counter(each.emotion for each in corpus.utterances if each.emotion not in EMOTIONS)
        known += [named(each) for each in corpus.utterances if each.emotion not in others]
        if others:
            counts = ", ".join(f"{count:,} {emotion}" for emotion, count in others.most_common())
            tell(f"{corpus.info.name}: left out, for the others have none: {counts}")
    info = summed([corpus.info for corpus in corpora], name="+".join(names), title=" and ".join(names))
    return Corpus(info, corpora[0].root, tuple(known))


def named(utterance: Utterance) -> Utterance:
    """Return an utterance whose clip and speaker are named with its corpus."""
    speaker = None if utterance.speaker is None else f"{utterance.corpus}:{utterance.speaker}"
    return replace(utterance, clip=f"{utterance.corpus}/{utterance.clip}", speaker=speaker)


def summed(infos: Sequence[CorpusInfo], *, name: str, title: str) -> CorpusInfo:
    """Return what is to be said of corpora that are joined: the terms of all."""
    counts = [info.speakers for info in infos if info.speakers is not None]
    uses = {info.use for info in infos}
    return CorpusInfo(
        name=name,
        title=title,
        licence="; ".join(f"{info.name}: {info.licence}" for info in infos),
        citation=" ".join(info.citation for info in infos if info.citation),
        languages=tuple(dict.fromkeys(language for info in infos for language in info.languages)),
        url="",
        synthetic=any(info.synthetic for info in infos),
        speakers=sum(counts) if len(counts) == len(infos) else None,
        use=next((use for use in ("test only", "train") if use in uses), "train and ship"),
    )
