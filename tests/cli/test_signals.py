"""A signal that ends a command leaves nothing half written, whenever it comes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from unittest.mock import Mock

import pytest
from costsim import interrupts
from costsim.interrupts import before_errors, run, undivided
from costsim.writing import write_file
from thorough import THOROUGH, examples


def started(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "costsim", *words]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def await_file(file: Path) -> None:
    last = time.monotonic() + 60
    while not file.exists() and time.monotonic() < last:
        time.sleep(0.005)


BEGUN = ["logs", "README.md", "costsim.duckdb"]
ENDING = [signal.Signals(number) for number in interrupts.ENDING]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("begun", "number"),
    product(BEGUN, ENDING) if THOROUGH else [*zip(BEGUN, ENDING, strict=False)],
    ids=lambda one: getattr(one, "name", one),
)
def test_a_demo_that_a_signal_ends_leaves_nothing(tmp_path: Path, begun: str, number: int) -> None:
    """The second signal, of an impatient user, keeps it from nothing. Each signal, and each step, at least once."""
    demo = started(tmp_path, "demo", "--out", "a/b")
    await_file(tmp_path / "a" / "b" / begun)
    demo.send_signal(number)
    demo.send_signal(number)
    assert demo.wait(60) == 128 + number
    assert list(tmp_path.iterdir()) == []


# Two of them come while modules are loaded, while the command runs, or while Python ends: 30 ms to 1.5 s after the start.
STEPS = examples(8, 16)
MOMENTS = [0.03 * 1.3 ** (15 * step / (STEPS - 1)) for step in range(STEPS)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [("run", "--trials", "50", "--report", "o.html"), ("route", "triage"), ("demo",)],
    ids=lambda one: getattr(one, "name", one),
)
def test_signals_at_any_moment_end_a_command_without_a_traceback(tmp_path: Path, words: tuple[str, ...]) -> None:
    """The exit code is 128 and the signal's number, or what the command ends with where it was done before."""
    begun = (
        "import os; os.write(1, b'.'); import sys; from costsim.__main__ import main; sys.argv[0] = 'costsim'; main()"
    )
    for moment in MOMENTS:
        command = [sys.executable, "-c", begun, *words]
        one = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert one.stdout
        os.read(one.stdout.fileno(), 1)  # before that, Python itself starts
        time.sleep(moment)
        one.send_signal(signal.SIGINT)
        time.sleep(0.1)
        one.send_signal(signal.SIGINT)
        said = one.communicate(timeout=60)[1].decode()
        assert one.returncode in (130, 0, 2), said
        assert "Traceback" not in said
        assert "KeyboardInterrupt" not in said


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="no list of what a process has loaded")
def test_a_signal_while_duckdb_is_loaded_aborts_nothing(tmp_path: Path) -> None:
    """An exception in the midst of it makes DuckDB's own code abort the process."""
    for moment in (0, 0.002, 0.004, 0.006, 0.008, 0.01, 0.015):
        command = [sys.executable, "-m", "costsim", "spend"]
        one = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while one.poll() is None and "_duckdb" not in Path(f"/proc/{one.pid}/maps").read_text():
            time.sleep(0.001)
        time.sleep(moment)
        one.terminate()
        said = one.communicate(timeout=60)[1].decode()
        assert one.returncode in (143, 2), said  # 2: it was done, and there is no store
        assert "Traceback" not in said


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process that has received no signal yet, and does what it did with signals after the test."""
    before = {number: signal.getsignal(number) for number in interrupts.ENDING}
    for name, value in (("number", 0), ("at", 0.0), ("undivided", 0), ("pending", False), ("done", False)):
        monkeypatch.setattr(interrupts._Received, name, value)
    monkeypatch.setattr("atexit.register", Mock())
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    yield
    for number, how in before.items():
        signal.signal(number, how)


@pytest.mark.usefixtures("received")
def test_a_signal_between_steps_that_belong_together_ends_the_command_after_them() -> None:
    done = []

    def both() -> None:
        with undivided():
            os.kill(os.getpid(), signal.SIGTERM)
            done.append("both")
        done.append("never")

    with pytest.raises(SystemExit) as ended:
        run(both)
    assert (done, ended.value.code) == (["both"], 143)


@pytest.mark.usefixtures("received")
def test_a_file_that_is_just_being_written_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.txt"
    file.write_text("before")
    monkeypatch.setattr(Path, "write_bytes", lambda *_: os.kill(os.getpid(), signal.SIGHUP))
    with pytest.raises(SystemExit) as ended:
        run(lambda: write_file(file, "after"))
    assert ended.value.code == 129
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.txt", "before")]


@pytest.mark.slow
def test_a_signal_while_code_of_a_text_runs_ends_the_command_as_any_other() -> None:
    """Such as a dataclass's: Python notes it there, and would end the process by SIGINT itself."""
    lines = "from costsim.interrupts import run; import os; run(lambda: exec('os.kill(os.getpid(), 2); os.getpid()'))"
    assert subprocess.run([sys.executable, "-c", lines], check=False).returncode == 130


@pytest.mark.usefixtures("received")
def test_what_is_to_be_ignored_is_ignored() -> None:
    """As `nohup` asks."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    run(lambda: os.kill(os.getpid(), signal.SIGHUP))


@pytest.mark.usefixtures("received")
def test_a_signal_after_the_command_changes_nothing() -> None:
    """Python still waits for threads and child processes then: what was printed stays true."""
    run(lambda: None)
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.usefixtures("received")
def test_an_error_after_a_signal_came_of_it() -> None:
    """Such as that of an import which it cut short."""

    def importing() -> None:
        with before_errors():
            try:
                os.kill(os.getpid(), signal.SIGTERM)
            except KeyboardInterrupt:
                raise ImportError("cannot load") from None

    with pytest.raises(SystemExit) as ended:
        run(importing)
    assert ended.value.code == 143


@pytest.mark.usefixtures("received")
def test_a_signal_that_native_code_drops_is_sent_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some of it ("Exception ignored in") hands on no exception, so the command would run on as if none had come."""
    sent = Mock()
    monkeypatch.setattr(interrupts, "start_new_thread", sent)
    monkeypatch.setattr(interrupts._Received, "number", signal.SIGTERM)
    monkeypatch.setattr(interrupts._Received, "at", 1.0)
    interrupts._lost(Mock(exc_type=KeyboardInterrupt))
    sent.assert_called_once_with(interrupts._again, (signal.SIGTERM,))
    assert interrupts._Received.at == 0
