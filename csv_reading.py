"""CSV files that people export: rows with their line numbers, so that an error can name file and line."""

from __future__ import annotations

import csv
import os
import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TextIO

from .documents import MAX_BYTES, check_regular, shown_name
from .errors import InputError

Row = dict[str, str]
FRESH_SECONDS = 10
"""A file that was written to within this time may still be being written."""


def read_csv(file: Path, growing: bool = False) -> tuple[list[str], Iterator[tuple[int, Row]]]:
    """The header, and the rows as (line, {column: text}); blank lines are skipped, texts are stripped. Of a `growing`
    file, which a program may be writing to, the whole lines (`whole_lines`).

    Raises InputError where the file is missing or not UTF-8, a column stands twice, or a row has not as many
    fields as the header; the latter while iterating.
    """
    lines = _records(file, growing)
    _, header = next(lines, (1, []))
    header = [name.strip() for name in header]
    if not header:
        raise InputError("the file is empty; its first line must name the columns", file=file)
    twice = next((name for name, count in Counter(header).items() if count > 1), None)
    if twice is not None:
        raise InputError(f"the column {shown_name(twice)} stands twice", file=file, line=1)
    return header, _rows(file, header, lines)


def _rows(file: Path, header: list[str], records: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, Row]]:
    for line, fields in records:
        if len(fields) != len(header):
            message = f"{len(fields)} fields, but the header names {len(header)} columns"
            raise InputError(message, file=file, line=line)
        yield line, {name: text.strip() for name, text in zip(header, fields, strict=True)}


def _records(file: Path, growing: bool) -> Iterator[tuple[int, list[str]]]:
    try:
        check_regular(file)
        with file.open(encoding="utf-8-sig", newline="") as stream:
            lines = bounded_lines(stream, file)
            reader = csv.reader(whole_lines(stream, lines) if growing else lines, strict=True)
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


def bounded_lines(stream: TextIO, file: Path) -> Iterator[str]:
    """The lines; one that is too long is refused before it fills the memory."""
    while line := stream.readline(MAX_BYTES + 1):
        if len(line) > MAX_BYTES:
            raise InputError(f"a line is longer than {MAX_BYTES // 2**20} Mi characters", file=file)
        yield line


def whole_lines(stream: TextIO, lines: Iterator[str]) -> Iterator[str]:
    """The lines that a file had when it was opened; of a file that was just written to, not a last one without its line
    end: it may be half written, and look whole."""
    looked = os.fstat(stream.fileno())
    left = looked.st_size
    for line in lines:
        left -= len(line.encode())
        ended = line.endswith(("\n", "\r")) or not _is_fresh(looked)
        if left < 0 or not ended:
            return
        yield line


def last_line_waits(file: Path) -> bool:
    """Whether `whole_lines` leaves out the last line of a file."""
    looked = file.stat()
    if not (looked.st_size and _is_fresh(looked)):
        return False
    with file.open("rb") as stream:
        stream.seek(-1, os.SEEK_END)
        return stream.read(1) not in b"\r\n"


def _is_fresh(looked: os.stat_result) -> bool:
    return time.time() - looked.st_mtime < FRESH_SECONDS


def decimal_of(text: str, file: Path, line: int, column: str) -> Decimal:
    """`text` as a finite Decimal; raises InputError that names file, line and column."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise InputError(f"{text!r} is not a number", file=file, line=line, key=column) from None
    if not number.is_finite() or number.adjusted() > 30 or number.adjusted() < -30:
        raise InputError(f"{text!r} is not a usable number", file=file, line=line, key=column)
    return number
