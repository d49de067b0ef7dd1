"""CSV files that people export: rows with their line numbers, so that an error can name file and line."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TextIO

from .documents import MAX_BYTES, check_regular
from .errors import InputError

Row = dict[str, str]


def read_csv(file: Path) -> tuple[list[str], Iterator[tuple[int, Row]]]:
    """The header, and the rows as (line, {column: text}); blank lines are skipped, texts are stripped.

    Raises InputError where the file is missing or not UTF-8, a column stands twice, or a row has not as many
    fields as the header; the latter while iterating.
    """
    lines = _records(file)
    _, header = next(lines, (1, []))
    header = [name.strip() for name in header]
    if not header:
        raise InputError("the file is empty; its first line must name the columns", file=file)
    twice = next((name for name, count in Counter(header).items() if count > 1), None)
    if twice is not None:
        raise InputError(f"the column {twice!r} stands twice", file=file, line=1)
    return header, _rows(file, header, lines)


def _rows(file: Path, header: list[str], records: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, Row]]:
    for line, fields in records:
        if len(fields) != len(header):
            message = f"{len(fields)} fields, but the header names {len(header)} columns"
            raise InputError(message, file=file, line=line)
        yield line, {name: text.strip() for name, text in zip(header, fields, strict=True)}


def _records(file: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        check_regular(file)
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(_lines(stream, file), strict=True)
            for fields in reader:
                if fields:
                    yield reader.line_num, fields
    except FileNotFoundError:
        raise InputError("there is no such file", file=file) from None
    except IsADirectoryError:
        raise InputError("this is a folder, not a file", file=file) from None
    except UnicodeDecodeError:
        raise InputError("this is not UTF-8 text; save the file as UTF-8", file=file) from None
    except csv.Error as error:
        raise InputError(f"this is not CSV: {error}", file=file, line=reader.line_num) from None
    except OSError as error:
        raise InputError(f"the file cannot be read: {error.strerror}", file=file) from None


def _lines(stream: TextIO, file: Path) -> Iterator[str]:
    """The lines; one that is too long is refused before it fills the memory."""
    while line := stream.readline(MAX_BYTES + 1):
        if len(line) > MAX_BYTES:
            raise InputError(f"a line is longer than {MAX_BYTES // 2**20} Mi characters", file=file)
        yield line


def decimal_of(text: str, file: Path, line: int, column: str) -> Decimal:
    """`text` as a finite Decimal; raises InputError that names file, line and column."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise InputError(f"{text!r} is not a number", file=file, line=line, key=column) from None
    if not number.is_finite() or number.adjusted() > 30 or number.adjusted() < -30:
        raise InputError(f"{text!r} is not a usable number", file=file, line=line, key=column)
    return number
