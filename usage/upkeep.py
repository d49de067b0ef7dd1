"""What a person would otherwise do to a store by hand: verify it, save what can be read of it, make it small.

A repaired or compacted store is written beside the old one and takes its place at the end, in one step: after a crash
at any moment the old one is still there. A link to a store stays one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from stat import S_IMODE
from typing import TYPE_CHECKING

import duckdb

from ..errors import StoreError
from ..interrupts import undivided
from ..tokens import TOKEN_CLASSES
from ..writing import one_writer, remove_left
from .cut_log import WRITTEN_MEANWHILE, cut_log
from .impossible import every_impossible_value, possible, remove_impossible
from .reader import identifier, text
from .shape import ON_DEMAND, faults, statement
from .store import LET_READ_AGAIN, TABLES, WAIT_SECONDS, failing_as_store, open_as_it_is, open_store, scalar
from .store_faults import SEE_REPAIR, is_fault, is_unwritten
from .store_file import CONFIG, connect, is_new, log_of, state_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ROWS_OF_A_GROUP = 122_880  # DuckDB stores tables in groups of so many rows
DERIVED = (
    "usage_daily",
    "covered_daily",
    "rollup_state",
    "spend_cell",
    "spend_price",
)  # made again when it is asked for
KEYS = "source, role, component, agent, task, provider, model, processing, status"
ADDED = ", ".join(f"sum({name})" for name in (*TOKEN_CLASSES, "recorded_usd"))
SUMMED = f"""
FROM (
    SELECT DISTINCT day FROM (
        SELECT * EXCLUDE (side), sum(side) AS apart FROM (
            SELECT 1 AS side, ts::DATE AS day, {KEYS}, count(*), {ADDED}, count(recorded_usd) FROM usage_event
            WHERE covered_by {{where}} GROUP BY ALL
            UNION ALL SELECT -1, day, {KEYS}, sum(calls), {ADDED}, sum(recorded_calls) FROM {{sums}} GROUP BY ALL
        ) GROUP BY ALL
    ) WHERE apart <> 0
) WHERE day NOT IN (SELECT day FROM touched_day) AND EXISTS (FROM rollup_state)
"""  # noqa: S608 (ours)
CHECKS = {
    "calls of a file that is not known": "FROM usage_event ANTI JOIN load USING (file_id)",
    "calls that stand twice": "FROM (SELECT event_id FROM usage_event GROUP BY event_id HAVING count(*) > 1)",
    "rejects of a file that is not known": "FROM reject ANTI JOIN load USING (file_id)",
    "days whose sums are not those of their calls": SUMMED.format(where="IS NULL", sums="usage_daily"),
    "days whose sums of what is not counted are not those of its calls": SUMMED.format(
        where="IS NOT NULL", sums="covered_daily"
    ),
}
OTHERWISE = (duckdb.CatalogException, duckdb.BinderException, duckdb.ConstraintException, duckdb.ConversionException)
"""Of a table that is missing, or has other columns than it should: none of its rows can be saved."""
FORGET_CONTENT = "UPDATE load SET content_hash = ''"  # whatever a file has no more, it may have had before: it stays
FIX_FILES = """
UPDATE load SET bytes = 0, entries = greatest(entries, 0), added = greatest(added, 0), rejected = greatest(rejected, 0),
    loaded_at = CASE WHEN isfinite(loaded_at) THEN loaded_at ELSE now() AT TIME ZONE 'UTC' END,
    role = coalesce((SELECT min(role) FROM usage_event WHERE usage_event.file_id = load.file_id), 'calls')
WHERE least(bytes, entries, added, rejected) < 0 OR NOT isfinite(loaded_at) OR role NOT IN ('calls', 'bill')
RETURNING file_id
"""
"""Files whose row has what it cannot have: their calls say what their role is."""
DROP_TWICE = """
DELETE FROM usage_event WHERE event_id IN (FROM usage_event SELECT event_id GROUP BY ALL HAVING count(*) > 1)
    AND rowid NOT IN (
        FROM usage_event AS call SELECT min(rowid) GROUP BY event_id HAVING count(DISTINCT hash(call)) = 1
    )
"""
"""Of calls that stand twice one is left where they agree, else none: which is right, the log says."""
DAMAGED = "damaged."  # no file gives a database this name: with a dot
ROWS = f"SELECT estimated_size FROM duckdb_tables() WHERE database_name = '{DAMAGED}' AND table_name = ?"  # noqa: S608 (ours)
MADE = f"SELECT sql FROM duckdb_tables() WHERE database_name = '{DAMAGED}' AND table_name = ?"  # noqa: S608 (ours)
THERE = "SELECT count(*) FROM duckdb_tables() WHERE database_name = current_database() AND table_name = ?"
TOUCH_ALL = "INSERT OR IGNORE INTO touched_day SELECT DISTINCT ts::DATE FROM usage_event"


@dataclass
class Health:
    """What was found: rows by table, tables that cannot be read with the reason, values that cannot be, and what does
    not agree. `log` says where a damaged log of changes was cut, and where it is kept."""

    rows: dict[str, int] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)
    impossible: list[str] = field(default_factory=list)
    disagree: dict[str, int] = field(default_factory=dict)
    log: str = ""

    @property
    def sound(self) -> bool:
        """Whether all can be read and agrees."""
        return not (self.damaged or self.impossible or self.disagree)

    def faults(self) -> list[str]:
        """What is wrong, in words."""
        return [
            *(f"table {name} cannot be read: {why}" if name else why for name, why in self.damaged.items()),
            *self.impossible,
            *(f"{count:,} {what}" for what, count in self.disagree.items()),
        ]


def verify(path: Path) -> Health:
    """Read every block of a store, look for values that cannot be, and compare what must agree. Raises StoreError where
    nothing can be read."""
    health = Health()
    with _readable(), open_as_it_is(path, read_only=True) as store:
        names = [name for (name,) in store.execute(TABLES).fetchall()]
        health.damaged = faults(store)
    left = sorted({*names} - {*health.damaged})
    while left:
        _read(path, left, health)
    with open_as_it_is(path, read_only=True) as store:
        health.impossible = [*map(str, every_impossible_value(store, health.rows))]
        if health.sound:
            found = {what: scalar(store, f"SELECT count(*) {sql}") for what, sql in CHECKS.items()}
            health.disagree = {what: count for what, count in found.items() if count}
    return health


def _read(path: Path, left: list[str], health: Health) -> None:
    """Read every block of these tables, up to one that cannot be read: after it the store is to be opened anew."""
    try:
        with open_as_it_is(path, read_only=True) as store:
            while left:
                sql = f"SELECT count(*), bit_xor(hash(t)) FROM {identifier(left[0])} AS t"  # noqa: S608 (quoted)
                health.rows[left[0]] = scalar(store, sql)
                left.pop(0)
    except StoreError as error:
        health.damaged[left.pop(0)] = str(error).removeprefix(f"{path}: ").removesuffix(SEE_REPAIR)


@contextmanager
def _readable() -> Iterator[None]:
    """Where a store cannot even be opened, what to do: to repair it is what the user is doing."""
    try:
        yield
    except StoreError as error:
        if not str(error).endswith(SEE_REPAIR):
            raise
        why = str(error).removesuffix(SEE_REPAIR)
        raise StoreError(f"{why}; nothing in it can be read: move it away, and load the logs again") from None


def compact(path: Path) -> tuple[int, int]:
    """Write a store anew without the space of deleted rows; returns its bytes before and after. Raises StoreError."""
    if not path.exists():
        raise StoreError(f"{path}: there is no store here")
    is_new(path)  # what is none is refused under the name that was given
    path = Path(os.path.realpath(path))
    before = path.stat().st_size
    if path.stat().st_nlink > 1:
        raise StoreError(
            f"{path}: the file has another name too (a hard link), under which the old store would stay; "
            "remove that name, or copy the store to a file of its own"
        )
    with open_store(path) as store:
        store.execute("CHECKPOINT")  # takes in what a killed load left in the log
    with (
        one_writer(path.parent),
        failing_as_store(path),
        duckdb.connect(config={**CONFIG}) as both,
        _in_place_of(path) as new,
    ):
        both.execute(f"ATTACH {text(str(path))} AS store (READ_ONLY)")  # until the new one stands there: nobody writes
        both.execute(f"ATTACH {text(str(new))} AS compacted")
        both.execute("COPY FROM DATABASE store TO compacted")
        both.execute("CHECKPOINT compacted")  # DETACH would not say why not
        both.execute("DETACH compacted")
    return before, path.stat().st_size


def repair(path: Path) -> tuple[Health, dict[str, int], Path | None]:
    """Save what can be read of a store into a new one in its place; the old one is kept beside it.

    Returns what was found, the rows saved by table, and where the old store is (None: it was sound, nothing was
    done). Sums are made again; where calls were lost, all files are read again at the next load. Raises StoreError
    where nothing can be read, or another process wrote to the store meanwhile: then it stays as it is.
    """
    is_new(path)  # a folder has no name to be kept under
    path = Path(os.path.realpath(path))
    with one_writer(path.parent):
        ending = f".damaged-{datetime.now(UTC):%Y%m%d-%H%M%S}"
        cut = cut_log(path, ending) if log_of(path).is_file() else ""
        before = state_of(path)
        health = verify(path)
        health.log = cut
        if health.sound:
            return health, {}, None
        kept = path.with_name(f"{path.name}{ending}")
        with _in_place_of(path, kept, before) as new:
            saved = _saved(path, new, health)
    return health, saved, kept


def _saved(path: Path, new: Path, health: Health) -> dict[str, int]:
    """Fill the new store; the rows saved by table."""
    tables = {*health.rows, *health.damaged} - {*DERIVED, "schema_version", "touched_day", ""}
    whole = sorted(tables - {*health.damaged})
    saved: dict[str, int] = {}
    for names in (whole, *([name] for name in sorted(tables & {*health.damaged}))):  # a fault may end its connection
        with open_as_it_is(new) as store:
            store.execute(f"ATTACH {text(str(path))} AS {identifier(DAMAGED)} (READ_ONLY)")
            saved |= {name: _save(store, name) for name in names}
    lost = any(saved[name] < health.rows.get(name, 0) for name in saved) or bool({*health.damaged} - {*DERIVED})
    with open_as_it_is(new) as store:
        changed = store.execute(FIX_FILES).fetchall()
        if "past_call" in health.damaged or saved.get("past_call", 0) < health.rows.get("past_call", 0):
            store.execute(FORGET_CONTENT)
        _settle(store, lost=lost or bool(changed or health.disagree))
        saved["usage_event"] = scalar(store, "SELECT count(*) FROM usage_event")
    return saved


def _save(store: DuckDBPyConnection, name: str) -> int:
    """Copy what can be read of a table, group of rows by group of rows where the whole cannot be; the rows copied."""
    rows = scalar(store, ROWS, [name])
    made = store.execute(MADE, [name]).fetchone()
    if made and not scalar(store, THERE, [name]):
        store.execute(statement(name) if name in ON_DEMAND else made[0])
    target, source = f"main.{identifier(name)}", f"{identifier(DAMAGED)}.main.{identifier(name)}"
    starts = range(0, rows + ROWS_OF_A_GROUP, ROWS_OF_A_GROUP)
    rest = possible(name)
    for where in ["", *(f"AND rowid >= {start} AND rowid < {start + ROWS_OF_A_GROUP}" for start in starts)]:
        try:
            store.execute(f"INSERT INTO {target} BY NAME SELECT * FROM {source} WHERE {rest} {where}")  # noqa: S608
        except duckdb.Error as error:
            if is_unwritten(error) or not (is_fault(error) or isinstance(error, OTHERWISE)):
                raise
        else:
            if not where:
                break
    if name != "load":  # without its file, a call would go: see FIX_FILES
        remove_impossible(store, name)
    return scalar(store, f"SELECT count(*) FROM {target}")  # noqa: S608 (quoted)


def _settle(store: DuckDBPyConnection, lost: bool) -> None:
    """Drop calls of unknown files and what stands twice, continue file numbers, and mark every day for summing."""
    store.execute("DELETE FROM usage_event WHERE file_id NOT IN (SELECT file_id FROM load)")
    store.execute(DROP_TWICE)
    store.execute("DELETE FROM reject WHERE file_id NOT IN (SELECT file_id FROM load)")
    if lost:
        store.execute(LET_READ_AGAIN)
    used = scalar(store, "SELECT max(file_id) FROM load")
    store.execute("SELECT nextval('file_number') FROM range(?)", [used + 1])
    store.execute(TOUCH_ALL)


@contextmanager
def _in_place_of(path: Path, kept: Path | None = None, before: object = None) -> Iterator[Path]:
    """A path for a new store that takes the place of `path` if the block ends well; the old one is kept, or goes.

    `before` is the state that the store still must have then. Who may use it stays as it was. Only one process at a
    time may be here (`one_writer`).
    """
    new = path.with_name(f".{path.name}.new-{os.getpid()}")
    remove_left(path.parent, f".{path.name}.new-")  # of one that was killed: there is no other now
    try:
        with _for_its_owner_only():
            yield new
            _finish(new)
        _allow_as(path, new)
        with _unchanged_since(path, before) if before else nullcontext(), undivided():
            _replace(path, new, kept)
    except OSError as error:
        raise StoreError(f"{path}: the new store cannot be written: {error.strerror}") from None
    finally:
        for left in (new, log_of(new)):
            left.unlink(missing_ok=True)


@contextmanager
def _for_its_owner_only() -> Iterator[None]:
    """What is made within the block nobody else can read."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def _allow_as(path: Path, new: Path) -> None:
    at = path.stat()
    with suppress(OSError):  # only root may give a file away
        os.chown(new, at.st_uid, at.st_gid)
    new.chmod(S_IMODE(at.st_mode))


def _finish(new: Path) -> None:
    """Take all of a new store into its file: where there was no room, DuckDB leaves it in its log without a word."""
    with failing_as_store(new), closing(connect(new, False, WAIT_SECONDS)) as store:
        store.execute("CHECKPOINT")
    if log_of(new).exists():
        raise StoreError(f"{new}: not all of it could be written; the store is as it was")


def _replace(path: Path, new: Path, kept: Path | None) -> None:
    log = log_of(path)
    if kept:
        os.link(path, kept)
    if log.exists():  # what it holds is in the new store, or goes with the old one; never is it beside the new one
        log.replace(log_of(kept)) if kept else log.unlink()
    new.replace(path)


@contextmanager
def _unchanged_since(path: Path, before: object) -> Iterator[None]:
    """Keep others from writing to a store. Raises StoreError where one has done so since it was in the state `before`,
    or still does."""
    with failing_as_store(path), closing(connect(path, True, WAIT_SECONDS)):
        if state_of(path) != before:
            raise StoreError(WRITTEN_MEANWHILE.format(path=path))
        yield
