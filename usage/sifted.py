"""Files of a format whose lines can be known by their bytes: sifted in threads while DuckDB reads what was sifted."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .fingerprint import ENDLESS, Fingerprint, fingerprint, fingerprint_of_lines
from .known_shapes import KnownShapes
from .sieve import Sieve
from .source import Source

PART_BYTES = 64 * 1024 * 1024  # sifted, then read while the next part is sifted
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


Sifted = tuple[Portion, dict[int, Fingerprint]]


@contextmanager
def sifting(sources: Sequence[Source], spool: Path, prints: dict[int, Fingerprint]) -> Iterator[Iterator[Portion]]:
    """The parts of these files, each when it is sifted; `prints` gets their fingerprints."""
    known = KnownShapes(sources[0].watch)
    groups = list(_groups(sources))
    if len(groups) == 1:
        yield _noted(iter([_sift(groups[0], spool, known)]), prints)
        return
    from concurrent.futures import ThreadPoolExecutor  # loads logging: not for a few new lines

    with ThreadPoolExecutor(1) as pool:
        parts = [pool.submit(_sift, group, spool, known) for group in groups]
        try:
            yield _noted((part.result() for part in parts), prints)
        finally:
            for part in parts:
                part.cancel()


def _noted(parts: Iterator[Sifted], prints: dict[int, Fingerprint]) -> Iterator[Portion]:
    for part, found in parts:
        prints.update(found)
        yield part


def _groups(sources: Sequence[Source]) -> Iterator[list[Source]]:
    group: list[Source] = []
    size = 0
    for source in sources:
        group.append(source)
        size += source.file.size
        if size >= PART_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _sift(sources: Sequence[Source], spool: Path, known: KnownShapes) -> Sifted:
    taken = spool / f"{sources[0].file_id}.taken"
    prints: dict[int, Fingerprint] = {}
    sieves = []
    with taken.open("wb") as out:
        for source in sources:
            sieve, prints[source.file_id] = _sieved(source, known)
            sieves.append(sieve)
            if sieve.taken:
                first = b'{"%s":%d,' % (FILE_KEY.encode(), source.file_id)
                out.write(first + (b"\n" + first).join(sieve.taken) + b"\n")
                sieve.taken = []
        written = out.tell()
    pairs = list(zip(sources, sieves, strict=True))
    rows = sum(sieve.rows for sieve in sieves)
    part = Portion(
        [source for source, sieve in pairs if sieve.dense and not sieve.torn],
        lambda: rows,
        taken if written else None,
        [source for source, sieve in pairs if sieve.rows and not sieve.dense],
        [source for source, sieve in pairs if sieve.torn],
    )
    return part, prints


def _sieved(source: Source, known: KnownShapes) -> tuple[Sieve, Fingerprint]:
    sieve = Sieve(source.watch, source.file_id, known)
    path, size = (source.own, source.file.size) if source.content is None else (str(source.content), ENDLESS)
    if source.tail:
        path, size = str(source.tail.path), ENDLESS
    content_hash = fingerprint_of_lines(path, sieve.feed, size)
    sieve.finish(path)
    if source.tail:
        return sieve, source.tail.fingerprint
    if source.content:
        content_hash = fingerprint(source.own, size=source.file.size).content_hash
    return sieve, Fingerprint(content_hash, sieve.lines)
