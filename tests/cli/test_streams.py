"""What standard output and error are to the commands: UTF-8 in files and pipes, readers that leave, interrupts."""

import io
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

NAMES = ("é.wav", "電 話.wav", b"not utf-8 \xff.wav".decode(errors="surrogateescape"))
SETTINGS = {
    "cp1252": {"PYTHONIOENCODING": "cp1252"},
    "ascii, strict": {"PYTHONIOENCODING": "ascii:strict"},
    "C": {"LC_ALL": "C"},
    "utf-16": {"PYTHONIOENCODING": "utf-16"},
}
START = (sys.executable, "-m", "emotone")


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHONIO", "LC_", "LANG"))}
    return kept | more


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings without speech, which are answered at once, and one that is none, whose name is to be told."""
    folder = tmp_path_factory.mktemp("names")
    sound = io.BytesIO()
    soundfile.write(sound, np.zeros(8_000), 8_000, format="WAV")
    for name in NAMES:
        (folder / name).write_bytes(sound.getvalue())
    (folder / "ungültig.mp3").touch()
    return folder


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("form", [None, "jsonl", "csv", "rttm"])
def test_what_is_redirected_is_utf8(recordings: Path, setting: str, form: str | None) -> None:
    arguments = () if form is None else ("--format", form)
    command = [*START, "predict", recordings, *arguments]
    done = subprocess.run(command, capture_output=True, env=environment(**SETTINGS[setting]))
    out, err = done.stdout.decode("utf-8"), done.stderr.decode("utf-8")
    assert done.returncode == 1 and "Traceback" not in err
    assert f"{recordings / 'ungültig.mp3'}: the file is empty" in err
    if form != "rttm":  # in which there are lines for speech alone
        assert "é.wav" in out and "電 話.wav" in out and "\\udcff.wav" in out.replace("\\\\", "\\")


@pytest.mark.parametrize("setting", ["cp1252", "ascii, strict"])
def test_a_terminal_that_cannot_show_a_character_shows_how_it_is_written(recordings: Path, setting: str) -> None:
    mine, its = pty.openpty()
    command = [*START, "predict", str(recordings / "電 話.wav")]
    with subprocess.Popen(command, stdout=its, stderr=its, env=environment(**SETTINGS[setting])) as process:
        os.close(its)
        told = b""
        while select.select([mine], [], [], 60)[0]:
            try:
                told += os.read(mine, 4096)
            except OSError:  # the other end is closed
                break
    os.close(mine)
    assert process.returncode == 0, told
    assert rb"\u96fb \u8a71.wav: no speech" in told and b"Traceback" not in told


@pytest.mark.parametrize(
    "arguments", [("systems",), ("corpora",), ("--help",), ("--version",), ("predict", "--help"), ("model", "show")]
)
def test_a_reader_that_has_left_ends_it_quietly(arguments: tuple[str, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([*START, *arguments], stdout=write, stderr=subprocess.PIPE, env=environment())
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize("form", [None, "csv", "json"])
def test_a_reader_of_answers_that_has_left(recordings: Path, form: str | None) -> None:
    arguments = () if form is None else ("--format", form)
    read, write = os.pipe()
    os.close(read)
    command = [*START, "predict", recordings / "é.wav", *arguments]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, env=environment())
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


def test_a_reader_of_everything_that_has_left(recordings: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([*START, "predict", recordings], stdout=write, stderr=write, env=environment())
    os.close(write)
    assert done.returncode == 1


@pytest.mark.parametrize("closed", ["<&- >&-", ">&-", "2>&-", ">&- 2>&-"])
def test_streams_that_are_closed_from_the_beginning(recordings: Path, tmp_path: Path, closed: str) -> None:
    """As for a program that some service starts."""
    command = f'"$@" {closed}'
    out = tmp_path / "out.jsonl"
    arguments = (*START, "predict", recordings / "é.wav", "--out", out)
    done = subprocess.run(["sh", "-c", command, "sh", *arguments], capture_output=True, env=environment())
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert '"no speech"' in out.read_text(encoding="utf-8")
    shown = subprocess.run(["sh", "-c", command, "sh", *START, "systems"], capture_output=True, env=environment())
    assert (shown.returncode, b"Traceback" in shown.stderr) == (0, False)


def test_a_closed_standard_input_that_is_asked_for_is_wrong_usage(recordings: Path) -> None:
    command = ["sh", "-c", '"$@" <&-', "sh", *START, "predict", "-", recordings / "é.wav"]
    done = subprocess.run(command, capture_output=True, env=environment())
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith("emotone: -: standard input is closed") and b"Traceback" not in done.stderr


def test_a_full_disk_is_said_in_one_line(recordings: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with Path("/dev/full").open("w") as full:
        for arguments in (("systems",), ("predict", str(recordings / "é.wav"), "--format", "csv")):
            done = subprocess.run([*START, *arguments], stdout=full, stderr=subprocess.PIPE, env=environment())
            assert done.returncode == 1
            assert done.stderr.decode() == "emotone: writing: No space left on device\n"


ENDINGS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
"""Of a terminal, of a supervisor, of a terminal that closes: and the exit code that a shell gives each."""


def heed() -> None:
    """Heed signals, as a program does that is started at a terminal; who runs the tests may ignore them."""
    for number in ENDINGS:
        signal.signal(number, signal.SIG_DFL)


@pytest.mark.parametrize("number", ENDINGS)
@pytest.mark.parametrize("out", ["answers.json", "answers.csv", "answers.parquet", None])
def test_a_signal_ends_it_quietly_and_leaves_nothing(
    tmp_path: Path, recordings: Path, out: str | None, number: signal.Signals
) -> None:
    shutil.copy(recordings / "é.wav", tmp_path / "a.wav")
    script = "import emotone.cli, sys; print('ready', file=sys.stderr, flush=True); emotone.cli.main()"
    arguments = ("a.wav", "-", *(("--out", out) if out else ()))
    command = [sys.executable, "-c", script, "predict", *arguments]
    pipes: dict[str, Callable[..., object] | int] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, cwd=tmp_path, env=environment(), preexec_fn=heed, **pipes) as process:
        assert process.stderr is not None and process.stderr.readline() == b"ready\n"
        time.sleep(2)  # now it waits for standard input
        process.send_signal(number)
        process.wait(30)
        assert process.stdout is not None
        assert (process.returncode, process.stdout.read(), process.stderr.read()) == (ENDINGS[number], b"", b"")
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


LOST = """
import os, sys
import emotone.cli
from emotone.audio import sndfile

make, left = sndfile._Nameless.__init__, int(sys.argv.pop(1))
number = int(sys.argv.pop(1))

def made(self, file):
    make(self, file)
    whole = self.readinto

    def readinto(buffer):
        global left
        left -= 1
        if not left:
            os.kill(os.getpid(), number)
        return whole(buffer)

    self.readinto = readinto

sndfile._Nameless.__init__ = made
emotone.cli.main()
"""
"""The command line that gets a signal while libsndfile reads for the so-and-so-many-th time."""


@pytest.mark.parametrize("reads", [1, 3])  # while it is opened, while it is decoded
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_a_file_is_decoded_ends_it_too(tmp_path: Path, number: signal.Signals, reads: int) -> None:
    soundfile.write(tmp_path / "a.flac", np.random.default_rng(0).normal(0, 0.001, 16_000_000), 16_000)
    command = [sys.executable, "-c", LOST, str(reads), str(int(number)), "predict", "a.flac", "--out", "out.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, env=environment(), preexec_fn=heed, timeout=60)
    assert done.returncode == ENDINGS[number] and b"Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.flac"]


def test_a_terminal_that_closes_does_not_end_what_ignores_it(tmp_path: Path, recordings: Path) -> None:
    """As by nohup."""

    def ignore() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    script = "import emotone.cli, sys; print('ready', file=sys.stderr, flush=True); emotone.cli.main()"
    command = [sys.executable, "-c", script, "predict", "-", "--out", tmp_path / "out.json"]
    pipes: dict[str, Callable[..., object] | int] = dict.fromkeys(("stdin", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, env=environment(), preexec_fn=ignore, **pipes) as process:
        assert process.stderr is not None and process.stderr.readline() == b"ready\n"
        time.sleep(2)
        process.send_signal(signal.SIGHUP)
        process.communicate((recordings / "é.wav").read_bytes(), timeout=30)
    assert process.returncode == 0
    assert '"no speech"' in (tmp_path / "out.json").read_text(encoding="utf-8")


TOLD = """
import sys
import emotone.cli
from emotone.cli.runs import SweepProgress

show = SweepProgress.epoch

def epoch(*told):
    print("an epoch", file=sys.stderr, flush=True)
    SweepProgress.epoch = show
    show(*told)

SweepProgress.epoch = epoch
emotone.cli.main()
"""
"""The command line that says when the first epoch is over."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_training_as_every_command(
    tmp_path: Path, small: dict[str, Path], few: Path, number: signal.Signals
) -> None:
    recipe = tmp_path / "long.yaml"
    recipe.write_text(small["net"].read_text() + "training: {epochs: 100000, patience: null}\n")
    data = ("--corpus", "synthetic", "--data", few)
    command = [sys.executable, "-c", TOLD, "train", recipe, *data, "--out", tmp_path / "out"]
    pipes = dict.fromkeys(("stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(
        [*command, "--out", tmp_path / "out"], env=environment(), preexec_fn=heed, **pipes
    ) as process:
        assert process.stderr is not None and process.stderr.readline() == b"an epoch\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (ENDINGS[number], b"") and b"Traceback" not in err
    assert list((tmp_path / "out").iterdir()) == []


def test_the_package_is_a_command_with_a_version() -> None:
    from emotone import __version__

    done = subprocess.run([*START, "--version"], capture_output=True, text=True, env=environment())
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{__version__}\n", "")
