"""Which files to load, and what they are: paths, folders, globs, the standard input; layout and format."""

from __future__ import annotations

import contextlib
import csv
import glob
import gzip
import json
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from ..documents import did_you_mean
from ..errors import UsageLogError
from .reader import Layout, Reader, Sample
from .readers import READERS

SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
PACKED = (".gz", ".zst")
HEAD_BYTES = 256 * 1024
HEAD_LINES = 2_000
SAMPLED_RECORDS = 50
WHOLE_BYTES = 64 * 1024 * 1024  # a JSON document that is not one record a line is sampled whole, up to this
STDIN = "-"

READ_HEAD = """
SELECT line FROM read_csv($path, columns = {'line': 'VARCHAR'}, compression = 'zstd', header = false,
    auto_detect = false, delim = '\x01', quote = '', escape = '', strict_mode = false, ignore_errors = true)
LIMIT $lines
"""
PARQUET_COLUMNS = "SELECT DISTINCT column_name FROM (DESCRIBE SELECT * FROM read_parquet($path))"


@dataclass(frozen=True)
class LogFile:
    """A file to load. `named` files were asked for one by one: it is an error if one is no log."""

    path: str
    named: bool
    size: int
    mtime_ns: int
    label: str  # as stored and shown: the path, or stdin and the beginning of its hash


@dataclass(frozen=True)
class Format:
    """How to read a file: its reader, and its bytes' layout. `columns` are a CSV's or Parquet's, in order."""

    reader: Reader
    layout: Layout
    compression: str
    columns: tuple[str, ...] = ()
    delimiter: str = ","


def find_files(paths: Sequence[str | Path], spool: Path) -> list[LogFile]:
    """The files that `paths` name, each once, sorted; `-` is the standard input, copied to the folder `spool`.

    A folder stands for the logs anywhere beneath it, by their endings. Raises UsageLogError for what is not there.
    """
    found: dict[str, LogFile] = {}
    for path in paths:
        for file, named in _expand(str(path), spool):
            real = str(file.resolve() if named or file.is_symlink() else file)
            if real not in found or named:
                found[real] = _log_file(file, real, named, str(path) == STDIN)
    return [found[real] for real in sorted(found)]


def _log_file(file: Path, real: str, named: bool, stdin: bool) -> LogFile:
    try:
        stat = file.stat()
        with file.open("rb"):
            pass
    except OSError as error:
        raise UsageLogError(f"the file cannot be read: {error.strerror}", file=file) from None
    return LogFile(real, named, stat.st_size, stat.st_mtime_ns, "stdin" if stdin else real)


def _expand(path: str, spool: Path) -> Iterator[tuple[Path, bool]]:
    if path == STDIN:
        yield _spooled(spool), True
    elif Path(path).is_dir():
        yield from ((file, False) for file in Path(path).resolve().rglob("*") if _is_log(file))
    elif Path(path).exists():
        yield Path(path), True
    else:
        matches = [Path(match).resolve() for match in glob.glob(path, recursive=True)]
        if not matches:
            raise UsageLogError("there is no such file, folder or match", file=path)
        yield from ((match, False) for match in matches if match.is_file())


def _is_log(file: Path) -> bool:
    name = file.name.lower()
    for packing in PACKED:
        name = name.removesuffix(packing)
    return name.endswith(SUFFIXES) and file.is_file()


def _spooled(spool: Path) -> Path:
    with tempfile.NamedTemporaryFile(dir=spool, delete=False) as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy)
    return Path(copy.name)


def tell_format(file: LogFile, connection: duckdb.DuckDBPyConnection, forced: Reader | None = None) -> Format | None:
    """The format of a file by its content, or None. `forced` overrides the reader, never the layout."""
    head = _head_bytes(file)
    compression = _compression(head)
    if head[:4] == b"PAR1":
        names = tuple(name for (name,) in _query(file, connection, PARQUET_COLUMNS, path=escaped(file.path)))
        return _told(Sample(file.path, "parquet", columns=frozenset(names)), forced, compression, names)
    text = head.decode("utf-8-sig", "replace")
    if compression == "gzip":
        text = _unzipped_head(file).decode("utf-8-sig", "replace")
    elif compression == "zstd":
        lines = _query(file, connection, READ_HEAD, path=escaped(file.path), lines=HEAD_LINES)
        text = "\n".join(line or "" for (line,) in lines)
    return _told_by_text(file, text.lstrip("\ufeff \t\r\n"), forced, compression)


def _told_by_text(file: LogFile, text: str, forced: Reader | None, compression: str) -> Format | None:
    records = _line_records(text)
    if records:
        return _told(Sample(file.path, "ndjson", records), forced, compression)
    if text[:1] in ("{", "["):
        records = _document_records(text if compression != "none" else _whole(file))
        layout: Layout = "json" if records or not _is_torn_line(text) else "ndjson"
        return _told(Sample(file.path, layout, records), forced, compression)
    header = text.split("\n", 1)[0].rstrip("\r")
    delimiter = max(",;\t|", key=header.count)
    names = tuple(next(csv.reader([header], delimiter=delimiter), ()))
    sample = Sample(file.path, "csv", columns=frozenset(names))
    return _told(sample, forced, compression, names, delimiter)


def _told(
    sample: Sample, forced: Reader | None, compression: str, columns: tuple[str, ...] = (), delimiter: str = ","
) -> Format | None:
    reader = forced or next((reader for reader in READERS if reader.recognises(sample)), None)
    there = sample.columns or {name for record in sample.records for name in record}
    gone = next((name for name in reader.needs if name not in there), None) if reader else None
    if gone:
        raise UsageLogError(f"there is no column {gone!r}{did_you_mean(gone, sorted(there))}", file=sample.path)
    return Format(reader, sample.layout, compression, columns, delimiter) if reader else None


def _head_bytes(file: LogFile) -> bytes:
    with Path(file.path).open("rb") as stream:
        return stream.read(HEAD_BYTES)


def _unzipped_head(file: LogFile) -> bytes:
    """As much of the beginning as can be read: the file may break off."""
    head = b""
    with contextlib.suppress(OSError, EOFError, zlib.error), gzip.open(file.path) as stream:
        while len(head) < HEAD_BYTES and (chunk := stream.read1(HEAD_BYTES)):
            head += chunk
    return head


def _compression(head: bytes) -> str:
    if head[:2] == b"\x1f\x8b":
        return "gzip"
    return "zstd" if head[:4] == b"\x28\xb5\x2f\xfd" else "none"


def _query(file: LogFile, connection: duckdb.DuckDBPyConnection, sql: str, **parameters: object) -> list[Any]:
    try:
        return connection.execute(sql, parameters).fetchall()
    except duckdb.Error as error:
        raise UsageLogError(f"the file cannot be read: {str(error).splitlines()[0]}", file=file.path) from None


def _line_records(text: str) -> tuple[dict[str, Any], ...]:
    """The lines that are JSON objects by themselves."""
    lines = (line for line in text.split("\n") if line.lstrip()[:1] == "{")
    records = (_loads(line) for line, _ in zip(lines, range(SAMPLED_RECORDS), strict=False))
    return tuple(record for record in records if isinstance(record, dict))


def _document_records(text: str) -> tuple[dict[str, Any], ...]:
    """The objects of a JSON document, or of the array that it is; of one cut short, the whole ones."""
    whole = _loads(text)
    found = whole if isinstance(whole, list) else [whole] if whole is not None else _leading_items(text)
    return tuple(item for item in found[:SAMPLED_RECORDS] if isinstance(item, dict))


def _leading_items(text: str) -> list[Any]:
    items: list[Any] = []
    decoder, place = json.JSONDecoder(), 1 if text[:1] == "[" else 0
    try:
        while len(items) < SAMPLED_RECORDS:
            while text[place] in " \t\r\n,":
                place += 1
            item, place = decoder.raw_decode(text, place)
            items.append(item)
    except (ValueError, IndexError, RecursionError):
        pass
    return items


def _is_torn_line(text: str) -> bool:
    """One unfinished line: a JSON Lines file whose first entry is still being written."""
    return text.startswith("{") and "\n" not in text.strip()


def _loads(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _whole(file: LogFile) -> str:
    with Path(file.path).open("rb") as stream:
        return stream.read(WHOLE_BYTES).decode("utf-8-sig", "replace").strip()


def reader_named(name: str) -> Reader:
    """The reader of that name; raises UsageLogError with the names there are."""
    for reader in READERS:
        if reader.name == name:
            return reader
    known = [reader.name for reader in READERS]
    raise UsageLogError(f"{name!r} is no known format{did_you_mean(name, known)}", key="--format")


def escaped(path: str) -> str:
    """A path that DuckDB takes as it is: its glob characters stand for themselves."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in path)
