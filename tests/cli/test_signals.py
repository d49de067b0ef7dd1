"""A signal that ends a command leaves nothing half written, whenever it comes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from costsim import interrupts
from costsim.interrupts import undivided, watched
from costsim.writing import write_file


def started(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "costsim", *words]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def await_file(file: Path) -> None:
    last = time.monotonic() + 60
    while not file.exists() and time.monotonic() < last:
        time.sleep(0.005)


@pytest.mark.slow
@pytest.mark.parametrize("number", interrupts.ENDING, ids=lambda one: one.name)
@pytest.mark.parametrize("begun", ["logs", "README.md", "costsim.duckdb"])
def test_a_demo_that_a_signal_ends_leaves_nothing(tmp_path: Path, begun: str, number: int) -> None:
    """The second signal, of an impatient user, keeps it from nothing."""
    demo = started(tmp_path, "demo", "--out", "a/b")
    await_file(tmp_path / "a" / "b" / begun)
    demo.send_signal(number)
    demo.send_signal(number)
    assert demo.wait(60) == 128 + number
    assert list(tmp_path.iterdir()) == []


def test_a_signal_between_steps_that_belong_together_ends_the_command_after_them() -> None:
    done = []

    def both() -> None:
        with undivided():
            os.kill(os.getpid(), signal.SIGTERM)
            done.append("both")
        done.append("never")

    with watched(), pytest.raises(KeyboardInterrupt):
        both()
    assert done == ["both"]
    assert interrupts.exit_code() == 143


def test_a_file_that_is_just_being_written_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.txt"
    file.write_text("before")
    monkeypatch.setattr(Path, "write_bytes", lambda *_: os.kill(os.getpid(), signal.SIGHUP))
    with watched(), pytest.raises(KeyboardInterrupt):
        write_file(file, "after")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.txt", "before")]


def test_what_is_to_be_ignored_is_ignored() -> None:
    """As `nohup` asks."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with watched():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
