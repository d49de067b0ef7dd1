"""`costsim decide`: accept or reject what the review and `recommend` propose, and list what was decided."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import CostsimError, InputError
from ..usage import DEFAULT_STORE
from .arguments import BookOption, DbOption, MonthOption, OverlayOption, day_of
from .evidence import TableFormat, TableFormatOption, evidence_in, in_table_format
from .grouped import grouped
from .output import OutOption, emit, format_of
from .refused import refuses
from .reviewing import ArchitectureOption, ConfigOption, DecisionsOption, ReviewAsked, TodayOption, fleet_of, proposals
from .screen import say

if TYPE_CHECKING:
    from datetime import date as Day

    from ..analysis.decided.results import DecisionList, DecisionRecord
    from ..analysis.recommend.task_costs import RoutingAdvice


@dataclass(frozen=True)
class DecideOptions:
    """What `costsim decide` is asked for."""

    id: Annotated[str | None, typer.Argument(help="The decision, by the id that the review prints.")] = None
    accept: Annotated[bool, typer.Option("--accept", help="Record that it is accepted.")] = False
    reject: Annotated[bool, typer.Option("--reject", help="Record that it is rejected.")] = False
    list_: Annotated[bool, typer.Option("--list", help="List what was decided, and what is open.")] = False
    who: Annotated[str, typer.Option(metavar="NAME", help="Who decided.")] = ""
    note: Annotated[str, typer.Option(metavar="TEXT", help="Why, or how.")] = ""
    date: Annotated[str | None, typer.Option(metavar="DATE", help="When it takes effect. Default: today.")] = None
    month: MonthOption = None
    db: DbOption = DEFAULT_STORE
    architecture: ArchitectureOption = None
    config: ConfigOption = None
    decisions: DecisionsOption = None
    book: BookOption = None
    prices: OverlayOption = None
    today: TodayOption = None
    format: TableFormatOption = None
    out: OutOption = None


@refuses("who", "note", "date", case=lambda asked: asked["list_"], why="read only with --accept or --reject")
@refuses("format", "out", case=lambda asked: not asked["list_"], why="read only with --list")
@grouped(DecideOptions)
def decide(asked: DecideOptions) -> None:
    """Record a decision on what the review or costsim recommend proposes: decisions.yaml.

    The file says what was promised per month; the reviews of the next months measure each accepted
    decision against that, in a row of its own and in the bridge. It is yours to edit.

    \b
      costsim decide --list
      costsim decide move-3f9a2c01 --accept --who Ana --note "after the trial"
      costsim decide anomaly-77aa01c2 --reject
    """
    review = ReviewAsked(
        asked.month, asked.db, asked.architecture, asked.config, asked.decisions, asked.book, asked.prices, asked.today
    )
    if asked.accept + asked.reject + asked.list_ != 1 or bool(asked.id) == asked.list_:
        raise CostsimError("give an id with --accept or --reject, or --list alone")
    if asked.id:
        _record(asked, asked.id, review)
    else:
        _list(asked, review)


def _list(asked: DecideOptions, review: ReviewAsked) -> None:
    from ..reports import decided as show

    chosen = format_of(asked.format, asked.out, TableFormat.table)
    found = _listed(review)
    emit(in_table_format(found, chosen, table=show.print_list, csv=show.as_csv, markdown=show.as_markdown), asked.out)


def _record(asked: DecideOptions, id: str, review: ReviewAsked) -> None:
    """Add the decision to the file, unless it says so already."""
    from ..analysis.decided.file import add_decision
    from ..reports.decided import recorded

    decision = "accepted" if asked.accept else "rejected"
    given = {"who": asked.who, "note": asked.note, "on": day_of(asked.date or asked.today), "decision": decision}
    before = next((known for known in reversed(_known(review)) if known.id == id), None)
    record = (before or _proposed(review, id)).model_copy(update=given)
    if before and before.decision == record.decision:
        say(f"{record.id} was {before.decision} on {before.on} already: {review.decisions_file} stays as it is")
        return
    add_decision(review.decisions_file, record)
    say(f"{review.decisions_file}: {recorded(record)}")


def _known(asked: ReviewAsked) -> list[DecisionRecord]:
    """What was recorded; a file that is named and not there yet is to be made."""
    return asked.records() if os.path.lexists(asked.decisions_file) else []


def _listed(asked: ReviewAsked) -> DecisionList:
    from ..analysis.decided.propose import proposed_by_review
    from ..analysis.decided.results import DecisionList

    known = asked.records()
    taken = {record.id for record in known}
    found = proposals(asked) if asked.db != DEFAULT_STORE or asked.db.exists() else None
    fresh = [r for r in proposed_by_review(found, day_of(asked.today)) if r.id not in taken] if found else []
    return DecisionList(
        file=str(asked.decisions_file), recorded=known, month=found.month if found else None, open=fresh
    )


def _proposed(asked: ReviewAsked, id: str) -> DecisionRecord:
    """The proposal of that id: of the month's review, of the month's before, or of `costsim recommend`."""
    from ..analysis.decided.propose import proposed_by_advice, proposed_by_review
    from ..documents import did_you_mean
    from ..months import month_span

    on = day_of(asked.today)
    found = proposals(asked)
    known = proposed_by_review(found, on)
    if asked.month is None and all(record.id != id for record in known):
        before = f"{month_span(found.month)[0] - timedelta(days=1):%Y-%m}"
        if found.headline.previous:
            known += proposed_by_review(proposals(replace(asked, month=before)), on)
    if asked.file and all(record.id != id for record in known):
        with suppress(CostsimError):  # no outcomes are known, or no routing: then nothing was recommended
            known += proposed_by_advice(_advice(asked, on), on)
    record = next((record for record in known if record.id == id), None)
    if record is None:
        near = did_you_mean(id, [*dict.fromkeys(record.id for record in known)])
        raise InputError(f"nothing of that id is proposed{near}; see costsim decide --list", key=id)
    return record


def _advice(asked: ReviewAsked, on: Day) -> RoutingAdvice:
    """What `costsim recommend` proposes here."""
    from ..analysis.recommend.task_costs import advise, routing_text
    from ..analysis.spend.ledger import open_ledger
    from ..pricing.book import open_book

    fleet = fleet_of(asked)
    if fleet is None:
        raise CostsimError("there is no architecture here")
    stack = open_book(asked.book or fleet.book, fleet.prices)
    with open_ledger(asked.db, stack) as log:
        evidence = evidence_in(log.connection, stack)
        return advise(fleet, routing_text(fleet, asked.config), evidence, on, book=asked.book, log=log)
