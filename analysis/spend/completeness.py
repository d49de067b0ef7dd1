"""How complete each source is: a score with its reasons, beside every total.

The score is the share, in percent, of what was used that is believed to be counted: 100 less what each sign takes.
A certain sign takes its own share (rejected lines of all lines, unread tokens of all tokens, calls whose
output is too small of all that were compared); the others take a part of theirs, since they may have another reason:
see `PARTLY`. Signs are of the files that a source was loaded from, days of those that were asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING

from ...plurals import counted, short_amount
from ...tokens import TOKEN_SUM
from ...usage import passed_over
from ...usage.signs import CONTRADICTIONS, TOO_SMALL, UNFINISHED, UNKNOWN_LEVEL, Sign, named, signs
from ...usage.unread import Unread, kinds

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PARTLY = {"days": Decimal("0.25"), UNFINISHED: Decimal("0.1"), "format": Decimal("0.02"), "unread": Decimal("0.01")}
"""What a sign takes that need not mean missing usage: of its share of days and calls; of all for a format's known
undercounts, and for unread fields that are no tokens."""

SOURCES = f"""
SELECT source, coalesce(sum({TOKEN_SUM}), 0)::BIGINT,
    count(DISTINCT shown_day) FILTER (role = 'calls'), (max(shown_day) - min(shown_day) + 1)::BIGINT
FROM chosen GROUP BY source ORDER BY source
"""  # noqa: S608 (token classes)
LINES = """
SELECT reader, sum(entries)::BIGINT, sum(rejected)::BIGINT, count(*) FILTER (entries = 0) FROM load GROUP BY reader
"""
UNDERCOUNTS = "SELECT source, undercounts FROM source_note WHERE undercounts <> ''"


@dataclass(frozen=True)
class SourceScore:
    """One source: `score` in percent, rounded down to one digit, and what lowers it."""

    source: str
    score: Decimal
    reasons: tuple[str, ...]

    @property
    def message(self) -> str:
        """The score in one line."""
        why = "; ".join(self.reasons)
        return f"{self.source} {self.score:f} % complete" + (f": {why}" if why else "")


@dataclass(frozen=True)
class DataQuality:
    """What was seen and is in no total: `rejected` lines, `unread` fields, `signs` of files, files passed over by
    reason, files that were recognised and have no call; the `scores` of the sources in the total; and for figures that
    are computed from tokens, `only_stated`: what bills state without any, in words; of calls that were priced where
    they lie, the `faults` of those that are not counted."""

    scores: tuple[SourceScore, ...] = ()
    rejected: int = 0
    unread: tuple[Unread, ...] = ()
    signs: tuple[Sign, ...] = ()
    passed_over: tuple[tuple[str, int], ...] = ()
    without_call: int = 0
    only_stated: str = ""
    faults: tuple[tuple[str, int], ...] = ()

    @property
    def least(self) -> SourceScore | None:
        """The least complete source."""
        return min(self.scores, key=lambda score: (score.score, score.source), default=None)

    @property
    def messages(self) -> tuple[str, ...]:
        """A line for each thing that is in no total."""
        return tuple(self._messages())

    def _messages(self) -> Iterator[str]:
        if self.only_stated:
            yield self.only_stated
        for fault, calls in self.faults:
            yield f"{counted(calls, 'call', 'calls')} with {fault}"
        if self.rejected:
            yield f"{counted(self.rejected, 'line was', 'lines were')} rejected (table reject)"
        for found in self.unread:
            yield (
                f"{found.source}: `{found.field}` {found.what}: {short_amount(found.total)} in "
                f"{counted(found.occurrences, 'place')} (table unread)"
            )
        for sign in named(self.signs):
            yield f"{sign.source}: {sign.message}"
        if self.passed_over:
            reasons = ", ".join(f"{count:,} {reason}" for reason, count in self.passed_over)
            yield f"files passed over in folders: {reasons} (table passed_over)"
        if self.without_call:
            files = counted(self.without_call, "file of a known format has", "files of a known format have")
            yield f"{files} no call (table load, entries 0)"

    def as_data(self) -> dict[str, object]:
        """For JSON."""
        return {
            "completeness": [
                {"source": s.source, "percent": f"{s.score:f}", "reasons": list(s.reasons)} for s in self.scores
            ],
            "rejected_lines": self.rejected + sum(calls for _, calls in self.faults),
            "unread": [
                {"source": u.source, "field": u.field, "files": u.files, "occurrences": u.occurrences,
                 "total": f"{u.total.normalize():f}", "file": u.path, "line": u.line}
                for u in self.unread
            ],
            "signs": [
                {"source": s.source, "kind": s.kind, "files": s.files, "calls": s.calls, "compared": s.compared,
                 "tokens": f"{s.amount:f}"}
                for s in self.signs
            ],
            "passed_over": dict(self.passed_over),
            "files_without_call": self.without_call,
        }  # fmt: skip


def data_quality(connection: DuckDBPyConnection) -> DataQuality:
    """Of the sources in `chosen` (see ledger.py): their scores, and what is in no total."""
    lines = {name: tuple(map(int, counts)) for name, *counts in connection.execute(LINES).fetchall()}
    unread, found = kinds(connection), signs(connection)
    undercounts = dict(connection.execute(UNDERCOUNTS).fetchall())
    rows = connection.execute(SOURCES).fetchall() if lines else []
    return DataQuality(
        scores=tuple(
            _score(
                source,
                [
                    *_of_lines(lines.get(source, (0, 0, 0))),
                    *_of_unread([one for one in unread if one.source == source], tokens),
                    *_of_signs([one for one in found if one.source == source], tokens),
                    *_of_days(days, span),
                    *_of_format(undercounts.get(source, "")),
                ],
            )
            for source, tokens, days, span in rows
            if source
        ),
        rejected=sum(rejected for _, rejected, _ in lines.values()),
        unread=tuple(unread),
        signs=tuple(found),
        passed_over=tuple(passed_over.counts(connection).items()),
        without_call=sum(silent for *_, silent in lines.values()),
    )


Loss = tuple[Decimal, str]
"""The share that a sign takes, and the reason."""


def _score(source: str, losses: Iterable[Loss]) -> SourceScore:
    left, reasons = Decimal(100), []
    for share, reason in losses:
        left *= 1 - min(share, Decimal(1))
        reasons.append(reason)
    rounded = left.quantize(Decimal("0.1"), ROUND_DOWN)
    return SourceScore(source, rounded if reasons else Decimal(100), tuple(reasons))


def _of_lines(lines: tuple[int, ...]) -> Iterator[Loss]:
    entries, rejected, _ = lines
    if rejected:
        yield (
            Decimal(rejected) / (entries + rejected),
            f"{rejected:,} of {counted(entries + rejected, 'entry', 'entries')} were rejected",
        )


def _of_unread(unread: list[Unread], tokens: int) -> Iterator[Loss]:
    for found in unread:
        if found.as_text:  # counted, at another price
            continue
        total = abs(found.total)
        share = total / (total + tokens) if "token" in found.field.lower() and total else PARTLY["unread"]
        yield share, f"`{found.field}` is not counted ({short_amount(found.total)})"


def _of_signs(found: list[Sign], tokens: int) -> Iterator[Loss]:
    compared = {sign.kind for sign in found}
    for sign in found:
        amount = abs(sign.amount)
        match sign.kind:
            case kind if kind in CONTRADICTIONS:
                share = amount / (amount + tokens)
            case "no stop reason":
                share = Decimal(sign.calls) / sign.compared * (0 if TOO_SMALL in compared else PARTLY[UNFINISHED])
            case kind if kind.startswith(UNKNOWN_LEVEL):  # counted, at another price
                continue
            case _:
                share = Decimal(sign.calls) / sign.compared
        yield share, sign.message


def _of_days(days: int, span: int) -> Iterator[Loss]:
    if days and span > days:
        yield (
            Decimal(span - days) / span * PARTLY["days"],
            f"no call on {span - days:,} of the {counted(span, 'day')} from the first to the last",
        )


def _of_format(undercounts: str) -> Iterator[Loss]:
    if undercounts:
        yield PARTLY["format"], undercounts
