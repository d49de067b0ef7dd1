"""What to say of a file that no reader takes: what it looks like, the nearest format, and what to do."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from .fast_json import leading_documents
from .files import LogFile, head, text_of
from .not_read import not_read
from .packing import broken_off
from .reader import Reader, Sample
from .readers import READERS
from .readers.refused import companion
from .sqlite_guard import damaged
from .unfold import SQLITE, damage, tables

HEAD_BYTES = 256 * 1024
SHOWN = 5
RECORDS = 20
NEAR = 0.5  # of what a format's records have
ADVICE = "name its columns with --map, or see docs/formats.md for the formats and how to export them"


def message(file: LogFile) -> str:
    """One line about a file that was named and is no known log."""
    content, packing, _ = head(file, HEAD_BYTES)
    if other := not_read(content):
        return f"this is {other.what}{f', within {packing}' if packing else ''}: {other.way_out}"
    if packing and (why := broken_off(file.path, packing, file.size, HEAD_BYTES)):
        return f"the file cannot be unpacked: {why}"
    sample = looked_at(file)
    if sample.layout == "sqlite" and packing:
        return "this is a packed database: unpack it first"
    if sample.layout == "sqlite" and (why := damage(Path(file.path))):
        return damaged(why)
    if why := companion(sample):
        return f"this is no log that costsim knows: {why}"
    return f"this is no log that costsim knows: {looks(sample)}{_near(sample)}; {ADVICE}"


def looked_at(file: LogFile) -> Sample:
    """The beginning of a file, whatever it is."""
    content, packing, _ = head(file, HEAD_BYTES)
    if content.startswith(SQLITE):
        return Sample(file.path, "sqlite", columns=frozenset(tables(Path(file.path)) if packing is None else ()))
    text = text_of(content).rstrip()
    if text[:1] in ("{", "["):
        return _of_json(file.path, text)
    first = text.partition("\n")[0]
    delimiter = max(",;\t|", key=first.count)
    names = _names(first, delimiter) if delimiter in first and "\0" not in first else []
    return Sample(file.path, "csv", columns=frozenset(name.strip() for name in names), head=text)


def _names(first: str, delimiter: str) -> list[str]:
    """The columns that a first line names; none where it is no CSV, or one column is longer than `csv` takes."""
    try:
        return next(csv.reader([first.partition("\r")[0]], delimiter=delimiter), [])
    except csv.Error:
        return []


def _of_json(path: str, text: str) -> Sample:
    documents = [item for item, _ in islice(leading_documents(text), RECORDS)]
    lines = len(documents) > 1
    records = documents[0][:RECORDS] if len(documents) == 1 and isinstance(documents[0], list) else documents
    return Sample(path, "ndjson" if lines else "json", tuple(one for one in records if isinstance(one, dict)))


def looks(sample: Sample) -> str:
    """What a file looks like, in a few words."""
    match sample.layout:
        case "sqlite":
            return f"an SQLite database with {_listed('table', sample.columns)}"
        case "csv" if len(sample.columns) > 1:
            return f"a table with {_listed('column', sample.columns)}"
        case "csv":
            return "a file with bytes that are no text" if "\0" in sample.head or "�" in sample.head else "a text"
    kind = "JSON lines" if sample.layout == "ndjson" else "a JSON document"
    keys = {key: None for record in sample.records for key in record}
    return f"{kind} with {_listed('key', keys)}" if keys else "JSON without objects, or a broken one"


def _listed(what: str, names: Iterable[str]) -> str:
    listed = [json.dumps(name, ensure_ascii=True)[1:-1][:30] for name in sorted(names)]
    if not listed:
        return f"no {what}"
    more = ", …" if len(listed) > SHOWN else ""
    return f"the {what}{'s' * (len(listed) > 1)} {', '.join(listed[:SHOWN])}{more}"


def _near(sample: Sample) -> str:
    """The format whose counts stand in the file, else the one that shares most of its columns, if one shares many."""
    there = sample.columns or {key for record in sample.records for key in record}
    near = max(READERS, key=lambda reader: (_counts(reader, sample), _share(reader, there)))
    if _share(near, there) < NEAR and not _counts(near, sample):
        return ""
    return f", nearest to {near.name} (--log-format {near.name} reads it as such)"


def _counts(reader: Reader, sample: Sample) -> int:
    """How many of a format's counts stand in records where it reads them; of one or none, nothing is said."""
    deep = [path for path in reader.counted if "." in path and not reader.unfold]
    found = sum(sample.has(path) for path in deep) if sample.layout in ("json", "ndjson") else 0
    return found if found > 1 else 0


def _share(reader: Reader, there: Iterable[str]) -> float:
    columns = {reader.key(name) for name in reader.columns}
    shared = columns & {*there}
    return len(shared) / len(columns) if len(shared) > 1 else 0.0
