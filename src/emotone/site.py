"""The web page as a folder that any web server can show: the browser itself recognises, nothing leaves it."""

import base64
import hashlib
import json
import secrets
import shutil
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path, PurePosixPath
from typing import Any

from emotone.bundle import Bundle, BundleInfo
from emotone.bundle.hub import locate
from emotone.corpora.download import Progress, download
from emotone.errors import DownloadError, UsageError
from emotone.files import cache_folder, parse_json

__all__ = ["PACKAGES", "Package", "write_site"]

_RATE = 16_000
_MARK = PurePosixPath("static/config.json")
_ENGINE = "local"


@dataclass(frozen=True, slots=True, eq=False)
class Package:
    """A package of the npm registry, of which the page needs some files.

    Attributes:
        name, version: as the registry has them.
        size: of its tarball, in bytes.
        sha512: of its tarball, in base64, as the registry's `integrity` has it.
        files: name in the tarball -> name in the page's folder `vendor`.
        terms: its licence and whose it is.
    """

    name: str
    version: str
    size: int
    sha512: str
    files: Mapping[str, str]
    terms: str

    @property
    def tarball(self) -> str:
        """The tarball's name."""
        return f"{self.name.rpartition('/')[2]}-{self.version}.tgz"

    @property
    def sha512_hex(self) -> str:
        """The checksum in hexadecimal."""
        return base64.b64decode(self.sha512).hex()

    @property
    def url(self) -> str:
        """The tarball's address."""
        return f"https://registry.npmjs.org/{self.name}/-/{self.tarball}"


PACKAGES = (
    Package(
        name="onnxruntime-web",
        version="1.30.0",
        size=33_106_585,
        sha512="q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ==",
        files={
            "package/dist/ort.wasm.min.mjs": "ort.js",
            "package/dist/ort-wasm-simd-threaded.mjs": "ort-wasm.js",
            "package/dist/ort-wasm-simd-threaded.wasm": "ort-wasm.wasm",
        },
        terms="MIT, Microsoft Corporation",
    ),
    Package(
        name="@echogarden/fvad-wasm",
        version="0.2.0",
        size=15_283,
        sha512="jPPzN6uV23dsOkKnGxajBDw81Xx3ICecw72sIzI+m4PzFWpSf/QOLvlgf7mySfqCngD54LRC1aDgD5haB45dbg==",
        files={
            "package/fvad.js": "fvad.js",
            "package/fvad.wasm": "fvad.wasm",
            "package/LICENSE": "LICENSE-fvad.txt",
        },
        terms="BSD-3-Clause, Daniel Pirch and the WebRTC project authors: LICENSE-fvad.txt",
    ),
)
"""What the browser runs: ONNX Runtime, and WebRTC's detector of speech, each as WebAssembly."""


def write_site(
    folder: Path,
    *,
    model: str,
    runtime: Sequence[Path] = (),
    on_progress: Callable[[Package], Progress] | None = None,
) -> None:
    """Write the page into a folder, whole or not at all; a page that was written there before is replaced.

    Args:
        folder: new, empty, or written by this function.
        model: as in `emotone.bundle.hub.locate`.
        runtime: tarballs of `PACKAGES` that are here; the others are downloaded, once.
        on_progress: for a package that is downloaded, what is called with (bytes done, bytes in all).

    Raises:
        UsageError: a folder that holds other things, a tarball that is none of these, a model that the page cannot hear
            for.
        BundleError: no such model, or no model of emotone.
        DownloadError: a package cannot be had.
    """
    _check_free(folder)
    given = _recognised(runtime)
    place = locate(model)
    content = place if isinstance(place, bytes) else place.read_bytes()
    info = Bundle.load(content).info
    if info.rate != _RATE:
        raise UsageError(f"{info.name} reads {info.rate} Hz; the page hears {_RATE} Hz, and no other rate.")
    tarballs = {package: given.get(package) or _downloaded(package, on_progress) for package in PACKAGES}
    with _replaced(folder) as made:
        static = made / "static"
        with as_file(files("emotone").joinpath("web")) as web:
            shutil.copytree(web, static)
        (static / "index.html").replace(made / "index.html")
        vendor, of_model = static / "vendor", static / "model"
        vendor.mkdir()
        of_model.mkdir()
        for package, tarball in tarballs.items():
            _unpack(package, tarball, vendor)
        told = [f"{each.name} {each.version}, {each.url}: {each.terms}\n" for each in PACKAGES]
        (vendor / "NOTICE.txt").write_text("".join(told), encoding="utf-8")
        (of_model / "emotone.onnx").write_bytes(content)
        card = info.model_dump(mode="json", exclude={"head", "recipe"}) | {"near": _near(info)}
        (of_model / "card.json").write_text(json.dumps(card, ensure_ascii=False), encoding="utf-8")
        (of_model / "NOTICE.txt").write_text(f"{info.name}: {info.licence}\n\n{_notice()}", encoding="utf-8")
        (made / _MARK).write_text(json.dumps({"engine": _ENGINE}) + "\n", encoding="utf-8")


def _near(info: BundleInfo) -> dict[str, Any] | None:
    """Return where embeddings of training lie, by which the page tells what is unlike them; None where none can."""
    if info.head is None or info.head.reach is None:
        return None
    return info.head.model_dump(mode="json", include={"mean", "deviation", "reach"})


def _notice() -> str:
    return files("emotone").joinpath("bundles", "NOTICE.txt").read_text(encoding="utf-8")


def _check_free(folder: Path) -> None:
    """Refuse a folder whose content would be lost."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: is a file; allowed: a new or empty folder, or one that `emotone page` wrote.")
    if folder.is_dir() and any(folder.iterdir()) and not _is_ours(folder):
        raise UsageError(
            f"{folder}: holds other files; allowed: a new or empty folder, or one that `emotone page` wrote."
        )


def _is_ours(folder: Path) -> bool:
    try:
        told = parse_json((folder / _MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(told, dict) and told.get("engine") == _ENGINE and {*_names(folder)} <= {"index.html", "static"}


def _names(folder: Path) -> Iterator[str]:
    return (each.name for each in folder.iterdir())


def _recognised(tarballs: Sequence[Path]) -> dict[Package, Path]:
    """Return which package each tarball is, by its checksum."""
    by_sum = {package.sha512: package for package in PACKAGES}
    found: dict[Package, Path] = {}
    for tarball in tarballs:
        try:
            with tarball.open("rb") as file:
                told = base64.b64encode(hashlib.file_digest(file, "sha512").digest()).decode()
        except OSError as error:
            raise UsageError(f"{tarball}: cannot be read: {error.strerror}.") from None
        if told not in by_sum:
            allowed = ", ".join(f"{each.tarball} ({each.url})" for each in PACKAGES)
            raise UsageError(f"{tarball}: sha512 {told} is of none of the tarballs that are needed: {allowed}.")
        found[by_sum[told]] = tarball
    return found


def _downloaded(package: Package, on_progress: Callable[[Package], Progress] | None) -> Path:
    """Return a package's tarball, from the cache where it was downloaded before."""
    target = cache_folder("npm", package.tarball)
    if target.is_file():
        return target
    progress = on_progress(package) if on_progress else None
    try:
        return download(package.url, target, size=package.size, sha512=package.sha512_hex, on_progress=progress)
    except DownloadError as error:
        raise DownloadError(
            f"{error}. Without a network, bring {package.tarball} from elsewhere: --runtime {package.tarball}"
        ) from None


def _unpack(package: Package, tarball: Path, folder: Path) -> None:
    """Write the files of a package that are needed."""
    try:
        with tarfile.open(tarball, "r:gz") as archive:
            for name, target in package.files.items():
                member = archive.extractfile(name)
                assert member is not None  # the checksum was right
                with member, (folder / target).open("wb") as file:
                    shutil.copyfileobj(member, file)
    except (tarfile.TarError, EOFError, KeyError, OSError) as error:
        raise DownloadError(f"{tarball}: damaged ({error}); remove it and try again.") from None


@contextmanager
def _replaced(folder: Path) -> Iterator[Path]:
    """Yield a new folder beside `folder`, which takes its place on success and is removed on any error."""
    folder = folder.absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}")
    made.mkdir()
    try:
        yield made
        if folder.is_dir():
            shutil.rmtree(folder)
        made.replace(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
