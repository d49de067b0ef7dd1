"""What a reader of a log format is: columns to take from the file, and a SQL projection to `usage_event`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..tokens import CALL_CLASSES

Layout = Literal["ndjson", "json", "csv", "parquet", "sqlite"]

Role = Literal["calls", "bill"]
"""What a source states: single calls (or sums of them), or what the provider says that it charged."""

Origin = Literal["agent", "telemetry", "provider", "gateway", "gateway's sums", "tracer", "own table", "rollup"]
"""Who wrote a log. Of sources that have the same call, the first of these counts: see analysis/spend/same_calls.py."""

Unfold = Callable[[Path, Path], Iterator[dict[str, Any] | str | bytes]]
"""From a file's content and the file itself to its records; a text is a line that is no record, to be rejected; bytes
are lines of records, as they are to be written."""

MAPPED = "mapped"
"""The reader of tables whose columns the user names: it is made for each."""

STATED_BY_OTHERS = "others of its file state this call"
"""The `fault` of an entry that is none, and no reject either: where its file stated it before, it counts no more."""

RAW_CHARACTERS = 500  # of what is rejected

# Who a call belongs to, beside session, agent and task.
DIMENSIONS = ("user", "team", "project", "repository", "branch")

# What a projection may yield; what it leaves out gets this value.
DEFAULTS: dict[str, str] = {
    "event_id": "NULL",  # NULL: the loader makes one from the entry's content and its count within the file
    "numbered": "FALSE",  # whether entries with this id, which ends in 1, are counted within the file likewise
    "ts": "NULL",
    "component": "NULL",
    "agent": "NULL",
    "task": "NULL",
    "session": "NULL",
    "response_id": "NULL",
    "request_id": "NULL",
    "period_end": "NULL",
    **dict.fromkeys(DIMENSIONS, "NULL"),
    "provider": "NULL",
    "model": "NULL",
    "processing": "'standard'",
    "status": "'ok'",
    "aggregated": "FALSE",
    "context_tier": "NULL",
    **dict.fromkeys(CALL_CLASSES, "0"),
    "request": "1",
    "recorded_usd": "NULL",
    "tags": "NULL",
    "stated_total": "NULL",  # all tokens of the call, as its source sums them: compared with the parts
    "media_beyond": "NULL",  # audio and images that a source states beyond the figure they are part of (media.py)
    "unfinished": "NULL",  # whether the log lacks the end of the answer; NULL where it does not say
    "span": "NULL",  # what the entries beneath it call it; NULL: its event_id
    "above": "NULL",  # the span of the nearest entry above it that is not in its file
    "is_sum": "FALSE",  # whether it is, by its kind, the sum of the calls beneath it, where there are any
    "fault": "NULL",  # why this is no usable entry, where only the reader knows
}


@dataclass(frozen=True)
class Sample:
    """The beginning of a file, for telling its format: the first records (JSON), or the column names.

    Of an SQLite database, `columns` are its tables. `head` is the beginning of a text that is no JSON: a CSV, or any
    other ("csv" is the layout of both).
    """

    path: str
    layout: Layout
    records: tuple[dict[str, Any], ...] = ()
    columns: frozenset[str] = frozenset()
    head: str = ""

    def has(self, *paths: str) -> bool:
        """Some one record (or the header) holds all of these; `a.b` is key b of a, through lists too."""
        if self.layout in ("csv", "parquet", "sqlite"):
            return all(path in self.columns for path in paths)
        return any(all(_holds(record, path) for path in paths) for record in self.records)

    def values(self, path: str) -> Iterator[Any]:
        """What the records hold at a path."""
        for record in self.records:
            yield from _at(record, path.split("."))


@dataclass(frozen=True)
class Reader:
    """A log format.

    `origin` is who writes such a log: it decides which source counts where several have the same call.
    `columns` are the fields to take: top-level key (or CSV/Parquet column; `keys` has other names of these in the
    file, for ordered readers) to DuckDB type, nested ones as
    STRUCT, numbers as BIGINT (HUGEINT where `sql` adds or subtracts them, so that nothing overflows), all
    else VARCHAR or JSON. A key that the file lacks is NULL; a line that does not fit becomes a reject.
    `sql` selects from the relation `record` (these columns, `path`, `file_id` and `line`) and yields columns
    named as in `usage_event`, also `file_id` and `line`; DEFAULTS fill the rest. Where a source states audio or images
    within its figures, it yields the figures as they are, and PARTS of media.py beside them. `parameters` are bound to
    its $names. `ordered` readers need `line` (from 1), at some cost; for others it may be NULL. Entries of `whole`
    readers refer to one another: a file that grew is read again from its beginning. A file
    without one of the columns in `needs` is not what was meant.

    Of tags, those that well-known names say are dimensions too where `sql` yields none (see `tags`); `own_tags` says
    that the reader names all tags itself, none so.

    `unfold` serves files that are no list of such records: a database, a document with calls deep inside, text that is
    neither JSON nor a table, a file whose meaning stands in another beside it. It takes the path of the content (what a
    packed file holds) and where the file is, by the name that it has unpacked ("/" of a pipe). It yields the records,
    as they are to be written as JSON lines; their number is their `line`. It may raise ValueError or sqlite3.Error,
    then what it yielded counts and the file is reported.

    `counted` are the usage fields that reach a token class, a count or a cost, as dotted paths from the record's top
    (through lists alike; `*` stands for any one key; in a column of JSON, `[]` marks a list whose objects have the
    count, `[][]` a list of such lists). `texts` are the paths to them within columns of JSON where `sql` takes a text
    that holds JSON for the JSON itself; any other text there is unread. `listed` are paths within columns of JSON, on
    the way to counted fields, where `sql` takes a list; any other list there is unread. `dotted_keys` says that
    keys within columns of JSON have dots of their own (attributes); elsewhere a key with dots is no way through
    objects. `left_out` are those that are known and not counted, each with the reason. Any other number that looks
    like usage is reported as unread. `own` are the keys that `unfold` adds to a record: what costsim makes of it,
    so nothing in them is unread. `read_as` are the types of keys that `unfold` reads and `columns` lack: a list or
    a text where it reads an object is unread.

    `pages` are the keys under which a page of an API lists such records: of a document with one of these, the items are
    the records.

    `fixed` are columns that have one value in every entry, with SQL for it: `sql` yields none of them, and nothing is
    computed or kept of them entry by entry.

    Cells of a table are trimmed, and empty ones are NULL, but those of columns `as_written`: `sql` sees to that.

    `usage_key` names a key that every entry has (of an object, at any depth): a line without it yields nothing and says
    nothing about other lines, so most bytes of such a log need not be parsed; but for a line with one of the texts in
    `answers`, which is a call even where it states no usage.

    `replaced` is for files that are written anew as they change (a database, a document), with entries that depend on
    others: what a sum has beyond its parts, a copy that is named by its original. Each is a condition in SQL: an entry
    `before`, which the file had and states no more or as less, counts no more where it has an entry `now` for which it
    holds. All else that such a file states no more was deleted from it, and stays: it was billed.

    `narrow` is for readers of many columns: by its sample, it makes of one that with those that a file can have.

    For the documentation, of which docs/formats.md is made: `unique_by` says in a few words what makes two entries the
    same call; `sample` names the sample that tests read and whether it is real ("real: ..." or "made: ..."); `kept_at`
    is where the tool keeps its log, or how it is exported. `undercounts` says what the format is known not to contain,
    "" where nothing is known; it lowers the completeness of a source. `no_call` says why a file of this format can be
    without a call ("a session with no assistant message"). `input_includes_cached` is for the documentation (the SQL
    does it); None where it depends on the emitter, the provider or the model.
    """

    name: str
    origin: Origin
    doc: str
    columns: Mapping[str, str]
    sql: str
    recognises: Callable[[Sample], bool]
    input_includes_cached: bool | None
    ordered: bool = False
    whole: bool = False
    needs: tuple[str, ...] = ()
    parameters: Mapping[str, object] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    own_tags: bool = False
    as_written: tuple[str, ...] = ()
    fixed: Mapping[str, str] = field(default_factory=dict)
    counted: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    dotted_keys: bool = False
    left_out: Mapping[str, str] = field(default_factory=dict)
    own: tuple[str, ...] = ()
    read_as: Mapping[str, str] = field(default_factory=dict)
    role: Role = "calls"
    unique_by: str = ""
    sample: str = ""
    kept_at: str = ""
    undercounts: str = ""
    no_call: str = "no entry with usage"
    unfold: Unfold | None = None
    narrow: Callable[[Reader, Sample], Reader] | None = None
    replaced: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    usage_key: str = ""
    answers: tuple[str, ...] = ()

    @property
    def apart(self) -> bool:
        """Whether no record says anything about another, so that lines can be read some at a time."""
        return not (self.ordered or self.whole or self.unfold)

    def key(self, column: str) -> str:
        """What the file calls a column."""
        return self.keys.get(column, column)


def _holds(record: dict[str, Any], path: str) -> bool:
    first = path.partition(".")[0]  # most records lack it
    return first in record and any(value is not None for value in _at(record, path.split(".")))


def _at(record: Any, keys: list[str]) -> Iterator[Any]:
    if isinstance(record, list):
        for item in _flat(record):
            yield from _at(item, keys)
    elif not keys:
        yield record
    elif isinstance(record, dict) and keys[0] in record:
        yield from _at(record[keys[0]], keys[1:])


def _flat(values: list[Any]) -> Iterator[Any]:
    """What is in a list, and in lists in it, however deep."""
    within = [iter(values)]
    while within:
        for value in within[-1]:
            if isinstance(value, list):
                within.append(iter(value))
                break
            yield value
        else:
            within.pop()


def identifier(name: str) -> str:
    """A column's name in SQL, whatever characters it has."""
    return '"' + name.replace('"', '""') + '"'


def struct(columns: Mapping[str, str]) -> str:
    """Columns and their types in SQL, as DuckDB's readers take them."""
    return "{" + ", ".join(f"{text(name)}: {text(kind)}" for name, kind in columns.items()) + "}"


def text(value: str) -> str:
    """A text in SQL, whatever characters it has."""
    return "'" + value.replace("'", "''") + "'"
