"""The folder that answers of a cluster are written into: Parquet files, each whole, which say what they answer."""

import json
import secrets
from collections.abc import Collection, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from emotone.cluster.remote import is_url, open_system
from emotone.errors import EmotoneError, UsageError
from emotone.files import atomic_path, make_folder

if TYPE_CHECKING:
    import pyarrow

__all__ = ["Parts"]

_ASKED = "_asked.json"  # what begins so is no data for those who read folders of Parquet
_KEYS = b"emotone.inputs"


class Parts:
    """A folder of Parquet files.

    The keys of the recordings that a file answers stand in its footer, as one recording may have many rows, or none.

    Args:
        place: a path or URL.
        asked: how recordings are listened to, by the options' names.

    Attributes:
        done: keys of the recordings that are answered.
        failed: how many rows say an error.

    Raises:
        UsageError: the folder was begun with other options, or is a file.
        EmotoneError: a file in it that is none of its own.
    """

    def __init__(self, place: str, asked: Mapping[str, Any]) -> None:
        self._place = place
        self.done: set[str] = set()
        self.failed = 0
        if is_url(place):
            self._system, self._root = open_system(place)
        else:
            self._system, self._root = open_system(f"file://{Path(place).resolve()}")
            if Path(place).exists() and not Path(place).is_dir():
                raise UsageError(
                    f"--out {place}: is a file.\nName a folder; --engine ray writes Parquet files into it."
                )
            make_folder(Path(place))
        self._root = self._root.rstrip("/")
        self._begin(asked)
        self._read()

    @property
    def folder(self) -> Path | None:
        """Where it is on this machine, if it is here."""
        return None if is_url(self._place) else Path(self._place)

    def write(self, rows: "pyarrow.Table", keys: Collection[str]) -> None:
        """Write one more file: all rows of the recordings of these keys."""
        import pyarrow.parquet

        rows = rows.replace_schema_metadata({_KEYS: json.dumps(sorted(keys)).encode()})
        name = f"part-{secrets.token_hex(8)}.parquet"
        if self.folder:
            with atomic_path(self.folder / name) as temporary:
                pyarrow.parquet.write_table(rows, temporary)
        else:
            with TemporaryDirectory() as folder:  # an object store takes it whole or not at all
                pyarrow.parquet.write_table(rows, Path(folder, name))
                self._system.put_file(str(Path(folder, name)), f"{self._root}/{name}")
        self.done.update(keys)
        self.failed += rows.num_rows - rows["error"].null_count

    def _begin(self, asked: Mapping[str, Any]) -> None:
        path, told = f"{self._root}/{_ASKED}", json.loads(json.dumps(asked))
        if not self._system.exists(path):
            self._system.pipe_file(path, json.dumps(told, indent=1).encode())
            return
        begun = json.loads(self._system.cat_file(path))
        for name in [*begun, *told]:
            if begun.get(name) != told.get(name):
                raise UsageError(
                    f"--out {self._place}: was begun with {name} {begun.get(name)}, not {told.get(name)}.\n"
                    "Ask as before to go on with it, or name another folder."
                )

    def _read(self) -> None:
        import pyarrow
        import pyarrow.parquet

        for path in (path for path in self._system.ls(self._root, detail=False) if path.endswith(".parquet")):
            try:
                with self._system.open(path) as file:
                    found = pyarrow.parquet.ParquetFile(file)
                    keys = json.loads(found.schema_arrow.metadata[_KEYS])
                    errors = found.read(columns=["error"])["error"]
            except (pyarrow.ArrowException, KeyError, TypeError, ValueError):
                raise EmotoneError(
                    f"{path}: is no file that --engine ray wrote.\nRemove it, or name another folder as --out."
                ) from None
            self.done.update(keys)
            self.failed += len(errors) - errors.null_count
