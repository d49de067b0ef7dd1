"""A store after faults: an empty file, a damaged block, a database of something else; and readers beside one another."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from stat import S_IMODE

import duckdb
import pytest
from conftest import Run
from costsim import open_store as open_public
from costsim.errors import StoreError
from costsim.pricing.book import open_book
from costsim.usage.load import load
from costsim.usage.store import open_store
from costsim.usage.upkeep import compact, repair, verify

LOGS = Path(__file__).parent.parent / "data" / "usage" / "claude-code"
MANY = """
INSERT INTO usage_event BY NAME
SELECT 'made:' || range AS event_id, TIMESTAMP '2026-10-05' + INTERVAL 1 SECOND * range AS ts, 1 AS file_id,
    'made' AS source, 'calls' AS role, 'c' AS component, 'gpt-4o' AS model, 'standard' AS processing, 'ok' AS status,
    FALSE AS aggregated, hash(range)::UBIGINT % 1000 AS input, 0 AS cache_read, 0 AS cache_write_5m,
    0 AS cache_write_1h, hash(-range)::UBIGINT % 1000 AS output, 0 AS web_search, 1 AS request
FROM range(500000)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "costsim.duckdb"
    with open_store(path) as store:
        load(store, [LOGS])
    return path


def damage(path: Path, share: float) -> None:
    """Overwrite some bytes of a block, `share` of the way through the file."""
    content = bytearray(path.read_bytes())
    place = int(len(content) * share)
    content[place : place + 100] = os.urandom(100)
    path.write_bytes(content)


@pytest.mark.slow
@pytest.mark.parametrize("begun", [b"", b"\0" * 100, b"\0" * 8 + b"DUCK" + b"\0" * 4084], ids=["0", "100", "4096"])
def test_a_store_whose_making_was_cut_short_is_made_anew(tmp_path: Path, begun: bytes) -> None:
    path = tmp_path / "costsim.duckdb"
    path.write_bytes(begun)
    with pytest.raises(StoreError, match="there is no store here"), open_store(path, read_only=True):
        pass
    with open_store(path) as store:
        assert load(store, [LOGS]).total("added") == 175


@pytest.mark.parametrize("text", ["x", "no database at all\n" * 2000], ids=["short", "long"])
def test_a_file_of_something_else_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(text)
    with pytest.raises(StoreError, match=r"notes\.txt: "), open_store(path):
        pass
    assert path.read_text() == text


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize("tables", ["CREATE TABLE sales (a INT)", "CREATE TABLE schema_version (name VARCHAR)"])
def test_a_database_of_another_program_gets_no_tables(tmp_path: Path, tables: str, read_only: bool) -> None:
    path = tmp_path / "other.duckdb"
    with duckdb.connect(str(path)) as other:
        other.execute(tables)
    with pytest.raises(StoreError, match="of another program"), open_store(path, read_only=read_only):
        pass
    with duckdb.connect(str(path)) as other:
        assert len(other.execute("SHOW TABLES").fetchall()) == 1


@pytest.mark.slow
def test_readers_need_no_lock_even_where_calls_are_not_summed_yet(path: Path) -> None:
    book = open_book()
    with (
        duckdb.connect(str(path), read_only=True, config={"autoload_known_extensions": "false"}) as beside,
    ):
        assert beside.execute("SELECT count(*) FROM usage_daily").fetchone() == (0,)  # load() does not sum
    before = path.read_bytes()
    with open_public(path, book, read_only=True) as one:
        total = one.spend().total
    assert total.calls == 175
    assert path.read_bytes() == before  # nothing was written
    with open_public(path, book) as store:
        assert store.spend().total == total


@pytest.mark.slow
def test_what_a_killed_compaction_left_goes_with_the_next(path: Path) -> None:
    left = [path.with_name(f".{path.name}.new-123{ending}") for ending in ("", ".wal")]
    for file in left:
        file.write_text("half")
    compact(path)
    assert not any(file.exists() for file in left)
    assert verify(path).sound


@pytest.mark.slow
def test_a_sound_store_is_verified_and_compacted(path: Path) -> None:
    assert verify(path).sound
    with open_store(path) as store:
        store.execute(MANY)
    with open_store(path) as store:
        store.execute("DELETE FROM usage_event WHERE source = 'made' AND output > 10")
    before, after = compact(path)
    assert after < before
    with open_store(path, read_only=True) as store:
        assert store.execute("SELECT count(*) FROM usage_event WHERE source <> 'made'").fetchone() == (175,)
    with open_store(path) as store:  # sequences and keys are as before
        assert load(store, [LOGS]).total("added") == 0


@pytest.mark.slow
def test_a_link_to_a_store_stays_one_when_it_is_compacted_or_repaired(path: Path) -> None:
    (path.parent / "links").mkdir()
    link = path.parent / "links" / "link.duckdb"
    link.symlink_to("../costsim.duckdb")
    compact(link)
    with open_store(link) as store:
        store.execute("INSERT INTO usage_event FROM usage_event LIMIT 1")  # stands twice: to be repaired
    _, _, kept = repair(link)
    assert link.readlink() == Path("../costsim.duckdb")
    assert verify(path).sound
    assert kept is not None
    assert kept.parent == path.parent
    assert [*link.parent.iterdir()] == [link]


@pytest.mark.slow
@pytest.mark.parametrize("words", [("store", "repair"), ("store", "compact")], ids=" ".join)
def test_a_store_that_finds_no_room_is_whole_or_stays_as_it_was(path: Path, words: tuple[str, ...]) -> None:
    """DuckDB leaves what has no room in the new file in its log, which went: the store was empty, and called repaired."""
    resource = pytest.importorskip("resource", reason="the size of files cannot be limited here")
    if "repair" in words:
        with open_store(path) as store:
            store.execute("INSERT INTO usage_event FROM usage_event LIMIT 1")  # stands twice
    whole, files = path.read_bytes(), {*path.parent.iterdir()}
    codes = []
    for limit in (20_000, 520_000, 1_100_000, 2 * len(whole)):
        done = subprocess.run(
            [sys.executable, "-m", "costsim", *words, "--db", str(path)],
            check=False,
            capture_output=True,
            text=True,
            preexec_fn=partial(resource.setrlimit, resource.RLIMIT_FSIZE, (limit, limit)),
        )
        codes.append(done.returncode)
        if done.returncode:
            assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
            assert "written" in done.stderr or "no space" in done.stderr, done.stderr
            assert (path.read_bytes(), {*path.parent.iterdir()}) == (whole, files)
        else:
            assert verify(path).rows["usage_event"] == 175
            break
    assert len(codes) > 2  # it was tried without room
    assert codes[-1] == 0


@pytest.mark.slow
@pytest.mark.parametrize("mode", [0o600, 0o660, 0o644])
def test_who_may_read_a_store_may_read_it_when_it_is_compacted_or_repaired(path: Path, mode: int) -> None:
    path.chmod(mode)
    compact(path)
    assert S_IMODE(path.stat().st_mode) == mode
    with open_store(path) as store:
        store.execute("INSERT INTO usage_event FROM usage_event LIMIT 1")
    assert repair(path)[2]
    assert S_IMODE(path.stat().st_mode) == mode


@pytest.mark.slow
@pytest.mark.parametrize("name", ["damaged.db", "damaged.", "main.db", "store.x", "compacted.db", "memory"])
def test_a_store_of_any_name_is_repaired_and_compacted(path: Path, name: str) -> None:
    """DuckDB calls a database as its file is called, and no two may be open under one name."""
    path = path.rename(path.with_name(name))
    with open_store(path) as store:
        store.execute("INSERT INTO usage_event FROM usage_event LIMIT 1")  # stands twice: to be repaired
    assert repair(path)[1]["usage_event"] == 175
    compact(path)
    assert verify(path).sound


@pytest.mark.skipif(os.sep == "\\", reason="backslashes are between folders here")
def test_a_store_with_a_backslash_in_its_path_is_refused_and_no_other_is_opened(path: Path, costsim: Run) -> None:
    """DuckDB takes it for a slash: a store there was made without end, or another was read in silence."""
    (path.parent / "d\\r").mkdir()
    (path.parent / "d").mkdir()
    copied = shutil.copy(path, path.parent / "d" / "r")
    there = shutil.copy(path, path.parent / "d\\r" / "s.duckdb")
    (path.parent / "link").symlink_to(there)
    for named in ("d\\r", "d\\new", "d\\r/s.duckdb", "link"):
        for words in (["spend"], ["load", str(LOGS)], ["store", "verify"], ["store", "repair"], ["store", "compact"]):
            done = costsim(*words, "--db", str(path.parent / named))
            assert (done.code, done.err.count("\n")) == (2, 1), (named, words, done.err)
            assert "for a slash" in done.err or ("there is no store here" in done.err and named == "d\\new"), done.err
    assert [*(path.parent / "d").iterdir()] == [Path(copied)]


def test_a_store_with_two_names_is_not_compacted_under_one_of_them(path: Path) -> None:
    (path.parent / "other.duckdb").hardlink_to(path)
    with pytest.raises(StoreError, match="has another name too"):
        compact(path)
    assert path.samefile(path.parent / "other.duckdb")


@pytest.mark.slow
def test_what_can_be_read_of_a_damaged_store_is_saved_and_the_rest_read_anew(path: Path) -> None:
    with open_store(path) as store:
        store.execute(MANY)
    damage(path, 0.5)
    with pytest.raises(StoreError, match="damaged"), open_store(path, read_only=True) as store:
        store.execute("SELECT sum(hash(t)) FROM usage_event AS t")
    health, saved, kept = repair(path)
    assert "usage_event" in health.damaged
    assert 100_000 < saved["usage_event"] < 500_175  # of about five groups of rows, one or two were lost
    assert kept is not None
    assert kept.exists()
    with open_store(path) as store:
        load(store, [LOGS])
        assert store.execute("SELECT count(*) FROM usage_event WHERE source = 'claude-code'").fetchone() == (175,)


@pytest.mark.slow
def test_a_store_that_disagrees_with_itself_is_no_sound_one(path: Path) -> None:
    with open_store(path) as store:
        store.execute("INSERT INTO usage_event FROM usage_event LIMIT 1")
    assert verify(path).faults() == ["1 calls that stand twice"]


def test_unix_time_is_read_in_the_unit_that_its_size_says() -> None:
    instants = {
        "1765000000": "2025-12-06 05:46:40",
        "1765000000.25": "2025-12-06 05:46:40.25",
        "1765000000123": "2025-12-06 05:46:40.123",
        "1765000000123456": "2025-12-06 05:46:40.123456",
        "1765000000123456499": "2025-12-06 05:46:40.123456",
        "1765000000123456500": "2025-12-06 05:46:40.123457",  # half a microsecond is one
        "1.765e9": "2025-12-06 05:46:40",
        " 1765000000 ": "2025-12-06 05:46:40",
        "-1": "1969-12-31 23:59:59",
        "99999999999": "5138-11-16 09:46:39",  # the last second
        "100000000000": "1973-03-03 09:46:40",  # milliseconds from here on
        "2025-12-06T05:46:40Z": None,
        "nan": None,
        "": None,
    }
    with open_store(Path(":memory:")) as store:
        read = store.execute(
            "SELECT n, utc_epoch(n)::VARCHAR FROM (SELECT unnest(?) AS n)", [list(instants)]
        ).fetchall()
    assert dict(read) == instants
