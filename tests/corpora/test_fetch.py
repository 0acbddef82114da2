"""Fetching over a real server: resumed, checked, unpacked whole or not at all."""

import hashlib
import io
import time
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from emotone import corpora
from emotone.corpora import fetch as fetching
from emotone.corpora import synthetic
from emotone.corpora.download import download
from emotone.corpora.fetch import Archive, fetch, unpack
from emotone.errors import DownloadError, UsageError


class Handler(BaseHTTPRequestHandler):
    """Serves the server's `content`, with the fault the server was given."""

    server: "Server"

    def do_GET(self) -> None:
        server, content = self.server, self.server.content
        server.ranges.append(self.headers.get("Range"))
        fault = server.faults.pop(0) if server.faults else None
        if isinstance(fault, int):
            self.send_error(fault)
            return
        start = 0
        if server.ranges[-1] and not server.ignores_ranges:
            start = int(server.ranges[-1].removeprefix("bytes=").removesuffix("-"))
        if start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(server.announced or len(content) - start))
        self.end_headers()
        body = content[start:]
        self.wfile.write(body[: len(body) // 2] if fault == "drop" else body)

    def log_message(self, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = b""
        self.faults: list[object] = []
        self.ranges: list[str | None] = []
        self.ignores_ranges = False
        self.announced = 0
        self.url = f"http://127.0.0.1:{self.server_port}/a.zip"


def zip_of(files: dict[str, bytes]) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return memory.getvalue()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = synthetic.write(tmp_path_factory.mktemp("actor"), [1])
    return zip_of({f"Actor_01/{file.name}": file.read_bytes() for file in sorted(folder.rglob("*.wav"))})


@pytest.fixture
def server(archive: bytes, monkeypatch: pytest.MonkeyPatch, no_data: Path) -> Iterator[Server]:
    """A server of a small RAVDESS, which emotone takes for Zenodo."""
    with Server() as running:
        running.content = archive
        known = Archive(running.url, len(archive), hashlib.md5(archive).hexdigest())
        monkeypatch.setitem(fetching.ARCHIVES, "ravdess", known)
        thread = Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def left_in(cache: Path) -> list[str]:
    return sorted(child.name for child in (cache / "corpora").iterdir())


def test_fetched_once_and_found_by_load(server: Server, no_data: Path) -> None:
    done: list[tuple[int, int]] = []
    root = fetch("ravdess", on_progress=lambda *progress: done.append(progress))
    assert root == no_data / "corpora" / "ravdess"
    assert len(corpora.load("ravdess").utterances) == 60
    assert done[-1] == (len(server.content), len(server.content))
    assert left_in(no_data) == ["ravdess"]
    assert fetch("ravdess") == root
    assert len(server.ranges) == 1


def test_a_dropped_connection_is_resumed_where_it_dropped(server: Server) -> None:
    server.faults = ["drop", "drop"]
    half, quarter = len(server.content) // 2, (len(server.content) - len(server.content) // 2) // 2
    fetch("ravdess")
    assert server.ranges == [None, f"bytes={half}-", f"bytes={half + quarter}-"]


def test_an_interrupted_download_goes_on_in_the_next_call(server: Server) -> None:
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch("ravdess", on_progress=interrupt)
    server.ranges.clear()
    fetch("ravdess")
    assert server.ranges[0] is not None and server.ranges[0] != "bytes=0-"


def test_a_server_that_ignores_ranges_is_read_from_the_start(server: Server) -> None:
    server.faults, server.ignores_ranges = ["drop"], True
    root = fetch("ravdess")
    assert len(server.ranges) == 2
    assert len(list(root.rglob("*.wav"))) == 60


def test_a_busy_server_is_asked_again(server: Server) -> None:
    server.faults = [503]
    assert fetch("ravdess").is_dir()


def test_a_partial_file_that_the_server_refuses_is_begun_again(server: Server, no_data: Path) -> None:
    part = no_data / "corpora" / "ravdess.zip.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 10)
    server.faults = [416]
    assert fetch("ravdess").is_dir()
    assert server.ranges == ["bytes=10-", None]


def test_a_server_that_keeps_dropping_is_given_up(server: Server, no_data: Path, monkeypatch) -> None:
    monkeypatch.setattr("emotone.corpora.download._PAUSES", (0.01, 0.01))
    server.faults, server.ignores_ranges = ["drop"] * 9, True
    with pytest.raises(DownloadError, match="bytes are kept and the next try goes on from there"):
        fetch("ravdess")
    assert len(server.ranges) == 3  # the first attempt made progress, the further two none
    assert left_in(no_data) == ["ravdess.zip.part"]


def test_wrong_content_is_refused_and_removed(server: Server, no_data: Path) -> None:
    server.content = b"x" + server.content[1:]
    with pytest.raises(DownloadError, match=r"wrong content: md5 \w+ and .* bytes, expected \w+ and"):
        fetch("ravdess")
    assert left_in(no_data) == []


def test_a_checksum_may_be_sha512(server: Server, tmp_path: Path) -> None:
    size, right = len(server.content), hashlib.sha512(server.content).hexdigest()
    with pytest.raises(DownloadError, match=r"wrong content: sha512 \w+ and"):
        download(server.url, tmp_path / "a.zip", size=size, sha512=right[::-1])
    assert list(tmp_path.iterdir()) == []
    assert download(server.url, tmp_path / "a.zip", size=size, sha512=right).read_bytes() == server.content


def test_another_file_is_refused_before_it_is_read(server: Server, no_data: Path) -> None:
    server.content = b"<html>log in first</html>"
    with pytest.raises(DownloadError, match="has 25 bytes, not"):
        fetch("ravdess")
    assert left_in(no_data) == []


def test_an_unreachable_host_is_said_in_two_lines_at_once(no_data: Path) -> None:
    for url in ("http://127.0.0.1:9/a.zip", "http://no-such-host.invalid/a.zip"):
        began = time.monotonic()
        with pytest.raises(DownloadError) as error:
            fetch("ravdess", url=url)
        assert time.monotonic() - began < 10
        what, then = str(error.value).split("\n")
        assert f"{url}: cannot be reached" in what
        assert "$EMOTONE_DATA" in then and "zenodo.org" in then and "by hand" in then


def test_a_missing_file_on_the_server_is_not_asked_for_again(server: Server) -> None:
    server.faults = [404]
    with pytest.raises(DownloadError, match="answers 404"):
        fetch("ravdess")
    assert len(server.ranges) == 1


def test_a_disk_that_is_too_small_is_named_first(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(fetching.ARCHIVES, "ravdess", Archive(server.url, 10**18, "0"))
    with pytest.raises(DownloadError, match=r"the download needs 1,000,000,000,000 MB, and .* MB are free"):
        fetch("ravdess")
    assert server.ranges == []


def test_what_cannot_be_fetched_says_where_it_is_had(no_data: Path) -> None:
    for name, where in (("savee", "Register at http"), ("emodb", "emodb.bilderbar.info"), ("synthetic", "generated")):
        with pytest.raises(UsageError, match=where):
            fetch(name)
    with pytest.raises(UsageError, match="Valid: ravdess"):
        fetch("ravdes")


def test_another_folder_is_not_overwritten(server: Server, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="exists and is not ravdess"):
        fetch("ravdess", into=tmp_path / "mine")
    (tmp_path / "empty").mkdir()
    assert fetch("ravdess", into=tmp_path / "empty") == tmp_path / "empty"
    assert len(corpora.load("ravdess", data=tmp_path / "empty").utterances) == 60


@pytest.mark.parametrize("name", ["../evil.wav", "/evil.wav", "a/../../evil.wav", "..\\evil.wav"])
def test_a_name_that_leads_out_of_the_folder_is_refused(name: str, tmp_path: Path) -> None:
    zipped = tmp_path / "a.zip"
    zipped.write_bytes(zip_of({"good.wav": b"", name: b"evil"}))
    (tmp_path / "deep").mkdir()
    with pytest.raises(DownloadError, match="leads out of the folder"):
        unpack(zipped, tmp_path / "deep" / "target")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [zipped]
    assert list((tmp_path / "deep").iterdir()) == []


def test_a_damaged_zip_leaves_nothing(tmp_path: Path, archive: bytes) -> None:
    zipped = tmp_path / "a.zip"
    damaged = bytearray(archive)
    damaged[len(damaged) // 2] ^= 255
    for content in (b"no zip", archive[:-100], bytes(damaged)):
        zipped.write_bytes(content)
        with pytest.raises(DownloadError, match="not a zip file, or a damaged one"):
            unpack(zipped, tmp_path / "target")
        assert [child.name for child in tmp_path.iterdir()] == ["a.zip"]


def changed(content: bytes, offset: int, value: int) -> bytes:
    """Return a zip whose directory says something else of its first member: 16 bits at an offset."""
    at = content.rindex(b"PK\x01\x02") + offset
    return content[:at] + value.to_bytes(2, "little") + content[at + 2 :]


def packed(name: str, content: bytes, method: int) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", method) as archive:
        member = zipfile.ZipInfo("x")
        member.filename, member.compress_type = name, method
        archive.writestr(member, content)
    return memory.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            packed("silence.wav", bytes(50 << 20), zipfile.ZIP_DEFLATED),
            "would unpack to 52,428,800 bytes, more than 100",
        ),
        (packed("a.wav", b"RIFF", zipfile.ZIP_LZMA), "neither stored nor deflated"),
        (packed("a.wav", b"RIFF", zipfile.ZIP_BZIP2), "neither stored nor deflated"),
        (changed(zip_of({"a.wav": b"RIFF"}), 8, 1), "is encrypted"),
        (changed(zip_of({"a.wav": b"RIFF"}), 6, 99), "not a zip file, or a damaged one"),
        (packed("", b"RIFF", zipfile.ZIP_STORED), "'' is no name of a file"),
        (packed("/", b"", zipfile.ZIP_STORED), "'/'"),
        (packed("d/" * 600 + "a.wav", b"RIFF", zipfile.ZIP_STORED), "is no name of a file"),
    ],
)
def test_an_archive_that_no_corpus_is_in_is_refused_whole(content: bytes, words: str, tmp_path: Path) -> None:
    zipped = tmp_path / "a.zip"
    zipped.write_bytes(content)
    with pytest.raises(DownloadError, match=words):
        unpack(zipped, tmp_path / "target")
    assert [child.name for child in tmp_path.iterdir()] == ["a.zip"]
