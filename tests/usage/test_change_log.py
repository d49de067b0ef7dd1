"""The log of changes beside a store: cut by a kill it is read to its last whole transaction, damaged it is named."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from conftest import Run
from costsim.errors import StoreError
from costsim.usage import cut_log
from costsim.usage.change_log import COMPLETES, ENTRY, HEADER, STATED, damaged_at
from costsim.usage.load import load
from costsim.usage.store import open_store

pytestmark = pytest.mark.slow

LINE = (
    '{{"timestamp": "2026-01-10T10:00:00.000Z", "sessionId": "s", "requestId": "r{0}", "message": {{"role": "assistant",'
    ' "id": "m{0}", "model": "claude-sonnet-4-20250514", "usage": {{"input_tokens": {0}, "output_tokens": 1}}}}}}\n'
)
COUNT = "SELECT count(*) FROM usage_event"


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """A store with 3 calls, and the log of two loads of 100 calls each, whose process was killed after its commits."""
    folder = tmp_path_factory.mktemp("killed")
    for name, first, count in (("a", 0, 3), ("b", 100, 100), ("c", 200, 100)):
        (folder / f"{name}.jsonl").write_text("".join(LINE.format(n) for n in range(first, first + count)))
    path = folder / "costsim.duckdb"
    with open_store(path) as store:
        load(store, [folder / "a.jsonl"])
    if (child := os.fork()) == 0:
        with open_store(path) as store:
            load(store, [folder / "b.jsonl"])
            load(store, [folder / "c.jsonl"])
            os._exit(9)
    os.waitpid(child, 0)
    return path.read_bytes(), Path(f"{path}.wal").read_bytes()


@pytest.fixture
def store_at(killed: tuple[bytes, bytes], tmp_path: Path) -> Callable[[bytes], Path]:
    """A store beside which the log has this content."""

    def put(log: bytes) -> Path:
        path = tmp_path / "costsim.duckdb"
        path.write_bytes(killed[0])
        Path(f"{path}.wal").write_bytes(log)
        return path

    return put


def entries(log: bytes) -> list[int]:
    """Where the entries begin, and where the last one ends."""
    header = HEADER.match(log)
    assert header
    places = [header.end()]
    while places[-1] < len(log):
        places.append(places[-1] + STATED + ENTRY.unpack_from(log, places[-1])[0])
    return places


def count(path: Path) -> int:
    with open_store(path, read_only=True) as store:
        found = store.execute(COUNT).fetchone()
    return int(found[0]) if found else 0


def with_bytes(log: bytes, place: int, new: bytes) -> bytes:
    return log[:place] + new + log[place + len(new) :]


def test_a_log_is_walked_to_its_end(killed: tuple[bytes, bytes], store_at: Callable[[bytes], Path]) -> None:
    log = killed[1]
    places = entries(log)
    assert places[-1] == len(log)
    assert log.count(COMPLETES) >= 2
    assert log.endswith(COMPLETES)
    assert count(store_at(log)) == 203


def test_a_log_that_a_kill_cut_anywhere_is_read_to_its_last_whole_transaction(
    killed: tuple[bytes, bytes], store_at: Callable[[bytes], Path], tmp_path: Path
) -> None:
    """At, just before, just after and within every entry; of a load all or nothing counts: 3, 103 or 203 calls."""
    log = killed[1]
    for place in entries(log):
        for end in range(max(0, place - 22), min(len(log), place + 22)):
            (tmp_path / "cut").write_bytes(log[:end])
            assert damaged_at(tmp_path / "cut") is None, end
    for end in entries(log)[::3]:
        assert count(store_at(log[: end + 5])) in (3, 103, 203)


def test_zeros_behind_the_last_whole_entry_are_an_unfinished_write(
    killed: tuple[bytes, bytes], store_at: Callable[[bytes], Path], tmp_path: Path
) -> None:
    """What a power loss leaves where the disk had made room: DuckDB reads what was completed before, as of a cut log."""
    log = killed[1]
    for place in entries(log):
        for zeros in (8, 16, 19, 40, 2 * 2**20):
            (tmp_path / "zeros").write_bytes(log[:place] + bytes(zeros))
            assert damaged_at(tmp_path / "zeros") is None, place
        cut = count(store_at(log[:place]))
        assert count(store_at(log[:place] + bytes(5000))) == cut
    (tmp_path / "not").write_bytes(log[: entries(log)[3]] + bytes(5000) + b"\1")
    assert damaged_at(tmp_path / "not") == entries(log)[3]


def test_what_is_loaded_after_zeros_stays_though_its_process_is_killed_too(
    killed: tuple[bytes, bytes], store_at: Callable[[bytes], Path], tmp_path: Path
) -> None:
    """DuckDB writes in the place of the zeros, not behind them, where it would never read it again."""
    log = killed[1]
    (tmp_path / "d.jsonl").write_text("".join(LINE.format(n) for n in range(300, 350)))
    for place in (entries(log)[0], log.index(COMPLETES) + len(COMPLETES), len(log)):
        path = store_at(log[:place] + bytes(100_000))
        before = count(path)
        if (child := os.fork()) == 0:
            with open_store(path) as store:
                load(store, [tmp_path / "d.jsonl"])
                os._exit(9)
        os.waitpid(child, 0)
        assert count(path) == before + 50


DAMAGES: dict[str, tuple[int, bytes]] = {
    "no size": (0, bytes(8)),
    "a size beyond the end": (0, (2**31).to_bytes(8, "little")),
    "a size beyond any": (0, b"\xff" * 8),
    "no head": (0, bytes(ENTRY.size)),
    "a sector": (-200, bytes(512)),
}


@pytest.mark.parametrize(("offset", "new"), DAMAGES.values(), ids=DAMAGES)
def test_a_log_that_is_damaged_at_any_entry_never_loses_a_load_in_silence(
    killed: tuple[bytes, bytes], store_at: Callable[[bytes], Path], offset: int, new: bytes
) -> None:
    log = killed[1]
    places = entries(log)
    for place in [*places[: len(places) - 1 : 4], *places[-3:-1], places[0] - 2]:
        path = store_at(with_bytes(log, max(0, place + offset), new)[: len(log)])
        with pytest.raises(StoreError) as error:
            count(path)
        assert "\n" not in str(error.value)
        assert any(word in str(error.value) for word in ("is damaged", "no log of changes", "of another database"))


def test_every_command_names_a_damaged_log_and_repair_leads_out(
    killed: tuple[bytes, bytes], store_at: Callable[[bytes], Path], tmp_path: Path, costsim: Run
) -> None:
    """The first of the two loads is completed before the damage; the second is loaded again."""
    log = killed[1]
    place = log.index(COMPLETES) + len(COMPLETES)
    while log[:place].count(COMPLETES) < log.count(COMPLETES) // 2:
        place = log.index(COMPLETES, place) + len(COMPLETES)
    damaged = with_bytes(log, place, bytes(8))
    path = store_at(damaged)
    says = f"{path}.wal, is damaged at byte {place:,} of {len(log):,}, and DuckDB would drop what stands behind it"
    for words in (["spend"], ["load", "."], ["store", "verify"], ["store", "compact"], ["report"]):
        done = costsim(*words, "--db", str(path))
        assert (done.code, done.err.count("\n")) == (2, 1), done.err
        assert says in done.err
        assert "costsim store repair" in done.err
        assert (path.read_bytes(), Path(f"{path}.wal").read_bytes()) == (killed[0], damaged)
    done = costsim("store", "repair", "--db", str(path))
    assert done.code == 0, done.err
    assert says.partition(", and")[0] in done.out
    kept = [file for file in tmp_path.iterdir() if ".wal.damaged-" in file.name]
    assert [file.read_bytes() for file in kept] == [damaged]
    assert count(path) in (3, 103)
    for name, first in (("b", 100), ("c", 200)):
        (tmp_path / f"{name}.jsonl").write_text("".join(LINE.format(n) for n in range(first, first + 100)))
    assert costsim("load", str(tmp_path), "--db", str(path)).code == 0
    assert costsim("store", "verify", "--db", str(path)).code == 0
    assert count(path) == 203


@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
@pytest.mark.parametrize("new", [b"\0", b"\xff"], ids=["zeros from there", "a byte"])
def test_a_log_that_is_damaged_within_an_entry_is_cut_before_it(
    killed: tuple[bytes, bytes],
    store_at: Callable[[bytes], Path],
    tmp_path: Path,
    costsim: Run,
    share: float,
    new: bytes,
) -> None:
    """Its checksum tells: DuckDB opens no such store. What was completed before stays, the rest is loaded again."""
    log = killed[1]
    begins = [place for place in entries(log)[:-1] if place < share * len(log)][-1]
    place = begins + ENTRY.size + 1
    damaged = log[:place] + (bytes(len(log) - place) if new == b"\0" else bytes([log[place] ^ 255]) + log[place + 1 :])
    path = store_at(damaged)
    for words in (["spend"], ["load", "."], ["store", "verify"], ["store", "compact"]):
        done = costsim(*words, "--db", str(path))
        assert (done.code, done.err.count("\n")) == (2, 1), done.err
        assert f"{path}.wal, is damaged within an entry; costsim store repair cuts it there" in done.err
        assert (path.read_bytes(), Path(f"{path}.wal").read_bytes()) == (killed[0], damaged)
    done = costsim("store", "repair", "--db", str(path))
    assert done.code == 0, done.err
    assert f"{path}.wal, is damaged at byte {begins:,} of {len(log):,}; it was cut there, and is kept as" in done.out
    kept = [file.read_bytes() for file in tmp_path.iterdir() if ".wal.damaged-" in file.name]
    assert kept == [damaged]
    assert count(path) == (3, 103, 203)[log[:begins].count(COMPLETES) * 2 // log.count(COMPLETES)]
    for name, first in (("b", 100), ("c", 200)):
        (tmp_path / f"{name}.jsonl").write_text("".join(LINE.format(n) for n in range(first, first + 100)))
    assert costsim("load", str(tmp_path), "--db", str(path)).code == 0
    assert count(path) == 203


def test_a_damaged_log_of_a_store_that_another_process_has_is_not_cut(
    killed: tuple[bytes, bytes], store_at: Callable[[bytes], Path], costsim: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cut_log, "WAIT_SECONDS", 0.1)
    fcntl = pytest.importorskip("fcntl", reason="files are not locked in this way here")
    log = killed[1]
    place = entries(log)[3] + ENTRY.size + 1
    path = store_at(with_bytes(log, place, bytes([log[place] ^ 255])))
    ready, done = os.pipe(), os.pipe()
    if (child := os.fork()) == 0:
        with path.open("r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            os.write(ready[1], b"x")
            os.read(done[0], 1)
            os._exit(0)
    os.read(ready[0], 1)
    before = Path(f"{path}.wal").read_bytes()
    said = costsim("store", "repair", "--db", str(path))
    os.write(done[1], b"x")
    os.waitpid(child, 0)
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "another process has the store open for writing" in said.err
    assert Path(f"{path}.wal").read_bytes() == before


def test_a_store_that_is_all_in_a_damaged_log_is_left_as_it_is(tmp_path: Path, costsim: Run) -> None:
    """A first load was killed before anything of it was in the file itself."""
    path, log = tmp_path / "s.duckdb", tmp_path / "s.duckdb.wal"
    duckdb.connect(str(path)).close()
    if (child := os.fork()) == 0:
        other = duckdb.connect(str(path))
        other.execute("CREATE TABLE sales (a INT)")
        os._exit(9)
    os.waitpid(child, 0)
    content = log.read_bytes()
    place = entries(content)[0] + ENTRY.size + 1
    log.write_bytes(with_bytes(content, place, bytes([content[place] ^ 255])))
    before = log.read_bytes()
    said = costsim("store", "repair", "--db", str(path))
    assert said.code == 2
    assert "all of the store is in its log of changes, which is damaged: move both away" in said.err
    assert log.read_bytes() == before


def test_a_damaged_log_of_another_programs_database_stays_as_it_is(tmp_path: Path, costsim: Run) -> None:
    path, log = tmp_path / "other.duckdb", tmp_path / "other.duckdb.wal"
    with duckdb.connect(str(path)) as other:
        other.execute("CREATE TABLE sales (a INT)")
    if (child := os.fork()) == 0:
        other = duckdb.connect(str(path))
        for number in range(50):
            other.execute("INSERT INTO sales VALUES (?)", [number])
        os._exit(9)
    os.waitpid(child, 0)
    content = log.read_bytes()
    damaged = with_bytes(content, entries(content)[5], bytes(8))
    log.write_bytes(damaged)
    for words in (["spend"], ["store", "repair"]):
        assert costsim(*words, "--db", str(path)).code == 2
        assert log.read_bytes() == damaged
