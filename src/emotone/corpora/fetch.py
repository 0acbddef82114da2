"""Corpora that may be downloaded without asking: from their publisher, checked, unpacked whole or not at all."""

import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from stat import S_ISLNK

from emotone.corpora.download import Progress, check_space, download, unwritable
from emotone.corpora.registry import get_source
from emotone.corpora.scan import holds
from emotone.errors import DownloadError, UsageError
from emotone.files import cache_folder

__all__ = ["ARCHIVES", "Archive", "fetch", "unpack"]


@dataclass(frozen=True)
class Archive:
    """A published zip: where it is, its size in bytes and md5."""

    url: str
    size: int
    md5: str


ARCHIVES = {
    "ravdess": Archive(
        "https://zenodo.org/records/1188976/files/Audio_Speech_Actors_01-24.zip?download=1",
        208_468_073,
        "bc696df654c87fed845eb13823edef8a",
    ),
}


def fetch(name: str, *, into: Path | None = None, url: str | None = None, on_progress: Progress | None = None) -> Path:
    """Download and unpack the corpus `name`, unless it is there already.

    Args:
        name: a corpus of `ARCHIVES`.
        into: the corpus's folder; default is its place in the user's cache, where `load` finds it.
        url: another address of the same archive.
        on_progress: called with (bytes done, bytes in all).

    Returns:
        The corpus's folder.

    Raises:
        UsageError: an unknown corpus, one that must be had by hand, or `into` holds something else.
        DownloadError: the download failed. A partial one is kept, and the next call goes on from it.
    """
    source = get_source(name)
    archive = ARCHIVES.get(name)
    if archive is None:
        raise UsageError(f"Corpus {name!r} cannot be fetched. {source.how_to_get}")
    target = into or cache_folder("corpora", name)
    if target.is_dir() and holds(source, target):
        return target
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise UsageError(f"{target}: exists and is not {name}; give another folder, or remove it")
    zipped = target.with_name(f"{name}.zip")
    try:
        download(url or archive.url, zipped, size=archive.size, md5=archive.md5, on_progress=on_progress)
    except DownloadError as error:
        raise DownloadError(
            f"{error}\nSet $EMOTONE_DATA to the folder that holds {name}/, or fetch {archive.url} by hand and unpack "
            f"it into {target}."
        ) from None
    unpack(zipped, target)
    zipped.unlink()
    return target


def unpack(zipped: Path, target: Path) -> None:
    """Unpack a zip into the new folder `target`, whole or not at all.

    Raises:
        DownloadError: not a zip, damaged, a name in it that leads out of the folder, no space left.
    """
    try:
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise unwritable(target.parent, error) from None
    try:
        with zipfile.ZipFile(zipped) as archive:
            check_space(temporary, sum(member.file_size for member in archive.infolist()), "unpacking")
            for member in archive.infolist():
                _refuse_escape(zipped, member)
                archive.extract(member, temporary)
        temporary.chmod(0o755)  # mkdtemp makes a folder that only its owner may read
        if target.is_dir():
            target.rmdir()
        temporary.rename(target)
    except zipfile.BadZipFile as error:
        raise DownloadError(f"{zipped}: not a zip file, or a damaged one ({error})") from None
    except OSError as error:
        raise unwritable(target, error) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _refuse_escape(zipped: Path, member: zipfile.ZipInfo) -> None:
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or S_ISLNK(member.external_attr >> 16):
        raise DownloadError(f"{zipped}: {member.filename!r} leads out of the folder; nothing was unpacked")
