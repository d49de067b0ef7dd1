"""From a format's own columns to those of `usage_event`: a reader's SQL, completed and judged, into `found`."""

from __future__ import annotations

import secrets
from itertools import groupby
from typing import TYPE_CHECKING

import duckdb

from ..tokens import MEDIA_CLASSES, TOKEN_CLASSES, UNIT_CLASSES
from .found import kept, kind_of, make_found
from .media import BEYOND, DIVIDED, PARTS, divided
from .processing import as_named
from .reader import DEFAULTS, DIMENSIONS, STATED_BY_OTHERS, Reader, identifier
from .tags import with_known_tags

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from duckdb import DuckDBPyConnection

NO_TIME = """
    WHEN ts IS NULL THEN 'no time, or none that can be read'
    WHEN ts < TIMESTAMP '2000-01-01' OR ts >= TIMESTAMP '2200-01-01' THEN 'a time outside 2000 to 2199'
"""
NO_COUNT = """
    WHEN least({counts}) < 0 THEN 'a negative count'
    WHEN greatest({counts}) > 1000000000000 THEN 'a count over 10^12'
"""
NO_AMOUNT = "WHEN recorded_text IS NOT NULL AND recorded_usd IS NULL THEN 'a recorded cost that is no amount'"
LARGEST_TOTAL = 10**15
TOO_MUCH = "WHEN abs(recorded_usd) > 100000000 THEN 'a recorded cost over 10^8 USD'"

CONTENT = (
    "ts",
    "model",
    "provider",
    "session",
    "component",
    "agent",
    "task",
    "processing",
    "status",
    *TOKEN_CLASSES,
    "recorded_usd",
    *DIMENSIONS,
    "tags",
)
"""What is the id of an entry without one of its own, with how often its file has repeated it before (`merge`)."""

NAMES = ("component", "agent", "task", *DIMENSIONS)
"""An empty or blank one is none: it would be a group without a name, which no architecture file could hold."""
NUMBERS = ("ts", *TOKEN_CLASSES, "recorded_usd")
RARE = (*NAMES, *MEDIA_CLASSES, "cache_write_1h", *UNIT_CLASSES)

SMALL = ("INTEGER", "BIGINT")  # the types of counts that none overflows

Kinds = dict[str, str]
"""Columns and their types."""

TOO_MANY = f"costsim {secrets.token_hex(8)}"  # no log can know it, and look as if it had too many
NOTHING = f"costsim {secrets.token_hex(8)}"
BOUNDED = f"""CASE WHEN reason IS NULL OR reason = '{STATED_BY_OTHERS}' THEN reason
    WHEN nextval('refused_entry') > $most THEN error('{TOO_MANY}')
    ELSE reason END"""
"""Counts on while rows come, so that no millions of refused entries are held before anything can be said of them."""
EVERY = 2**62
NEW_COUNT = "CREATE OR REPLACE TEMP SEQUENCE refused_entry"

_YIELDED: dict[str, Kinds] = {}


def begin(store: DuckDBPyConnection, reader: Reader) -> None:
    """Make `found` anew, for entries of this reader."""
    make_found(store, reader, _with_dimensions(reader, _with_media(_yields(store, reader))))


class TooManyRefusedError(Exception):
    """More entries are refused than may be; nothing of them was appended."""


class NothingError(Exception):
    """A record has none of the reader's columns, and whether such a one is refused is not known yet."""


class Projector:
    """What a reader's SQL makes of records, into the table `found`."""

    def __init__(self, store: DuckDBPyConnection, reader: Reader) -> None:
        self.store, self.reader = store, reader
        self._nothing: tuple[str | None] | None = None  # of one file as of another

    def append(self, record: str, parameters: dict[str, object], most: int = EVERY) -> None:
        """Append to `found` what comes of `record`, SQL for a relation of the reader's columns.

        Raises TooManyRefusedError where over `most` of it is refused.
        """
        self.store.execute(NEW_COUNT)
        sql, bound = _projected(self.store, self.reader, record, parameters, BOUNDED)
        try:
            self.store.execute(f"INSERT INTO found_row BY NAME {sql}", {**bound, "most": most})
        except duckdb.Error as error:
            if TOO_MANY in str(error):
                raise TooManyRefusedError from None
            if NOTHING in str(error):
                raise NothingError from None
            raise

    def append_something(self, record: str, parameters: dict[str, object], most: int, file_id: int) -> None:
        """`append` what comes of records that have any of the reader's columns; of others, as `of_something` says.

        Most logs have no others: whether these are refused takes as long to find out as some thousand lines to read.
        """
        try:
            self.append(f"SELECT * FROM ({record}) WHERE {self._something(most)}", parameters, most)  # noqa: S608 (ours)
        except NothingError:
            something = self.of_something(file_id, most)
            self.append(f"SELECT * FROM ({record}) WHERE {something}", parameters, most)  # noqa: S608 (ours)

    def of_something(self, file_id: int, most: int) -> str:
        """SQL for whether a record has any of the reader's columns, or is one of `most` without that are refused."""
        self.reason_of_nothing(file_id)
        return self._something(most)

    def _something(self, most: int) -> str:
        something = f"NOT ({' AND '.join(f'{identifier(name)} IS NULL' for name in self.reader.columns)})"
        if self._nothing is None:
            return f"CASE WHEN {something} THEN TRUE ELSE error('{NOTHING}') END"
        if self._nothing[0] is None:
            return something
        return f"({something} OR CASE WHEN nextval('refused_entry') > {most} THEN error('{TOO_MANY}') ELSE TRUE END)"

    def line_after(self, record: str, parameters: dict[str, object], most: int) -> int | None:
        """The line of the entry that is refused after so many others; None where there are not as many, or no lines."""
        sql, bound = _projected(self.store, self.reader, record, parameters)
        found = self.store.execute(
            f"SELECT line FROM ({sql}) WHERE reason <> '{STATED_BY_OTHERS}' ORDER BY line LIMIT 1 OFFSET {most}",  # noqa: S608 (ours)
            bound or None,
        ).fetchone()
        return found[0] if found else None

    def reason_of_nothing(self, file_id: int) -> str | None:
        """Why a record of a file without any of the reader's columns is refused; None where it is passed over."""
        if self._nothing is not None:
            return self._nothing[0]
        columns = ", ".join(f"NULL::{kind} AS {identifier(name)}" for name, kind in self.reader.columns.items())
        record = f"SELECT {file_id}::BIGINT AS file_id, 1::BIGINT AS line, ''::VARCHAR AS path, {columns}"
        sql, bound = _projected(self.store, self.reader, record, {})
        found = self.store.execute(f"SELECT reason FROM ({sql})", bound or None).fetchone()  # noqa: S608 (ours)
        self._nothing = found or (None,)
        return self._nothing[0]


def _projected(
    store: DuckDBPyConnection, reader: Reader, record: str, parameters: dict[str, object], reason: str = "reason"
) -> tuple[str, dict[str, object]]:
    """SQL for what the reader's SQL makes of `record`, as `found_row` has it, and its parameters.

    Counts that may not be BIGINT are judged as HUGEINT, so that none overflows unseen; all are kept as BIGINT. What
    the reader does not yield is neither judged nor written.
    """
    stored = "NOT MATERIALIZED " * record.startswith("FROM ")  # a table is there already, and need not be copied
    entry = f"WITH record AS {stored}({record}) SELECT * FROM ({reader.sql})"  # noqa: S608 (ours; user's constants are bound)
    yielded = _yields(store, reader)
    stated = _with_media(yielded)
    if stated is not yielded:
        entry = divided(entry, yielded)
    given = _with_dimensions(reader, stated)
    if given is not stated:
        entry = with_known_tags(entry)
    sql = f"""
        WITH counted AS (SELECT {_counted(given)} FROM ({entry})),
        judged AS (SELECT *{_replaced(given)}, {_reason(reader, given)} AS reason FROM counted)
        SELECT {_written(reader, given, _content(reader, stated), reason)} FROM judged
        """  # noqa: S608 (as above)
    return sql, {**reader.parameters, **parameters}


def _yields(store: DuckDBPyConnection, reader: Reader) -> Kinds:
    """The columns of a reader's SQL and their types, found out once."""
    if reader.sql not in _YIELDED:
        columns = {**reader.columns, "file_id": "BIGINT", "line": "BIGINT", "path": "VARCHAR"}
        record = ", ".join(f"NULL::{kind} AS {identifier(name)}" for name, kind in columns.items())
        described = store.execute(
            f"SELECT column_name, column_type FROM (DESCRIBE WITH record AS (SELECT {record}) FROM ({reader.sql}))",  # noqa: S608 (ours)
            dict(reader.parameters) or None,
        )
        _YIELDED[reader.sql] = dict(described.fetchall())
    return _YIELDED[reader.sql]


def _with_media(given: Kinds) -> Kinds:
    """With the classes of audio and images, where a reader yields parts that are such."""
    if given.keys().isdisjoint(PARTS):
        return given
    return given | dict.fromkeys((*DIVIDED, "input", "cache_read", "output", BEYOND), "HUGEINT")


def _with_dimensions(reader: Reader, given: Kinds) -> Kinds:
    """With the dimensions that tags say, where a reader yields none itself."""
    if "tags" not in given or reader.own_tags or {*given, *reader.fixed} & {*DIMENSIONS}:
        return given
    return given | dict.fromkeys(DIMENSIONS, "VARCHAR")


def _counted(given: Kinds) -> str:
    """What is given, as the types in which it is judged."""
    named = [name for name in DEFAULTS if name in given or name in kept(given)]
    columns = [_column(name, name if name in given else DEFAULTS[name], given.get(name)) for name in named]
    return ", ".join(["file_id", "line", *(["role AS own_role"] if "role" in given else []), *columns])


def _column(name: str, value: str, kind: str | None) -> str:
    if name in TOKEN_CLASSES:
        return f"coalesce({f'TRY_CAST({value} AS HUGEINT)' if kind not in SMALL else f'{value}::BIGINT'}, 0) AS {name}"
    if name == "recorded_usd":  # the second cast reads 5e-06
        return f"""
            coalesce(TRY_CAST({value} AS DECIMAL(38, 18)), TRY_CAST(TRY_CAST({value} AS DOUBLE) AS DECIMAL(38, 18)))
                AS recorded_usd,
            ({value})::VARCHAR AS recorded_text"""
    if name in ("stated_total", BEYOND):
        return f"{_bounded(f'TRY_CAST({value} AS HUGEINT)')} AS {name}"
    if name in NAMES and value == name:
        value = unless_blank(value)
    if DEFAULTS[name] not in ("NULL", value):
        value = f"coalesce({value}, {DEFAULTS[name]})"
    return f"({value})::{kind_of(name)} AS {identifier(name)}"


def unless_blank(value: str) -> str:
    """SQL for a text, and NULL of one that is empty or blank; quick for most."""
    return f"CASE WHEN {value} BETWEEN '!' AND '~' OR trim({value}) <> '' THEN {value} END"


def _bounded(total: str) -> str:
    """A stated total, so far bounded that it still differs from its parts, and any number of them can be added up."""
    over, below = f"WHEN {total} > {LARGEST_TOTAL} THEN {LARGEST_TOTAL}", f"WHEN {total} < -{LARGEST_TOTAL} THEN"
    return f"CASE {over} {below} -{LARGEST_TOTAL} ELSE {total} END"


def _replaced(given: Kinds) -> str:
    """SQL for counts as they are kept, and a level that the model's name says."""
    wide = [name for name in TOKEN_CLASSES if given.get(name, "BIGINT") not in SMALL]
    columns = [f"coalesce(TRY_CAST({name} AS BIGINT), 0) AS {name}" for name in wide]
    columns += [f"{as_named('provider' if 'provider' in given else 'NULL')} AS processing"] * ("model" in given)
    return f" REPLACE ({', '.join(columns)})" if columns else ""


def _reason(reader: Reader, given: Kinds) -> str:
    """SQL for why an entry is none; NULL of one that is."""
    cases = ["WHEN fault IS NOT NULL THEN fault"] * ("fault" in given)
    cases.append(NO_TIME)
    if counts := ", ".join(name for name in TOKEN_CLASSES if name in given):
        cases.append(NO_COUNT.format(counts=counts))
    if "recorded_usd" in given:
        cases.append(NO_AMOUNT)
        if reader.role != "bill":  # a bill has credits
            billed = "own_role IS DISTINCT FROM 'bill'" if "role" in given else "TRUE"
            cases.append(f"WHEN recorded_usd < 0 AND {billed} THEN 'a negative recorded cost'")
        cases.append(TOO_MUCH)
    return f"CASE {' '.join(cases)} END"


def _written(reader: Reader, given: Kinds, content: str, reason: str) -> str:
    """What is kept of an entry; one without an id of its own is named by its content."""
    by_content = f"concat('{reader.name}:', md5({content}), ':1')"
    alike = {"request": "1", **reader.fixed}
    counts = [name if name in given else alike.get(name, "0") for name in TOKEN_CLASSES if name != "output"]
    tokens = " + ".join(count for count in counts if count != "0")
    columns = {
        "event_id": f"CASE WHEN reason IS NULL AND event_id IS NULL THEN {by_content} ELSE event_id END",
        "reason": reason,
        "unnamed": "event_id IS NULL" + " OR numbered" * ("numbered" in given),
        "role": f"CASE WHEN own_role = 'bill' THEN 'bill' ELSE '{reader.role}' END",
        "tokens": f"CASE WHEN reason IS NULL THEN {tokens} ELSE 0 END",
    }
    return ", ".join(f"{columns.get(name, identifier(name))} AS {identifier(name)}" for name in kept(given))


def _content(reader: Reader, stated: Collection[str]) -> str:
    """SQL for a text that says what an entry holds: no two contents have the same. A length is before each text.

    Neighbours that few entries have any of are written at once where they are none: a zero takes as long as a count.
    """
    named = [name for name in CONTENT if name in stated or name in reader.fixed]
    groups = groupby(named, key=lambda name: (name in RARE, name in NUMBERS))
    fixed = {name: f"{sql}::{kind_of(name)}" for name, sql in reader.fixed.items()}
    parts = (_parts({name: fixed.get(name, identifier(name)) for name in group}, *kind) for kind, group in groups)
    return f"concat({', '.join(parts)})"


def _part(name: str, value: str) -> str:
    if name == "recorded_usd":  # few have over nine decimals, and to write more takes five times as long
        short = "TRY_CAST(recorded_text AS DECIMAL(18, 9))"
        return f"CASE WHEN {short} = {value} THEN {short} || '000000000' ELSE {value}::VARCHAR END, '|'"
    return f"{value}, '|'" if name in NUMBERS else f"strlen({value}), ':', {value}"


def _parts(values: Mapping[str, str], rare: bool, numbers: bool) -> str:
    each = ", ".join(_part(name, value) for name, value in values.items())
    if not rare or len(values) == 1:
        return each
    none = f"({' | '.join(values.values())}) = 0" if numbers else f"coalesce({', '.join(values.values())}) IS NULL"
    return f"CASE WHEN {none} THEN '{('0|' if numbers else ':') * len(values)}' ELSE concat({each}) END"
