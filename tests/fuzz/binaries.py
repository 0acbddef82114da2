"""Archives, models, stored systems and entries of the cache, as somebody who means harm would make them."""

import io
import json
import shutil
import struct
import tempfile
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from .recordings import RATE, changed, voice
from .texts import edited, values

__all__ = ["archives", "bundles", "entries", "load_bundle", "load_entry", "load_stored", "stored", "unzip", "whole"]

_NAMES = (
    "a.wav", "b/c.wav", "../evil", "/evil", "a/../../evil", "..\\evil", "C:\\evil", "C:evil", "", "/", ".", "..", "a/",
    "a.wav/b", "a\0b", "\x1b[2J.wav", "x" * 300, "é/" * 50, "CON", "a//b", "./a.wav", "-rf", "~/evil", "d/" * 600 + "x",
)  # fmt: skip


@st.composite
def archives(draw: Any) -> bytes:
    """A zip with names that lead elsewhere, links, locks, lies and bombs."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in draw(st.lists(st.sampled_from(_NAMES), max_size=4)):
            member = zipfile.ZipInfo("x")
            member.filename = name
            member.external_attr = draw(
                st.sampled_from([0, 0o100644 << 16, 0o120777 << 16, 0o040755 << 16, 0o010644 << 16, 0xFFFF_FFFF])
            )
            member.compress_type = draw(
                st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
            )
            archive.writestr(member, draw(st.sampled_from([b"", b"RIFF", b"/etc/passwd", bytes(100_000)])))
        if not draw(st.integers(0, 9)):
            archive.writestr("bomb", bytes(20 << 20), zipfile.ZIP_DEFLATED)
    content = bytearray(file.getvalue())
    for _ in range(draw(st.integers(0, 3))):  # in the directory at its end, which is believed
        at = content.rfind(b"PK\x01\x02")
        if at >= 0:
            offset = at + draw(st.sampled_from([6, 8, 10, 16, 20, 24, 28, 30, 32, 38, 42]))
            form = draw(st.sampled_from(["<H", "<I"]))
            odd = draw(st.sampled_from([0, 1, 8, 12, 14, 99, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF, 0x0001_0001]))
            content[offset : offset + struct.calcsize(form)] = struct.pack(
                form, odd & (256 ** struct.calcsize(form) - 1)
            )
    return draw(changed(st.just(bytes(content)))) if draw(st.booleans()) else bytes(content)


def unzip(content: bytes, folder: Path) -> None:
    """Unpack it: whole or not at all, and nothing elsewhere."""
    from emotone.corpora.fetch import unpack
    from emotone.errors import EmotoneError

    zipped, target = folder / "a.zip", folder / "in" / "target"
    shutil.rmtree(target.parent, ignore_errors=True)
    target.parent.mkdir()
    zipped.write_bytes(content)
    try:
        unpack(zipped, target)
    except EmotoneError:
        assert not target.exists()
        raise
    finally:
        found = {path.relative_to(folder).as_posix() for path in folder.iterdir()} | {
            f"in/{path.name}" for path in target.parent.iterdir()
        }
        assert found <= {"a.zip", "in", "in/target"}, found
        assert not any(path.is_symlink() for path in target.rglob("*"))


@cache
def _graph() -> bytes:
    from ..made_bundles import make_bundle

    with tempfile.TemporaryDirectory() as folder:
        return make_bundle(Path(folder) / "a.onnx").read_bytes()


def whole() -> tuple[bytes, ...]:
    """Return bundles as they should be."""
    return (_graph(),)


@cache
def _card() -> dict[str, Any]:
    import onnx

    props = onnx.load_model_from_string(_graph()).metadata_props
    card: dict[str, Any] = json.loads(next(each.value for each in props if each.key == "emotone"))
    head = {"weight": [[1.0, 0.5]] * 4, "bias": [0.0] * 4, "mean": [0.0, 0.0], "deviation": [1.0, 1.0], "reach": 3.0}
    return card | {"head": head, "metrics": {"uar": {"value": 0.5, "low": 0.4, "high": 0.6, "protocol": "clean"}}}


@st.composite
def bundles(draw: Any) -> bytes:
    """An ONNX file whose card or graph does not say what is so."""
    import onnx

    made = onnx.load_model_from_string(_graph())
    card: Any = draw(edited(st.just(_card()), most=2))
    text = json.dumps(card)
    if not draw(st.integers(0, 9)):
        text = draw(st.sampled_from(["[" * 100_000, "", "null", "[]", '{"format": 1}', "1" * 5000]))
    for each in made.metadata_props:
        each.value = text
    graph = made.graph
    match draw(st.integers(0, 9)):
        case 0:
            place = draw(st.sampled_from([*graph.input, *graph.output]))
            for size in place.type.tensor_type.shape.dim:
                if draw(st.booleans()):
                    size.dim_value = draw(st.sampled_from([1, 2, 4, 5, 0, -1, 10**9]))
        case 1:
            place = draw(st.sampled_from([*graph.input, *graph.output]))
            place.type.tensor_type.elem_type = draw(st.integers(0, 16))
        case 2:
            tensor = draw(st.sampled_from(list(graph.initializer)))
            tensor.dims[0] = draw(st.sampled_from([0, 1, 2, 3, -1, 10**9]))
        case 3:
            tensor = draw(
                st.sampled_from([each for each in graph.initializer if each.data_type == onnx.TensorProto.FLOAT])
            )
            count = len(tensor.raw_data) // 4
            odd = draw(st.lists(st.sampled_from([np.nan, np.inf, -np.inf, 1e38, 1e-40, 0.0]), min_size=1, max_size=4))
            tensor.raw_data = np.resize(np.array(odd, "<f4"), count).tobytes()
        case 4:
            node = draw(st.sampled_from(list(graph.node)))
            node.op_type = draw(
                st.sampled_from(["Identity", "Neg", "Sqrt", "Log", "Cast", "NoSuch", "Softmax", "Transpose"])
            )
        case 5:
            return draw(changed(st.just(made.SerializeToString()), head=4000))
    return bytes(made.SerializeToString())


def load_bundle(content: bytes, folder: Path) -> None:
    """Load it and recognise a recording, a live stream and a speaker by it."""
    from emotone import Recognizer

    (folder / "a.onnx").write_bytes(content)
    recognizer = Recognizer.load(folder / "a.onnx")
    sound = np.tile(voice(0.5), 3)
    result = recognizer(sound, rate=RATE)
    assert all(0 <= score <= 1 for score in result.scores.values()) and 0 <= result.confidence <= 1
    json.dumps(result.to_dict(), allow_nan=False)
    assert np.isfinite(recognizer.embed(sound, rate=RATE).vectors).all()
    if recognizer.model.info.head is not None:
        known = recognizer.adapt([sound], rate=RATE)(sound, rate=RATE)
        assert all(0 <= score <= 1 for score in known.scores.values())


_SYSTEMS = ("kakadiya/cnn-lstm", "boucheta/knn")


@cache
def _system(name: str) -> Path:
    """Return the folder of a small system that was fitted to noise; it stays as it is."""
    import torch

    from emotone.storage import save_system
    from emotone.training import fit

    from ..small_tasks import CLASSES, Task, shrunk

    torch.set_num_threads(1)
    recipe = shrunk(name)
    task = Task(recipe)
    system = fit(recipe, task.fold, task.frames, task.labels, CLASSES, seed=0, epochs=1, device="cpu")
    folder = Path(tempfile.mkdtemp())
    save_system(system, folder, licence="CC0", trained_on={"corpus": "noise"})
    return folder


@st.composite
def stored(draw: Any) -> tuple[str, dict[str, bytes]]:
    """A stored system, and which of its files are others."""
    name = draw(st.sampled_from(_SYSTEMS))
    folder = _system(name)
    part = draw(st.sampled_from(sorted(path.name for path in folder.iterdir())))
    content = (folder / part).read_bytes()
    if part == "system.json" and draw(st.integers(0, 4)):
        description = json.loads(content)
        if draw(st.booleans()):
            description |= {draw(st.sampled_from(sorted(description))): draw(values)}
        else:
            description = draw(edited(st.just(description)))
        return name, {part: json.dumps(description).encode()}
    if part == "weights.safetensors" and draw(st.booleans()):
        size = struct.unpack("<Q", content[:8])[0]
        header = draw(edited(st.just(json.loads(content[8 : 8 + size]))))
        text = draw(st.sampled_from([json.dumps(header), json.dumps(header), "[" * 100_000])).encode()
        return name, {part: struct.pack("<Q", len(text)) + text + content[8 + size :]}
    if part == "estimator.skops" and draw(st.integers(0, 3)):
        return name, {part: _rezipped(content, draw)}
    return name, {part: draw(changed(st.just(content), head=400))}


def _rezipped(content: bytes, draw: Any) -> bytes:
    """Return an estimator whose schema was edited."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            inner = old.read(name)
            if name == "schema.json":
                inner = json.dumps(draw(edited(st.just(json.loads(inner))))).encode()
            new.writestr(name, inner)
    return file.getvalue()


def load_stored(case: tuple[str, dict[str, bytes]], folder: Path) -> None:
    """Load it and ask it about two clips."""
    from emotone.features.layout import channel_names
    from emotone.storage import load_system
    from emotone.storage.folder import read_origin

    name, changes = case
    own = folder / "system"
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir()
    for path in _system(name).iterdir():
        (own / path.name).write_bytes(changes.get(path.name, path.read_bytes()))
    system = load_system(own)
    read_origin(own)
    channels = len(channel_names(system.recipe.features))
    clips = [np.random.default_rng(0).normal(size=(channels, length)).astype("f4") for length in (9, 12)]
    found = system.predict_proba(clips)
    assert found.shape == (2, len(system.classes)) and np.isfinite(found).all()


@cache
def _entry() -> bytes:
    file = io.BytesIO()
    np.save(file, np.ones((3, 20), "f4"))
    return file.getvalue()


@st.composite
def entries(draw: Any) -> bytes:
    """What stands in the cache in place of frames, with a checksum that holds."""
    from emotone.features import cache as own

    content = draw(changed(st.just(_entry())))
    return content + (own._checksum(content) if draw(st.integers(0, 9)) else b"")


def load_entry(content: bytes, folder: Path) -> None:
    import os

    from emotone.features import cache as own

    os.environ["EMOTONE_CACHE"] = str(folder / "cache")
    path = own.entry_path("ab12")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    found = own.load("ab12")
    assert found is None or (found.dtype == np.float32 and found.ndim == 2)
