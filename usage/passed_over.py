"""Files of a folder that are no logs: what they are, by their first bytes, and how many a load passed over."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..plurals import counted
from .not_read import not_read
from .packing import BrokenOffError, Packing, broken_off, packing_of, unpacked
from .unfold import SQLITE, damage
from .zeros import ZERO, after_zeros

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FIRST_BYTES = 4096
TABLE, NO_FORMAT, CANNOT_READ = "a table of no known format", "no known format", "cannot be read"
DATABASE, UNPACKED = "a database of no known format", "packed, of no known format"
EMPTY = "empty"
DAMAGED, BROKEN_OFF = "a damaged database: copy it again", "packed, and cut or damaged: copy it again"
MAY_BE_LOGS = (TABLE, NO_FORMAT, CANNOT_READ, DATABASE, DAMAGED, BROKEN_OFF, UNPACKED)
NAMED = (TABLE, NO_FORMAT, DAMAGED, BROKEN_OFF)

MAGIC: dict[bytes, str] = {
    b"\x89PNG": "an image", b"\xff\xd8\xff": "an image", b"GIF8": "an image", b"BM": "an image",
    b"\0\0\1\0": "an image", b"II*\0": "an image", b"MM\0*": "an image", b"RIFF": "an image or a recording",
    b"ID3": "a recording", b"OggS": "a recording", b"fLaC": "a recording",
    b"%PDF": "a document", b"{\\rtf": "a document",
    b"\x7fELF": "a program", b"MZ": "a program", b"\xca\xfe\xba\xbe": "a program", b"\xcf\xfa\xed\xfe": "a program",
    b"\0asm": "a program", b"#!": "a program", b"wOFF": "a font", b"wOF2": "a font",
    b"\xd9\xd5\x05\xf9": "part of a database",
    b"\x37\x7f\x06\x82": "part of a database", b"\x37\x7f\x06\x83": "part of a database",
    SQLITE: DATABASE, b"PAR1": TABLE,
    b"-----BEGIN": "a key or certificate",
}  # fmt: skip
SETTINGS = (".toml", ".yaml", ".yml", ".ini", ".conf", ".cfg", ".env", ".lock", ".properties")
SETTINGS_NAMES = ("settings", "config", "package", "manifest", "preferences", "credentials")
TEXTS = (".md", ".rst", ".html", ".css", ".py", ".js", ".ts", ".sh", ".sql", ".svg", ".xml", ".rs", ".go", ".java")

KEEP = "INSERT OR REPLACE INTO passed_over SELECT unnest(?), unnest(?)"
FORGET = "DELETE FROM passed_over WHERE path IN (SELECT unnest(?::VARCHAR[]))"
COUNT = "SELECT reason, count(*) FROM passed_over GROUP BY ALL ORDER BY 2 DESC, 1"


def files_below(folder: Path, unread: list[Path]) -> Iterator[Path]:
    """Everything below a folder that is no folder, in no order; links to folders are not followed.

    Folders that cannot be read are added to `unread`.
    """
    for parent, _, names in os.walk(folder, onerror=lambda error: unread.append(Path(error.filename))):
        for name in names:
            yield Path(parent, name)


def no_log(file: Path) -> str | None:
    """Why a file can be no log, by its first bytes; None where it has to be looked at further."""
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            return "no regular file"
        with file.open("rb") as stream:
            head = stream.read(FIRST_BYTES)
    except OSError as error:
        return f"{CANNOT_READ} ({error.strerror})"
    if packing_of(head) or head.startswith((b"SQLite", b"PAR1")):
        return None
    return _by_bytes(head)


def what_else(file: Path) -> str:
    """What a file is that could have been a log and is none."""
    try:
        with file.open("rb") as stream:
            head = stream.read(FIRST_BYTES)
            head = head if head.strip(ZERO) else after_zeros(stream, FIRST_BYTES)[1]
    except OSError:
        return CANNOT_READ
    if packing := packing_of(head):
        if other := not_read(_content(file, packing)):
            return f"{other.kind}, packed"
        return BROKEN_OFF if broken_off(str(file), packing, file.stat().st_size, FIRST_BYTES) else UNPACKED
    if head.startswith(SQLITE) and damage(file):
        return DAMAGED
    return _by_bytes(head) or _by_name(file) or (TABLE if _is_table(head) else NO_FORMAT)


def _content(file: Path, packing: Packing) -> bytes:
    """The beginning of what a packed file holds."""
    content = b""
    with suppress(BrokenOffError, OSError):
        for piece in unpacked(str(file), packing, file.stat().st_size):
            content += piece
            if len(content) > FIRST_BYTES:
                break
    return content


def _by_bytes(head: bytes) -> str | None:
    if not head.strip():
        return EMPTY
    if other := not_read(head):
        return other.kind
    if head[8:12] == b"DUCK":
        return "a DuckDB database"
    kind = next((kind for magic, kind in MAGIC.items() if head.startswith(magic)), None)
    return kind or ("binary" if ZERO in head.lstrip(ZERO) else None)  # a text may begin with zeros


def _by_name(file: Path) -> str | None:
    name = file.name.lower()
    if name.endswith(SETTINGS) or (name.endswith(".json") and any(part in name for part in SETTINGS_NAMES)):
        return "settings"
    return "a text or program" if name.endswith(TEXTS) else None


def _is_table(head: bytes) -> bool:
    """Whether the first two whole lines have as many separators, and at least one."""
    first, second, *_ = [*head.splitlines(), b"", b""]
    return any(first.count(separator) == second.count(separator) > 0 for separator in (b",", b";", b"\t"))


def keep(store: DuckDBPyConnection, passed: Mapping[str, str], read: Sequence[str]) -> None:
    """Keep in the store which files were passed over, and that those now read are not; nor those that have gone."""
    store.execute(FORGET, [list(read)])
    there = {path: why for path, why in passed.items() if not why.startswith(CANNOT_READ) or os.path.lexists(path)}
    if there:
        store.execute(KEEP, [list(there), list(there.values())])


def counts(store: DuckDBPyConnection) -> dict[str, int]:
    """How many files were passed over for which reason, the commonest first."""
    return dict(store.execute(COUNT).fetchall())


def line(passed: Mapping[str, str], shown: int = 5) -> str:
    """The files in words, by reason, with the names of those whose format is not known or that cannot be read."""
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in Counter(passed.values()).most_common())
    unknown = [Path(path).name for path, why in sorted(passed.items()) if why in NAMED or why.startswith(CANNOT_READ)]
    named = f": {', '.join(unknown[:shown])}{', …' * (len(unknown) > shown)}" if unknown else ""
    hint = " (a table of yours needs --map)" if TABLE in passed.values() else ""
    return f"{counted(len(passed), 'file')} passed over ({reasons}){named}{hint}"
