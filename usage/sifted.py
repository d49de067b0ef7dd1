"""Files of a format whose lines can be known by their bytes: sifted in threads while DuckDB reads what was sifted."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from .fingerprint import BUFFER_BYTES, ENDLESS, Fingerprint, fingerprint, fingerprint_of_lines
from .garbage_collection import without_collection
from .known_shapes import KnownShapes
from .sieve import Sieve
from .source import Source

if TYPE_CHECKING:
    from concurrent.futures import Executor

PART_BYTES = 48 * 1024 * 1024  # to be read at once, while the next part is sifted
FILE_KEY = f"costsim {secrets.token_hex(8)}"  # no log can know it, and give its lines to another file


@dataclass(frozen=True)
class Portion:
    """Some files of a batch as DuckDB is to read them: `plain` ones as they are, of the others the lines in `taken`.

    `torn` ones have to be read line by line. A reading that lost nothing yields `rows` lines.
    """

    plain: Sequence[Source]
    rows: Callable[[], int]
    taken: Path | None = None
    sifted: Sequence[Source] = ()
    torn: Sequence[Source] = ()

    @property
    def read(self) -> list[Source]:
        """The files that DuckDB reads."""
        return [*self.plain, *self.sifted]


@contextmanager
def sifting(sources: Sequence[Source], spool: Path, prints: dict[int, Fingerprint]) -> Iterator[Iterator[Portion]]:
    """The parts of these files, each when it is sifted; `prints` gets their fingerprints."""
    portions = _portions(sources, spool, prints)
    if sum(source.file.size for source in sources) < PART_BYTES:
        yield portions
        return
    from concurrent.futures import ThreadPoolExecutor  # loads logging: not for a few new lines

    with ThreadPoolExecutor(1) as pool, without_collection():
        yield _ahead(pool, portions)


def _ahead(pool: Executor, portions: Iterator[Portion]) -> Iterator[Portion]:
    """Each portion, while the next one is sifted."""
    coming = pool.submit(next, portions, None)
    while portion := coming.result():
        coming = pool.submit(next, portions, None)
        yield portion


def _portions(sources: Sequence[Source], spool: Path, prints: dict[int, Fingerprint]) -> Iterator[Portion]:
    """Files together until there is enough to read: DuckDB plans a statement for each portion."""
    known, buffer = KnownShapes(sources[0].watch), bytearray(BUFFER_BYTES)
    rest = iter(sources)
    while first := next(rest, None):
        yield _portion(chain([first], rest), spool / f"{first.file_id}.taken", known, prints, buffer)


def _portion(
    rest: Iterator[Source], taken: Path, known: KnownShapes, prints: dict[int, Fingerprint], buffer: bytearray
) -> Portion:
    """The next files, whose lines to read go to `taken`."""
    pairs: list[tuple[Source, Sieve]] = []
    whole = 0  # bytes of files that are read as they are
    with taken.open("wb") as out:
        for source in rest:
            sieve, prints[source.file_id] = _sieved(source, known, buffer)
            pairs.append((source, sieve))
            if sieve.taken:
                first = b'{"%s":%d,' % (FILE_KEY.encode(), source.file_id)
                out.writelines((first, (b"\n" + first).join(sieve.taken), b"\n"))
                sieve.taken = []
            whole += source.file.size if sieve.dense or sieve.torn else 0
            if out.tell() + whole >= PART_BYTES:
                break
        written = out.tell()
    rows = sum(sieve.rows for _, sieve in pairs)
    return Portion(
        [source for source, sieve in pairs if sieve.dense and not sieve.torn],
        lambda: rows,
        taken if written else None,
        [source for source, sieve in pairs if sieve.rows and not sieve.dense],
        [source for source, sieve in pairs if sieve.torn],
    )


def _sieved(source: Source, known: KnownShapes, buffer: bytearray) -> tuple[Sieve, Fingerprint]:
    sieve = Sieve(source.watch, source.file_id, known)
    path, size = (source.own, source.file.size) if source.content is None else (str(source.content), ENDLESS)
    if source.tail:
        path, size = str(source.tail.path), ENDLESS
    content_hash = fingerprint_of_lines(path, sieve.feed, size, buffer)
    sieve.finish(path)
    if source.tail:
        return sieve, source.tail.fingerprint
    if source.content:
        content_hash = fingerprint(source.own, size=source.file.size).content_hash
    return sieve, Fingerprint(content_hash, sieve.lines)
