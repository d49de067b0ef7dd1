"""Stores that a command makes: one into which nothing was put goes again, no other file ever does, whoever is at it too."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest
from costsim.errors import StoreError, UsageLogError
from costsim.usage.load import load
from costsim.usage.readers.mapped import parse_mapping
from costsim.usage.store import open_store, scalar
from costsim.usage.store_file import is_open_here
from costsim.usage.upkeep import compact

if TYPE_CHECKING:
    from conftest import Run

CALL = '{"ts": "2026-10-01T00:00:00Z", "i": 1}\n'
MAPPING = parse_mapping("ts=ts,input=i")
REFUSED = {
    "a log that is not there": ["load", "none.jsonl"],
    "a log of no format": ["load", "text.txt"],
    "a format of no name": ["load", "text.txt", "--log-format", "none"],
    "a strict load": ["load", "--strict", "broken.jsonl", "--map", "ts=ts,input=i"],
    "roles, and no log": ["load", "none.jsonl", "--role", "litellm-daily=bill", "--acknowledge", "x.y"],
    "outcomes that are not there": ["outcomes", "none.csv"],
    "outcomes that are none": ["outcomes", "text.txt"],
    "a store without outcomes": ["outcomes"],
    "an architecture that is not there": ["run", "none.yaml", "--db", "costsim.duckdb"],
}


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "text.txt").write_text("this is no log\n" * 10)
    (tmp_path / "broken.jsonl").write_text("{broken\n" + CALL)
    yield tmp_path
    assert not list(tmp_path.glob("*.wal"))


@pytest.mark.parametrize("words", REFUSED.values(), ids=REFUSED)
def test_a_command_that_is_refused_leaves_no_store(costsim: Run, logs: Path, words: list[str]) -> None:
    before = {*logs.iterdir()}
    assert costsim(*words).code == 2
    assert {*logs.iterdir()} == before


@pytest.mark.parametrize("made", ["an empty file", "a store", "a link to nothing"])
def test_what_was_there_before_stays(costsim: Run, logs: Path, made: str) -> None:
    path = logs / "costsim.duckdb"
    if made == "a store":
        with open_store(path):
            pass
    elif made == "an empty file":
        path.touch()
        os.utime(path, (0, 0))
    else:
        path.symlink_to("elsewhere.duckdb")
    assert costsim("load", "none.jsonl").code == 2
    assert os.path.lexists(path)
    assert not (logs / "elsewhere.duckdb").exists()  # the link stays, what it led to was made here


def use(path: Path, sql: str, error: BaseException) -> None:
    with open_store(path) as store:
        store.execute(sql)
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_new_store_goes_whatever_ends_it_and_stays_with_anything_in_it(
    tmp_path: Path, error: type[BaseException]
) -> None:
    for name, sql in (("empty", "SELECT 1"), ("full", "INSERT INTO acknowledged VALUES ('a.b')")):
        with pytest.raises(error):
            use(tmp_path / name, sql, error())
    assert [path.name for path in tmp_path.iterdir()] == ["full"]


def test_a_full_disk_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoreError, match="No space left"):
        use(tmp_path / "x", "SELECT 1", duckdb.IOException("IO Error: Could not write: No space left on device"))
    assert not list(tmp_path.iterdir())

    def full(*_: object, **__: object) -> None:
        (tmp_path / "x.duckdb").write_bytes(b"\0" * 100)
        raise duckdb.IOException("IO Error: Could not write all bytes: No space left on device")

    monkeypatch.setattr(duckdb, "connect", full)
    with pytest.raises(StoreError, match="no space is left"), open_store(tmp_path / "x.duckdb"):
        pass
    assert not list(tmp_path.iterdir())


WAITING = """
import sys
from pathlib import Path
from costsim.usage.store import open_store
print("begins", flush=True)
with open_store(Path(sys.argv[1]), wait_seconds=60) as store:
    store.execute("INSERT INTO acknowledged VALUES ('a.b')")
"""


@pytest.mark.slow
def test_what_another_process_put_into_a_new_store_stays(tmp_path: Path) -> None:
    """Two begin where there is none; the first fails while the second waits for it, and what that puts there stays."""
    path = tmp_path / "x.duckdb"

    def fail_beside_another() -> None:
        with open_store(path) as store:
            other = subprocess.Popen([sys.executable, "-c", WAITING, path], stdout=subprocess.PIPE)
            assert other.stdout
            with other.stdout as said:
                said.readline()
            others.append(other)
            time.sleep(0.3)
            store.execute("no SQL")
        raise AssertionError

    others: list[subprocess.Popen[bytes]] = []
    with pytest.raises(duckdb.Error):
        fail_beside_another()
    assert others[0].wait(60) == 0
    with open_store(path, read_only=True) as store:
        assert scalar(store, "SELECT count(*) FROM acknowledged") == 1


@pytest.mark.slow
def test_a_store_that_was_removed_while_it_was_opened_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between opening a file and locking it, another process may remove it: what is written to it then is lost."""
    path = tmp_path / "x.duckdb"
    with open_store(path):
        pass
    connect, times = duckdb.connect, []

    def removing(*words: object, **named: object) -> duckdb.DuckDBPyConnection:
        opened = connect(*words, **named)  # type: ignore[arg-type]
        times.append(1)
        if len(times) == 1:
            path.unlink()
        return opened

    monkeypatch.setattr(duckdb, "connect", removing)
    with open_store(path) as store:
        store.execute("INSERT INTO acknowledged VALUES ('a.b')")
    monkeypatch.undo()
    with open_store(path, read_only=True) as store:
        assert scalar(store, "SELECT count(*) FROM acknowledged") == 1


@pytest.mark.parametrize("left", [0, 4096])
def test_a_file_that_another_process_is_just_making_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: int
) -> None:
    """It is there, with nothing or a part of its header in it, between its opening and its first write."""
    path, begun, connect, times = tmp_path / "x.duckdb", b"\0" * 8 + b"DUCK" + b"\0" * 5000, duckdb.connect, []

    def in_between(*words: object, **named: object) -> duckdb.DuckDBPyConnection:
        times.append(1)
        if len(times) == 1:
            path.write_bytes(begun[:left])
        return connect(*words, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(duckdb, "connect", in_between)
    monkeypatch.setattr("costsim.usage.store_file.MAKING_SECONDS", 0.2)
    with open_store(path) as store:
        store.execute("INSERT INTO acknowledged VALUES ('a.b')")
    assert len(times) > 1


def test_a_load_of_the_stores_own_folder_keeps_its_lock(tmp_path: Path) -> None:
    """Whoever opens and closes a file gives up the locks that its process has on it: two loads would write at once."""
    path = tmp_path / "x.duckdb"
    (tmp_path / "log.jsonl").write_text(CALL)
    (tmp_path / "other.db").symlink_to(path)
    os.link(path.with_name("log.jsonl"), tmp_path / "twin.jsonl")
    with open_store(path) as store:
        os.link(path, tmp_path / "hard.csv")
        for named in (tmp_path, tmp_path / "*"):
            passed = load(store, [named], mapping=MAPPING).passed_over
            assert {passed[str(tmp_path / name)] for name in ("x.duckdb", "hard.csv", "other.db")} == {"the store"}
        for name in ("x.duckdb", "hard.csv", "other.db"):
            with pytest.raises(UsageLogError, match="this is the store that the logs are to be loaded into"):
                load(store, [tmp_path / name])
        with pytest.raises(StoreError), open_store(path, read_only=True):  # another one beside it, in this process
            pass
        assert is_open_here(path)
        held = Path("/proc/locks")
        if held.exists():
            assert f":{path.stat().st_ino} " in held.read_text()
    assert not is_open_here(path)


WAY_OUT = r"x\.duckdb\.wal: this is .*; move it away, or name another file for the store$"


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_stands_in_the_place_of_a_stores_log_is_named_with_the_way_out(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.duckdb"
    with open_store(path):
        pass
    (os.mkdir if kind == "folder" else os.mkfifo)(f"{path}.wal")
    for read_only in (True, False):
        with pytest.raises(StoreError, match=WAY_OUT), open_store(path, read_only=read_only):
            pass


@pytest.mark.slow
def test_a_compaction_loses_nothing_that_is_written_beside_it(tmp_path: Path) -> None:
    """The old store stays locked until the new one stands in its place."""
    path = tmp_path / "x.duckdb"
    with open_store(path) as store:
        store.execute("INSERT INTO acknowledged SELECT range::VARCHAR FROM range(1000)")
    before, after = compact(path)
    assert min(before, after) > 0
    with open_store(path) as store:
        assert scalar(store, "SELECT count(*) FROM acknowledged") == 1000
