"""Corpora that may be downloaded without asking: from their publisher, checked, unpacked whole or not at all."""

import shutil
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from stat import S_ISLNK

from emotone.corpora.download import Progress, check_space, download, unwritable
from emotone.corpora.registry import get_source
from emotone.corpora.scan import holds
from emotone.errors import DownloadError, UsageError, quoted
from emotone.files import cache_folder

__all__ = ["ARCHIVES", "Archive", "fetch", "unpack"]

_LARGEST = 100  # times the archive itself: recordings shrink to a half, silence to a thousandth
_DEEPEST = 32  # folders within folders
_LOCKED = 1  # the flag of an encrypted member


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
        DownloadError: not a zip, damaged, a name in it that leads out of the folder, one that is packed in a way that
            no corpus is, more than an archive of its size can hold in earnest, no space left.
    """
    try:
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise unwritable(target.parent, error) from None
    try:
        with zipfile.ZipFile(zipped) as archive:
            members, size = archive.infolist(), zipped.stat().st_size
            whole = sum(member.file_size for member in members)
            if whole > _LARGEST * size:
                raise DownloadError(
                    f"{zipped}: would unpack to {whole:,} bytes, more than {_LARGEST} times its own {size:,}; "
                    "nothing was unpacked"
                )
            check_space(temporary, whole, "unpacking")
            for member in members:
                _refuse(zipped, member)
            for member in members:
                archive.extract(member, temporary)
        temporary.chmod(0o755)  # mkdtemp makes a folder that only its owner may read
        if target.is_dir():
            target.rmdir()
        temporary.rename(target)
    except OSError as error:
        raise unwritable(target, error) from None
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:  # of what its fields say
        raise DownloadError(f"{zipped}: not a zip file, or a damaged one ({error})") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _refuse(zipped: Path, member: zipfile.ZipInfo) -> None:
    name = quoted(member.filename)
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if not 0 < len(path.parts) <= _DEEPEST:
        raise DownloadError(f"{zipped}: {name} is no name of a file; nothing was unpacked")
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or S_ISLNK(member.external_attr >> 16):
        raise DownloadError(f"{zipped}: {name} leads out of the folder; nothing was unpacked")
    if member.flag_bits & _LOCKED or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DownloadError(f"{zipped}: {name} is encrypted, or neither stored nor deflated; nothing was unpacked")
