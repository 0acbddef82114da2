"""Who is let in: keys, origins of web pages; and what a browser is told to beware of."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emotone.service.access import make_key

from .client import Client, heard, serving
from .test_problems import check, silence


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Two keys by name; and the file under the name `file`."""
    made = {name: make_key(name) for name in ("phone", "desk")}
    path = tmp_path_factory.mktemp("keys") / "keys.txt"
    path.write_text(f"# who may call\n\n{made['phone'][1]}\n{made['desk'][1]}  3\n")
    assert not any(key in path.read_text() for key, _ in made.values())
    return {name: key for name, (key, _) in made.items()} | {"file": str(path)}


@pytest.fixture(scope="module")
def locked(start: Callable[..., Client], keys: dict[str, str]) -> Client:
    return start(keys=Path(keys["file"]), origins=("https://example.org",), workers=1, rate=100)


SOUND = ("a.flac", silence(0.5))


@pytest.mark.parametrize("headers", [{}, {"x_api_key": "wrong"}, {"authorization": "Basic cGhvbmU6cGhvbmU="}])
@pytest.mark.parametrize("path", ["/v1/model", "/metrics", "/v1/recognize"])
def test_without_a_key_nobody_is_let_in(locked: Client, path: str, headers: dict[str, str]) -> None:
    reply = locked.post(path, SOUND, **headers) if path.endswith("recognize") else locked.call(path, **headers)
    check(reply, 401, "not known" if "x_api_key" in headers else "missing")
    assert reply.headers["www-authenticate"] == "Bearer"


def test_a_key_lets_in_by_either_header(locked: Client, keys: dict[str, str]) -> None:
    assert locked.post("/v1/recognize", SOUND, authorization=f"Bearer {keys['phone']}").status == 200
    assert locked.post("/v1/recognize", SOUND, x_api_key=keys["phone"]).status == 200
    assert locked.call("/healthz").status == locked.call("/readyz").status == 200


def test_a_key_has_so_many_requests_a_minute(locked: Client, keys: dict[str, str]) -> None:
    batch = [SOUND] * 3
    assert locked.post("/v1/recognize/batch", *batch, name="files", x_api_key=keys["desk"]).status == 200
    reply = locked.post("/v1/recognize", SOUND, x_api_key=keys["desk"])
    check(reply, 429, "More than 3 requests a minute")
    assert 0 < int(reply.headers["retry-after"]) <= 20
    assert locked.call("/v1/model", x_api_key=keys["desk"]).status == 200
    assert locked.post("/v1/recognize", SOUND, x_api_key=keys["phone"]).status == 200


def test_a_speaker_is_known_only_to_whose_they_are(locked: Client, keys: dict[str, str], clips: list[Path]) -> None:
    known = locked.post("/v1/adapt", clips[0], name="files", x_api_key=keys["phone"]).json["speaker"]
    path = f"/v1/recognize?speaker={known}"
    assert locked.post(path, clips[1], x_api_key=keys["phone"]).status == 200
    other = make_key("other")
    assert other[0] not in keys.values()
    check(locked.post("/v1/recognize?speaker=guess", clips[1], x_api_key=keys["phone"]), 422, "is not known")


def test_a_stream_needs_a_key_which_a_browser_gives_as_a_subprotocol(locked: Client, keys: dict[str, str]) -> None:
    begin = '{"type": "start", "format": "s16le", "rate": 16000}'
    with locked.open() as stream:
        (error,) = heard(stream)
    assert (error["type"], error["status"], stream.close_code) == ("error", 401, 1008)
    protocol = f"emotone.key.{keys['phone']}"
    for options in ({"subprotocols": [protocol]}, {"additional_headers": {"X-API-Key": keys["phone"]}}):
        with locked.open(**options) as stream:
            stream.send(begin)
            assert json.loads(stream.recv(30))["type"] == "ready"
            assert stream.subprotocol == (protocol if "subprotocols" in options else None)


def test_pages_of_other_origins_are_kept_out_but_those_named(locked: Client, keys: dict[str, str]) -> None:
    key = {"x_api_key": keys["phone"]}
    check(locked.post("/v1/recognize", SOUND, origin="https://evil.example", **key), 403, "https://evil.example")
    own = locked.post("/v1/recognize", SOUND, origin=locked.url, **key)
    assert own.status == 200 and "access-control-allow-origin" not in own.headers
    named = locked.post("/v1/recognize", SOUND, origin="https://example.org", **key)
    assert named.status == 200 and named.headers["access-control-allow-origin"] == "https://example.org"
    asked = {"access_control_request_method": "POST", "access_control_request_headers": "x-api-key"}
    for origin, status in (("https://example.org", 200), ("https://evil.example", 400)):
        assert locked.call("/v1/recognize", method="OPTIONS", origin=origin, **asked).status == status
    with locked.open(origin="https://evil.example") as stream:
        (error,) = heard(stream)
    assert (error["status"], stream.close_code) == (403, 1008)


def test_by_default_no_other_page_may_call(service: Client) -> None:
    check(service.post("/v1/recognize", SOUND, origin="null"), 403, "--allow-origin")
    reply = service.call("/v1/recognize", method="OPTIONS", origin="https://a.example")
    assert reply.status == 405 and "access-control-allow-origin" not in reply.headers


@pytest.mark.parametrize("path", ["/healthz", "/v1/model", "/openapi.json", "/nothing"])
def test_answers_tell_a_browser_to_beware(service: Client, path: str) -> None:
    headers = service.call(path).headers
    policy = dict(each.split(" ", 1) for each in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["connect-src"] == "'self'" and "style-src" not in policy
    assert "unsafe-inline" not in headers["content-security-policy"] and "'unsafe-eval'" not in str(policy)
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
    assert "microphone=(self)" in headers["permissions-policy"] and "server" not in headers
    assert headers["cache-control"] == ("no-store" if path.startswith("/v1") else "no-cache")


def test_a_key_is_made_and_its_hash_kept(emotone: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    done = emotone("serve", "--new-key", "phone")
    name, hashed = done.out.split()
    key = done.err.split()[-1]
    assert (done.code, name, len(hashed), len(key)) == (0, "phone", 64, 43)


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "holds no key"), ("phone secret", "line 1: allowed is NAME SHA256"), (None, "No such file")],
)
def test_key_files_that_cannot_be(tmp_path: Path, emotone: Callable[..., Any], text: str | None, words: str) -> None:
    path = tmp_path / "keys.txt"
    if text is not None:
        path.write_text(text)
    done = emotone("serve", "--api-key-file", path, "--model", "emotone/tiny", "--port", "0")
    assert done.code == 2 and words in done.err and str(path) in done.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--new-key", "two words"), "one word"),
        (("--workers", "0"), "--workers is 0; it must be at least 1"),
        (("--port", "99999"), "--port is 99999"),
        (("--allow-origin", "example.org"), "--allow-origin example.org: allowed is a scheme and a host"),
        (("--model", "none.onnx"), "none.onnx: no such file"),
    ],
)
def test_options_that_cannot_be(emotone: Callable[..., Any], options: tuple[str, ...], words: str) -> None:
    done = emotone("serve", *options)
    assert done.code in (1, 2) and words in done.err and "Traceback" not in done.err


def test_an_address_that_is_taken_is_named(service: Client, emotone: Callable[..., Any]) -> None:
    done = emotone("serve", "--model", "emotone/tiny", "--port", service.address[1])
    assert done.code == 1 and f"--port {service.address[1]}: cannot be listened on" in done.err


def test_without_the_extra_it_says_how_to_install_it(
    emotone: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "fastapi" else find(name, *a))
    done = emotone("serve")
    assert done.code == 2 and done.err == "emotone: emotone serve needs fastapi: pip install 'emotone[serve]'\n"


def test_it_listens_on_loopback_alone() -> None:
    with serving("--workers", "1") as program:
        assert program.address[0] == "127.0.0.1"
