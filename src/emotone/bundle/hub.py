"""Find a bundle: one that comes with emotone, a file, or a repository on the Hugging Face hub."""

import re
import shlex
from importlib.resources import files
from pathlib import Path

from emotone.bundle import Bundle
from emotone.errors import DownloadError, UsageError

__all__ = ["DEFAULT", "FILE", "SHIPPED", "find", "locate"]

FILE = "emotone.onnx"
"""What a bundle is called in a repository or folder."""
SHIPPED = ("emotone/probe", "emotone/large", "emotone/base", "emotone/tiny")
"""The bundles that come with emotone, the best first."""
DEFAULT = SHIPPED[0]

_TRAINED = "system.json"
"""In the folder that `emotone train` writes."""

_ALLOWED = f"Allowed: {', '.join(SHIPPED)}, a .onnx file, a folder that holds {FILE}, a repository org/name of the hub."

_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def find(name: str | Path | None, *, threads: int | None) -> Bundle:
    """Load a bundle: what `locate` finds.

    Args:
        name: as in `locate`.
        threads: as in `Bundle.load`.

    Raises:
        BundleError: the file is not there or no bundle.
        DownloadError: the hub cannot be reached, or has no such repository or file.
        UsageError: a name that is none of these.
    """
    return Bundle.load(locate(name), threads=threads)


def locate(name: str | Path | None) -> Path | bytes:
    """Return the file of a bundle, or its content where it comes with emotone.

    Args:
        name: one of `SHIPPED`; a .onnx file; a folder that holds `emotone.onnx`; a repository org/name of the hub; None
            for `DEFAULT`.

    Raises:
        DownloadError: the hub cannot be reached, or has no such repository or file.
        UsageError: a name that is none of these.
    """
    name = DEFAULT if name is None else name
    if name in SHIPPED:
        own = files("emotone").joinpath("bundles", f"{str(name).rpartition('/')[2]}.onnx")
        return own if isinstance(own, Path) else own.read_bytes()  # bytes of a package in a zip file
    path = Path(name)
    folder = path if path.is_dir() else path.parent
    if path.suffix.lower() != ".onnx" and not (path / FILE).is_file():
        if path.exists() and (folder / _TRAINED).is_file():
            raise UsageError(
                f"{name}: is of a trained system, and no bundle yet: "
                f"emotone export {shlex.quote(str(folder))} --out {shlex.quote(str(folder / FILE))}"
            )
        if path.is_file():
            raise UsageError(f"{name}: no such model: its name does not end in .onnx. {_ALLOWED}")
        if path.is_dir():
            raise UsageError(f"{name}: no such model: the folder holds no {FILE}. {_ALLOWED}")
    if path.is_dir():
        return path / FILE
    if path.suffix.lower() == ".onnx":
        return path
    if isinstance(name, str) and _REPOSITORY.fullmatch(name) and not name.startswith("emotone/"):
        return _download(name)
    raise UsageError(f"{name}: no such model. {_ALLOWED}")


def _download(repository: str) -> Path:
    try:
        import huggingface_hub
        from huggingface_hub import errors
    except ImportError:
        raise UsageError(
            f"{repository}: models of the Hugging Face hub need huggingface_hub: pip install emotone[hub]"
        ) from None
    import logging

    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # what it warns of, the error below says
    try:
        return Path(huggingface_hub.hf_hub_download(repository, FILE))
    except (errors.RepositoryNotFoundError, errors.GatedRepoError):
        raise DownloadError(f"{repository}: the hub has no such repository, or does not show it to you") from None
    except errors.EntryNotFoundError as error:
        if isinstance(error, errors.LocalEntryNotFoundError):
            raise DownloadError(f"{repository}: not in the cache, and the hub cannot be reached") from None
        raise DownloadError(f"{repository}: the repository holds no {FILE}") from None
    except (errors.HfHubHTTPError, errors.HFValidationError, OSError) as error:
        raise DownloadError(f"{repository}: {str(error).splitlines()[0]}") from None
