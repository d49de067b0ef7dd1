"""What a file is: its packing, its layout and its format, known by its beginning (`listing` says which files)."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from ..documents import did_you_mean, plain_names
from ..errors import UsageLogError
from .fast_json import TooMuchError, are_few, check_values, leading_documents, parsed_or_none
from .not_read import not_read
from .packing import BrokenOffError, Packing, packing_of, unpacked
from .parquet_columns import PARQUET_SCHEMA, top_level
from .reader import MAPPED, Layout, Reader, Sample
from .readers import READERS
from .torn_beginnings import is_document, is_torn
from .unfold import SQLITE, tables
from .zeros import ZERO, after_zeros, without_zeros

SAMPLED_RECORDS = 50
# A file is known by its beginning; where that is not enough, by more of it: the first lines may be long.
HEAD_BYTES = (256 * 1024, 4 * 1024 * 1024, 64 * 1024 * 1024)
FIRST_BYTES, FIRST_LINES = 32 * 1024, 8  # of a file that is probably like another
HEAD_CHARACTERS = 64 * 1024  # of text that is no JSON
MARK_BYTES = 4  # of a letter in UTF-32


@dataclass(frozen=True)
class LogFile:
    """A file to load. `named` files were asked for one by one: it is an error if one is no log.

    `size` is how much of it is read, hashed and remembered; where it `waits`, a last line after that has no end yet.
    """

    path: str
    named: bool
    size: int
    mtime_ns: int
    label: str  # as stored and shown: the path, or stdin and the beginning of its hash
    waits: bool = False
    ctime_ns: int = 0  # of a file on a disk: whoever replaces its content can set its mtime, not this
    reader: str | None = None  # where it is known before its content is

    @property
    def shown(self) -> str:
        """The path in UTF-8, where the file's own name is none."""
        return self.path if self.label == "stdin" else self.label


@dataclass(frozen=True)
class Format:
    """How to read a file: its reader, its bytes' layout, and how they are packed. `columns` are a table's, in order."""

    reader: Reader
    layout: Layout
    packing: Packing | None = None
    columns: tuple[str, ...] = ()
    delimiter: str = ","


def tell_format(
    file: LogFile, connection: duckdb.DuckDBPyConnection, forced: Reader | None = None, likely: Format | None = None
) -> Format | None:
    """The format of a file by its content, or None. `forced` overrides the reader, never the layout.

    `likely` is the format of a file before that has the same ending: its first lines will show whether this one has it
    too. Raises UsageLogError where the file cannot be read, or lacks a column that the reader needs.
    """
    if likely and not forced and _is_alike(file, likely):
        return likely
    document = False
    for size in HEAD_BYTES:
        if document and size < min(file.size, HEAD_BYTES[-1]):  # of one object, a part says nothing
            continue
        start, packing, cut = head(file, size)
        if not_read(start) or not (cut or _has_text(start)):
            return None
        if start[:4] == b"PAR1":
            names = top_level(_query(file, connection, PARQUET_SCHEMA, path=escaped(file.path)))
            return _format_of(Sample(file.path, "parquet", columns=frozenset(names)), forced, packing, names)
        if start.startswith(SQLITE):
            found = tables(Path(file.path)) if packing is None else ()
            return _format_of(Sample(file.path, "sqlite", columns=frozenset(found)), forced, packing)
        text = text_of(start)
        format = _format_of_text(file, text, cut, forced, packing)
        if format or not cut or not (file.named or b"{" in start):  # of a text in a folder, the beginning will do
            return format
        document = text[:1] == "{" and is_document(text)
    return None


def _is_alike(file: LogFile, format: Format) -> bool:
    """Whether one of the first lines shows that a file has this format, and no reader that comes before takes it."""
    reader = format.reader
    if format.layout != "ndjson" or format.packing or reader.needs or reader not in READERS:
        return False
    with Path(file.path).open("rb", buffering=0) as stream:
        first = stream.read(FIRST_BYTES)
    for line in first.split(b"\n", FIRST_LINES)[:FIRST_LINES]:
        record = parsed_or_none(line)
        if not isinstance(record, dict):  # cut, or no log of lines
            return False
        sample = Sample(file.path, "ndjson", (record,))
        if reader.recognises(sample):
            return next(other for other in READERS if other.recognises(sample)) is reader
    return False


def head(file: LogFile, size: int) -> tuple[bytes, Packing | None, bool]:
    """The first bytes of the content after zeros, at least so many if it has them; its packing; whether it goes on."""
    with Path(file.path).open("rb") as stream:
        zeros, start = after_zeros(stream, size)
        start += stream.read(size - len(start))
    if zeros < MARK_BYTES and not_read(bytes(zeros) + start):  # UTF-16 and UTF-32 begin so too
        zeros, start = 0, bytes(zeros) + start
    packing = None if zeros else packing_of(start)
    if packing is None:
        return start, None, file.size - zeros > len(start)
    content = bytearray()
    try:
        for piece in unpacked(file.path, packing, file.size):
            content += piece
            if content.startswith(ZERO) and not not_read(bytes(content)):
                content = content.lstrip(ZERO)
            if len(content) > size:
                return bytes(content), packing, True
    except BrokenOffError as error:
        if not content.strip():
            raise UsageLogError(f"the file cannot be unpacked: {error}", file=file.shown) from None
        return bytes(content), packing, True
    return bytes(content), packing, False


def text_of(content: bytes) -> str:
    """The text that a file begins with, from its first letter on."""
    return without_zeros(content).decode("utf-8-sig", "replace").lstrip("\ufeff \t\r\n")


def is_blank(file: LogFile) -> bool:
    """Whether a file holds nothing, or nothing but spaces and line ends; a packed one, when it is unpacked."""
    content, _, cut = head(file, FIRST_BYTES)
    return not (cut or _has_text(content))


def _has_text(content: bytes) -> bool:
    """Whether there is more than spaces and line ends."""
    return bool(content) and not content.isspace()


def _format_of_text(
    file: LogFile, text: str, cut: bool, forced: Reader | None, packing: Packing | None
) -> Format | None:
    if (text[:1] == "[" and not is_torn(text)) or (text[:1] == "{" and is_document(text)):
        try:
            if not are_few(len(text)):
                check_values(text.encode("utf-8", "replace"))
        except TooMuchError as error:
            raise UsageLogError(f"its beginning holds {error}", file=file.shown) from None
        records = _document_sample(file, text, cut)
        return None if cut and not records else _format_of(Sample(file.path, "json", records), forced, packing)
    records = _line_records(text, cut)
    if records:
        return _format_of(Sample(file.path, "ndjson", records), forced, packing)
    if text[:1] == "{":
        if cut:  # in its first line
            return None
        return _format_of(Sample(file.path, "ndjson"), forced, packing)  # that line is being written
    names, delimiter = _header(text)
    sample = Sample(file.path, "csv", columns=frozenset(names), head=text[:HEAD_CHARACTERS])
    return _format_of(sample, forced, packing, names, delimiter)


def _header(text: str) -> tuple[tuple[str, ...], str]:
    """The names in the first row of a CSV, and what stands between them; no names where it is none."""
    lines = StringIO(text, newline="")
    delimiter = max(",;\t|", key=next(lines, "").count)
    lines.seek(0)
    try:
        return tuple(name.strip() for name in next(csv.reader(lines, delimiter=delimiter), ())), delimiter
    except csv.Error:
        return (), delimiter


def _format_of(
    sample: Sample,
    forced: Reader | None,
    packing: Packing | None,
    columns: tuple[str, ...] = (),
    delimiter: str = ",",
) -> Format | None:
    table = sample.layout == "parquet"  # of which no document is unfolded
    known = (reader for reader in READERS if not (table and reader.unfold) and reader.recognises(sample))
    reader = forced or next(known, None)
    if reader is None:
        _refuse(sample)
    there = sample.columns or {name for record in sample.records for name in record}
    gone = next((name for name in reader.needs if name not in there), None) if reader else None
    if gone:
        near = did_you_mean(gone, plain_names(sorted(there)))
        constant = f" (a constant begins with a colon: :{gone})" if reader and reader.name == MAPPED else ""
        part = "table" if sample.layout == "sqlite" else "column"
        raise UsageLogError(f"there is no {part} {gone!r}{constant}{near}", file=sample.path)
    taken = map(reader.key, reader.columns) if reader else ()
    twice = next((name for name in taken if columns.count(name) > 1), None)
    if twice:
        raise UsageLogError(f"the column {twice!r} stands twice in the header", file=sample.path)
    if reader and reader.narrow and not forced and not packing:
        reader = reader.narrow(reader, sample)
    return Format(reader, _layout(sample, reader), packing, columns, delimiter) if reader else None


def _refuse(sample: Sample) -> None:
    from .readers.refused import refusal  # only for what no reader takes

    if why := refusal(sample):
        raise UsageLogError(why, file=sample.path)


def _layout(sample: Sample, reader: Reader) -> Layout:
    """The layout, but that a page of an API is a document even in one line."""
    paged = any(isinstance(record.get(key), list) for record in sample.records for key in reader.pages)
    return "json" if paged and sample.layout == "ndjson" else sample.layout


def _query(file: LogFile, connection: duckdb.DuckDBPyConnection, sql: str, **parameters: object) -> list[Any]:
    try:
        return connection.execute(sql, parameters).fetchall()
    except duckdb.Error as error:
        raise UsageLogError(f"the file cannot be read: {str(error).splitlines()[0]}", file=file.shown) from None


def records_of(file: LogFile) -> tuple[dict[str, Any], ...]:
    """The first JSON objects of a file of text: its lines, or what its document holds."""
    start, _, cut = head(file, HEAD_BYTES[0])
    text = text_of(start)
    return _line_records(text, cut) or _document_records(text, cut)


def _line_records(text: str, cut: bool) -> tuple[dict[str, Any], ...]:
    """The lines that are JSON objects by themselves; the last may be cut."""
    lines = text.split("\n")
    whole = (line for line in (lines[:-1] if cut else lines) if line.lstrip()[:1] == "{")
    records = (parsed_or_none(line) for line, _ in zip(whole, range(SAMPLED_RECORDS), strict=False))
    return tuple(record for record in records if isinstance(record, dict))


def _document_sample(file: LogFile, text: str, cut: bool) -> tuple[dict[str, Any], ...]:
    """The objects of a JSON document, with the first items of its lists where these show the format."""
    if text[:1] == "{" and not cut:
        short = _shortened(text)
        records = (short,) if isinstance(short, dict) else ()
        if records and any(reader.recognises(Sample(file.path, "json", records)) for reader in READERS):
            return records
    return _document_records(text, cut)


def _shortened(text: str | memoryview) -> Any:
    """The value of a JSON text of which lists have no more items than a sample: the rest is skipped, not read."""
    if len(text) < FIRST_BYTES:
        return parsed_or_none(text if isinstance(text, str) else bytes(text))
    try:
        parts = msgspec.json.decode(text, type=dict[str, msgspec.Raw] | list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    if isinstance(parts, list):
        return [_shortened(memoryview(part)) for part in parts[:SAMPLED_RECORDS]]
    return {key: _shortened(memoryview(part)) for key, part in parts.items()}


def _document_records(text: str, cut: bool) -> tuple[dict[str, Any], ...]:
    """The objects of a JSON document, or of the array that it is; of an array cut short, the whole ones."""
    whole = None if cut or text[:1] == "[" else parsed_or_none(text)
    found = whole if isinstance(whole, list) else [whole] if whole is not None else _leading_items(text)
    found = found or [item for item, _ in islice(leading_documents(text), SAMPLED_RECORDS)]
    flat = (one for item in found for one in (item if isinstance(item, list) else (item,)))  # Zipkin's list of traces
    return tuple(item for item in islice(flat, SAMPLED_RECORDS) if isinstance(item, dict))


def _leading_items(text: str) -> list[Any]:
    items: list[Any] = []
    decoder, place = json.JSONDecoder(), 1
    try:
        while text[0] == "[" and len(items) < SAMPLED_RECORDS:
            while text[place] in " \t\r\n,":
                place += 1
            item, place = decoder.raw_decode(text, place)
            items.append(item)
    except (ValueError, IndexError, RecursionError):
        pass
    return items


def reader_named(name: str) -> Reader:
    """The reader of that name; raises UsageLogError with the names there are."""
    for reader in READERS:
        if reader.name == name:
            return reader
    known = [reader.name for reader in READERS]
    raise UsageLogError(f"{name!r} is no known format{did_you_mean(name, known)}", key="--log-format")


def escaped(path: str) -> str:
    """A path that DuckDB takes as it is: its glob characters stand for themselves.

    It splits a pattern at backslashes too: where a path has both, a link to it is read (`listing.linked`).
    """
    return "".join(f"[{char}]" if char in "*?[" else char for char in path)
