"""A user's recordings in folders named by emotion: happy/a.wav, Anger/b.wav."""

from pathlib import Path

from emotone.corpora.base import Corpus, CorpusInfo, Utterance
from emotone.corpora.scan import audio_files, clip_of
from emotone.corpora.synonyms import canonical
from emotone.emotions import EMOTIONS
from emotone.errors import CorpusError

__all__ = ["load_folders", "user_info"]


def user_info(name: str, title: str, languages: tuple[str, ...] = ()) -> CorpusInfo:
    """Describe a corpus of a user's, of which emotone knows nothing but the name."""
    return CorpusInfo(name, title, licence="not stated", citation="", languages=languages, url="")


def load_folders(root: Path) -> Corpus:
    """Read a folder whose subfolders are named by emotion, in any usual word for it. Speakers are unknown.

    Args:
        root: the folder; its name becomes the corpus's.

    Raises:
        CorpusError: no audio, audio outside of the subfolders, no subfolder named by a known emotion, or two files
            that differ only in their suffix.
    """
    root = root.resolve()
    name = root.name
    files = sorted(audio_files(root), key=lambda path: (clip_of(path), path.suffix))
    if not files:
        raise CorpusError(f"{root}: holds no audio")
    loose = [str(path) for path in files if len(path.parts) == 1]
    if loose:
        raise CorpusError(f"{root}: {', '.join(loose[:3])}: not in a subfolder named by emotion")
    emotions = {folder: canonical(folder) for folder in sorted({path.parts[0] for path in files})}
    if not set(emotions.values()) & set(EMOTIONS):
        raise CorpusError(
            f"{root}: no subfolder is named by an emotion ({', '.join(list(emotions)[:3])}). Known: "
            f"{', '.join(EMOTIONS)}. For a published corpus give its name, and this folder as `--data`."
        )
    utterances: dict[str, Utterance] = {}
    for path in files:
        clip = clip_of(path)
        if clip in utterances:
            raise CorpusError(f"{root}: {utterances[clip].path.name} and {path.name} are the same clip, {clip}")
        utterances[clip] = Utterance(root / path, name, clip, emotions[path.parts[0]])
    return Corpus(user_info(name, f"Recordings in {name}/, by folder"), root, tuple(utterances.values()))
