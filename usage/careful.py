"""Files read line by line: what is no entry is rejected with its line, the rest is projected, some at a time.

A file is read up to so many lines that are none, or `{}`: each is kept, and a packed file may hold millions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from ..errors import UsageLogError
from .bounded import lines_of
from .fast_json import TooMuchError, line_of
from .files import escaped
from .fits import as_columns_take, loaded, misfit_of_record, pruned
from .limits import MAX_LINE, MAX_REJECTS, end_of_reading, object_size
from .project import Projector, TooManyRefusedError
from .reader import RAW_CHARACTERS, identifier, struct
from .scanned import AS_DECLARED
from .sieve import may_be_entry
from .source import Reject, Source
from .store import scalar
from .store_faults import first_line, is_grave
from .tables import check_width, read_csv, read_parquet, stream_csv
from .zeros import ZERO, between_zeros, zeros_in_line

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FORGET = "DELETE FROM found_row WHERE file_id IN (SELECT unnest($1))"
WAITING = "SELECT count(*) FROM record WHERE file_id = ?"
FORGET_RECORDS = "DELETE FROM record WHERE file_id IN (SELECT unnest($1))"
REFUSED = "SELECT count(*) FROM found WHERE file_id = ? AND reason IS NOT NULL"
ROWS = 100_000  # that are projected at once: they are held as records, and as entries
SMALL_BYTES = 1024 * 1024  # tables up to here are projected together: a statement takes longer than their rows

LineCounts = Callable[[Source], int]
"""How many lines a file has, or its tail."""


class Careful:
    """Reads files of one format, each line of them by itself. `several` says that there may be many small ones."""

    def __init__(
        self, connection: DuckDBPyConnection, projection: Projector, spool: Path, lines: LineCounts, several: bool
    ) -> None:
        self.connection, self.projection, self.spool, self.lines = connection, projection, spool, lines
        self._together = SMALL_BYTES if several else 0
        self._sources: dict[int, Source] = {}
        self._rejects: list[Reject] = []
        self._ends: dict[int, Reject] = {}  # of files that are read no further
        self._wrong: Counter[int] = Counter()  # lines of each file that are no entries
        self._waiting: Counter[int] = Counter()  # rows of each file in `record`
        self._empty_record()

    def read(self, source: Source) -> None:
        """One file. What DuckDB cannot take at all is an error if it was named, else a reject of the whole file."""
        self._sources[source.file_id] = source
        try:
            if source.format.layout == "sqlite":
                raise UsageLogError(f"a log of {source.format.reader.name} is no database", file=source.file.label)
            if source.format.layout in ("csv", "parquet"):
                self._table(source)
            else:
                self._lines(source)
        except duckdb.Error as error:
            self._refuse(source, error)

    def _refuse(self, source: Source, error: duckdb.Error) -> None:
        """Reject a file that DuckDB cannot take. Raises UsageLogError if it was named."""
        if is_grave(error):
            raise error
        reason = f"the file cannot be read: {first_line(error)}"
        if source.file.named:
            raise UsageLogError(reason, file=source.file.label) from None
        self._rejects.append((source.file_id, None, reason, ""))

    def finish(self) -> list[Reject]:
        """Project what waits; all that is no entry."""
        self._flush()
        return [*self._rejects, *self._ends.values()]

    def _table(self, source: Source) -> None:
        check_width(len(source.format.columns))
        if source.file.size < self._together:
            keep, forget = self._append, FORGET_RECORDS
        else:
            keep, forget = partial(self._project, source.file_id), FORGET
        if source.format.layout == "csv" and stream_csv(self.connection, source, self.lines, keep):
            pass
        else:
            self._ends.pop(source.file_id, None)
            self.connection.execute(forget, [[source.file_id]])
            source.watch.forget(source.file_id)
            if source.format.layout == "csv":
                self._rejects += read_csv(self.connection, source, self.spool, self.lines(source), keep)
            else:
                self._rejects += read_parquet(self.connection, source, keep)
        if keep == self._append:
            self._waiting[source.file_id] = scalar(self.connection, WAITING, [source.file_id])
            self._flush_many()

    def _lines(self, source: Source) -> None:
        """Every line by itself: what is no entry is rejected, the rest is written out with its line number."""
        source.watch.forget(source.file_id)
        entries = self._entries(source)
        clean = self.spool / f"{source.file_id}.ndjson"
        most = ROWS if source.format.reader.apart else None
        while count := _written(islice(entries, most), clean):
            self._append_lines(source, clean)
            self._waiting[source.file_id] += count
            self._flush_many()
            if source.file_id in self._ends:
                return

    def _entries(self, source: Source) -> Iterator[bytes]:
        """The lines that may be entries, with their numbers; of too many that are none, a file is read no further."""
        id, longest, empty = source.file_id, MAX_LINE.value, 0
        nothing = self.projection.reason_of_nothing(id)
        with source.opened() as lines:
            for number, raw in self._parts(source, lines_of(lines, longest)):
                wrong: tuple[str, str] | None = None
                if len(raw) > longest:
                    wrong = f"a line of over {MAX_LINE}", ""
                elif text := raw.decode("utf-8", "replace").strip().lstrip("\ufeff"):
                    why, record = _checked(text, source, number)
                    if record is not None and all(value is None for value in record.values()):
                        why, empty = nothing, empty + (text == "{}")
                    elif record is not None:
                        yield line_of({**record, "line": number})
                    wrong = (why, text[:RAW_CHARACTERS]) if why else None
                if wrong:
                    self._rejects.append((id, number, *wrong))
                    self._wrong[id] += 1
                if (wrong or empty) and (end := end_of_reading(self._wrong[id] + empty * (not nothing))):
                    self._ends[id] = (id, number, end, "")
                    return

    def _parts(self, source: Source, lines: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
        """Numbered lines, in parts where zero bytes stand in them; the first that has some is a reject of its own."""
        named = source.zeros is not None
        for number, line in enumerate(lines, 1):
            if ZERO not in line:
                yield number, line
                continue
            if not named and (number > 1 or ZERO in line.lstrip(ZERO)):
                named = True
                self._rejects.append(zeros_in_line(source.file_id, number))
            yield from ((number, part) for part in between_zeros(line))

    def _append_lines(self, source: Source, clean: Path) -> None:
        columns = {**source.format.reader.columns, "line": "BIGINT"}
        size = object_size(clean)
        self._append(
            f"""
            SELECT $file_id::BIGINT AS file_id, $path AS path, entry.*
            FROM read_ndjson($clean, columns = {struct(columns)}, maximum_object_size = {size}, {AS_DECLARED}) AS entry
            """,  # noqa: S608 (columns are the reader's)
            {"file_id": source.file_id, "path": source.file.shown, "clean": escaped(str(clean))},
        )
        clean.unlink()

    def _append(self, sql: str, parameters: dict[str, object]) -> None:
        self.connection.execute(f"INSERT INTO record BY NAME {sql}", parameters)

    def _empty_record(self) -> None:
        columns = ", ".join(f"{identifier(name)} {kind}" for name, kind in self.projection.reader.columns.items())
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE record (file_id BIGINT, line BIGINT, path VARCHAR, {columns})"
        )

    def _flush_many(self) -> None:
        if self._waiting.total() >= ROWS:
            self._flush()

    def _flush(self) -> None:
        """Project the rows that wait, of all files together where not too many of them are refused.

        A file of which that fails is rejected: no other loses a row by it.
        """
        waiting, self._waiting = self._waiting, Counter()
        if not waiting:
            return
        try:
            if len(waiting) == 1:
                raise TooManyRefusedError
            self.projection.append("FROM temp.record", {}, MAX_REJECTS.value - max(self._wrong.values(), default=0))
        except (TooManyRefusedError, duckdb.Error) as error:
            if isinstance(error, duckdb.Error) and is_grave(error):
                raise
            for id in waiting:
                self._project_or_refuse(id)
        self._empty_record()

    def _project_or_refuse(self, id: int) -> None:
        try:
            self._project(id, f"FROM temp.record WHERE file_id = {id}", {})
        except duckdb.Error as error:
            self._refuse(self._sources[id], error)

    def _project(self, id: int, sql: str, parameters: dict[str, object]) -> None:
        """Project records of one file, up to the entry that is one too many of those that are refused."""
        refused = scalar(self.connection, REFUSED, [id])
        most = max(0, MAX_REJECTS.value - self._wrong[id] - refused)
        try:
            self.projection.append(sql, parameters, most)
        except TooManyRefusedError:
            line = self.projection.line_after(sql, parameters, most)
            if line is not None:
                self.projection.append(f"SELECT * FROM ({sql}) WHERE line <= {line}", parameters)  # noqa: S608 (ours)
            self._ends[id] = (id, line, end_of_reading(MAX_REJECTS.value + 1) or "", "")


def _written(entries: Iterator[bytes], file: Path) -> int:
    """Write so many lines as there are; how many."""
    count = 0
    with file.open("wb") as out:
        for entry in entries:
            out.write(entry)
            count += 1
    return count


def _checked(text: str, source: Source, number: int) -> tuple[str | None, dict[str, Any] | None]:
    """Why a line is no entry, or the columns of it that a reader takes; an entry is shown to the watch as a whole.

    What the bytes show to be none (an object without the usage key) cannot be a bad one.
    """
    reader, kinds = source.format.reader, source.watch.columns
    no_entry = reader.usage_key and text[0] == "{" and text[-1] == "}" and not may_be_entry(text, reader.usage_key)
    try:
        entry = loaded(text)
    except TooMuchError as error:
        return None if no_entry else str(error), None
    except (ValueError, RecursionError):
        return None if no_entry else "not JSON", None
    if not isinstance(entry, dict):
        return "not a JSON object", None
    why = misfit_of_record(entry, kinds)
    if why:
        return None if no_entry else why, None
    source.watch.see(source.file_id, number, entry)
    entry = as_columns_take(text, entry, kinds)
    named = ((name, reader.key(name)) for name in reader.columns)
    return None, {name: pruned(entry[key], kinds[key]) for name, key in named if key in entry}
