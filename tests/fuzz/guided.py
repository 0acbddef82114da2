"""The audio gate and the reader of bundles, led by coverage: `python -m tests.fuzz.guided recordings -runs=100000`.

For Atheris, which is no requirement: `pip install atheris`, where it has a wheel. Options are libFuzzer's. It ends with
another exit code than 0 at the first fault, and writes the input that led to it.
"""

import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["emotone"]):
    from emotone.audio import blocks, gate, headers, media, sndfile  # noqa: F401 (what is to be instrumented)
    from emotone.errors import EmotoneError

from . import binaries, recordings

_USES = {"recordings": (recordings.hear, recordings.whole), "bundles": (binaries.load_bundle, binaries.whole)}


def main() -> None:
    use, whole = _USES[sys.argv.pop(1)]
    folder = Path(tempfile.mkdtemp())
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, content in enumerate(whole()):
        (corpus / str(number)).write_bytes(content)

    def one(content: bytes) -> None:
        with suppress(EmotoneError):
            use(content, folder)

    options = ["-rss_limit_mb=4096", "-timeout=10", "-max_len=65536", f"-artifact_prefix={folder}/"]
    atheris.Setup([sys.argv[0], *options, *sys.argv[1:], str(corpus)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
