"""The decisions to take, each with its monthly worth: what saves, what to investigate, what is for information.

Noise is no decision: one must be worth 1 % of the month, or 100 USD in large months, and never less than 1 USD
(`threshold_usd`). What has no price is one where it is at least 1 % of the month's calls, recorded costs where they
are 5 % off. A move saves on proof, else it is to be investigated by a trial. Price cuts of the month and calls that
went to a cheaper model than configured need no action: they are for information. A month with nothing to decide has
an empty list.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import get_args

from ...money import format_cents, strip
from ..budgets.results import BudgetUse
from ..compare.bridge_results import Bridge
from ..decided.ids import decision_id, move_id
from ..decided.results import RoutingChange
from ..forecast.results import Anomaly
from ..outcomes.outcomes import OutcomeChange
from .anomalies import spells
from .price_changes import worth_by_change
from .results import (
    Decision,
    DecisionGroup,
    Drift,
    Headline,
    MoveDown,
    PriceMove,
    Quality,
    RejectedLines,
    UnpricedUsage,
)

GROUPS: tuple[DecisionGroup, ...] = get_args(DecisionGroup)
LEAST_SHARE = Decimal("0.01")
LEAST_USD, ENOUGH_USD = Decimal(1), Decimal(100)
LEAST_OFF = Decimal("0.05")
"""Recorded costs less than 5 % off the computed ones are rounding, credits or taxes."""
ALPHA = 0.01
"""A change of success is decided on where its adjusted p-value is below this."""
BRIEF_DAYS = 3
"""Drift of at most so many days is reported as drift only, not again as anomalies."""


def threshold_usd(month_usd: Decimal) -> Decimal:
    """What a decision must be worth in a month of that cost: 1 % of it, at least 1 USD, at most 100 USD."""
    return max(LEAST_USD, min(month_usd * LEAST_SHARE, ENOUGH_USD))


def decisions(
    headline: Headline,
    drift: Sequence[Drift],
    moves: Iterable[MoveDown],
    anomalies: Sequence[Anomaly],
    changes: Iterable[OutcomeChange],
    price_moves: Iterable[PriceMove],
    quality: Quality,
    ranges: Sequence[tuple[Decimal, Decimal] | None],
    bridge: Bridge | None = None,
) -> list[Decision]:
    """Everything worth deciding. `ranges` are each drift's P10 and P90 worths; None where nothing was measured."""
    price_moves = list(price_moves)
    month, least = headline.month.month, threshold_usd(headline.month.usd)
    brief = [d for d in drift if (d.last - d.first).days < BRIEF_DAYS]
    found = [
        *(_budget(use, month) for use in headline.budgets if use.breached),
        *(_drift(d, of) for d, of in zip(drift, ranges, strict=True) if _worth(d.worth_usd, least)),
        *(_move(move) for move in moves if move.saving_usd >= least),
        *_anomalies([a for a in anomalies if not _by_drift(a, brief)], least),
        *_rises(price_moves, least),
        *_cuts(price_moves, bridge, least),
        *(_declined(change, month) for change in changes if _is_decline(change)),
        *_quality(quality, headline.month.calls, month),
        *_recorded(quality, least, month),
    ]
    return sorted(found, key=_rank)


def _rank(d: Decision) -> tuple[int, bool, bool, Decimal, str]:
    """By group and worth; price cuts, which need no action, come last."""
    cut = d.group == "information" and d.kind == "price"
    return GROUPS.index(d.group), cut, d.worth_usd is None, -abs(d.worth_usd or Decimal(0)), d.message


def _worth(usd: Decimal | None, least: Decimal) -> bool:
    return usd is not None and abs(usd) >= least


def _span(first: date, last: date) -> str:
    return f"on {first}" if first == last else f"from {first} to {last}"


def _budget(use: BudgetUse, month: str) -> Decision:
    expected = use.forecast_usd if use.forecast_usd is not None else use.spent_usd
    over = max(expected, use.spent_usd) - use.limit_usd
    verb = "is" if use.spent_usd > use.limit_usd else "will be"
    return Decision(
        id=decision_id("budget", month, use.name),
        group="investigate",
        message=f"Budget {use.name} {verb} exceeded: {format_cents(max(expected, use.spent_usd))} "
        f"of {format_cents(use.limit_usd)}",
        worth_usd=strip(over), part="headline", kind="budget",
    )  # fmt: skip


def _drift(d: Drift, of: tuple[Decimal, Decimal] | None) -> Decision:
    task = f" for {d.task}" if d.task else ""
    costs_more = (d.worth_usd or Decimal(0)) > 0
    turned, advice = (
        ("more", "Send them back, or change the routing")
        if costs_more
        else ("less", "If their results are good enough, configure it so")
    )
    return Decision(
        id=decision_id("drift", d.component, d.task, d.configured, d.went_to),
        change=_sent_back(d) if costs_more else None,
        group="save" if costs_more else "information",
        message=f"{d.component} called {d.went_to}{task}, though {d.configured} is configured: "
        f"{d.calls:,} calls ({d.share:.0%} of its calls) {_span(d.first, d.last)} "
        f"cost {format_cents(abs(d.worth_usd or Decimal(0)))} {turned}. {advice}",
        worth_usd=d.worth_usd,
        low_usd=strip(of[0]) if of else None,
        high_usd=strip(of[1]) if of else None,
        part="routing", kind="drift",
    )  # fmt: skip


def _sent_back(d: Drift) -> RoutingChange:
    return RoutingChange(component=d.component, task=d.task, from_model=d.went_to, to_model=d.configured)


def _move(move: MoveDown) -> Decision:
    return Decision(
        id=move_id(move.task, move.model, move.to),
        change=RoutingChange(task=move.task, from_model=move.model, to_model=move.to),
        group="save" if move.proven else "investigate",
        message=(
            f"Move {move.task} from {move.model} to {move.to}: {move.message}"
            if move.proven
            else f"Try {move.to} for {move.task} in place of {move.model}: {move.message}"
        ),
        worth_usd=move.saving_usd, low_usd=move.saving_low_usd, high_usd=move.saving_high_usd,
        part="moves", kind="move",
    )  # fmt: skip


def _by_drift(anomaly: Anomaly, brief: Iterable[Drift]) -> bool:
    """Whether brief drift of the component is most of what was unusual on that day."""
    excess = abs(anomaly.usd - anomaly.expected_usd)
    return any(
        d.component == anomaly.component
        and d.first <= anomaly.day <= d.last
        and 2 * abs(d.worth_usd or Decimal(0)) >= excess
        for d in brief
    )


def _anomalies(anomalies: Iterable[Anomaly], least: Decimal) -> Iterator[Decision]:
    for spell in spells(anomalies):
        cost, usual = sum((a.usd for a in spell), Decimal(0)), sum((a.expected_usd for a in spell), Decimal(0))
        if _worth(cost - usual, least):
            yield _anomaly(spell, cost, usual)


def _anomaly(spell: Sequence[Anomaly], cost: Decimal, usual: Decimal) -> Decision:
    name = spell[0].component or "The total"
    low, high = sum((a.low_usd for a in spell), Decimal(0)), sum((a.high_usd for a in spell), Decimal(0))
    return Decision(
        id=decision_id("anomaly", spell[0].component or "", str(spell[0].day)),
        group="investigate",
        message=f"{name} cost {format_cents(cost)} {_span(spell[0].day, spell[-1].day)}, "
        f"where {format_cents(usual)} is usual: find the cause",
        worth_usd=strip(cost - usual), low_usd=strip(cost - high), high_usd=strip(cost - low),
        part="where", kind="anomaly",
    )  # fmt: skip


Cause = tuple[str, str, date | None]
"""What changed a price: (kind, model, day)."""


def _worths(moves: Iterable[PriceMove], least: Decimal) -> dict[Cause, Decimal]:
    """What each change is worth on the month's own tokens, whatever number of a model's prices moved."""
    worths = {
        cause: sum((move.worth_usd or Decimal(0) for move in of), Decimal(0))
        for cause, of in worth_by_change(moves).items()
    }
    return {cause: worth for cause, worth in worths.items() if _worth(worth, least)}


def _rises(moves: Iterable[PriceMove], least: Decimal) -> Iterator[Decision]:
    for (kind, model, at), worth in _worths(moves, least).items():
        if worth > 0:
            verb = "became" if kind == "changed" else "will be"
            yield Decision(
                id=decision_id("price", model, str(at)),
                group="investigate",
                message=f"{model} {verb} more expensive on {at}: {format_cents(worth)} a month on the month's tokens. "
                "See what its tasks would cost on others: costsim replay",
                worth_usd=strip(worth), part="prices", kind="price",
            )  # fmt: skip


def _cuts(moves: Sequence[PriceMove], bridge: Bridge | None, least: Decimal) -> Iterator[Decision]:
    """Price cuts; of those in the month, where there is no rise beside them, what the bridge says that they took off.

    A cut in the middle of a month takes less off it than its worth on the tokens of a whole month.
    """
    worths = _worths(moves, least)
    past = {cause: worth for cause, worth in worths.items() if cause[0] == "changed"}
    effect = next((step.usd for step in bridge.steps if step.effect == "price"), None) if bridge else None
    agrees = effect is not None and effect < 0 and all(worth < 0 for worth in past.values())
    cuts = {cause: worth for cause, worth in worths.items() if worth < 0}
    if agrees and past and effect is not None:
        whole = format_cents(-sum(past.values(), Decimal(0)))
        yield _cut(past, effect, f"{format_cents(-effect)} less in this month, {whole} on all of its tokens")
        cuts = {cause: worth for cause, worth in cuts.items() if cause not in past}
    for cause, worth in cuts.items():
        yield _cut([cause], worth, f"{format_cents(-worth)} less on the month's tokens")


def _cut(causes: Collection[Cause], worth: Decimal, amount: str) -> Decision:
    changed = [f"{model} {'became' if kind == 'changed' else 'will be'} cheaper on {at}" for kind, model, at in causes]
    return Decision(
        id=decision_id("price", *(part for _, model, at in causes for part in (model, str(at)))),
        group="information",
        message=f"{', '.join(changed)}: {amount}. See which tasks of more expensive models it could take: "
        "costsim recommend",
        worth_usd=strip(worth), part="prices", kind="price",
    )  # fmt: skip


def _is_decline(change: OutcomeChange) -> bool:
    worse = change.verdict in ("no longer handles it", "declined")
    return worse and change.p_adjusted is not None and change.p_adjusted < ALPHA


def _declined(change: OutcomeChange, month: str) -> Decision:
    before, after = (f"{rate.rate or 0:.0%} of {rate.trials:,}" for rate in (change.before, change.after))
    return Decision(
        id=decision_id("performance", month, change.task, change.model),
        group="investigate",
        message=f"{change.model} {change.verdict.replace('declined', 'does worse at it')}: {change.task} succeeded in "
        f"{after} runs, {before} the month before",
        worth_usd=None, part="performance", kind="performance",
    )  # fmt: skip


def _quality(quality: Quality, calls: int, month: str) -> Iterator[Decision]:
    unpriced = [usage for usage in quality.unpriced if usage.calls >= LEAST_SHARE * calls]
    if unpriced:
        yield _unpriced(unpriced, month)
    if quality.rejected_lines >= max(Decimal(1), LEAST_SHARE * calls):
        yield _rejected(quality.rejected, quality.rejected_lines, month)


def _recorded(quality: Quality, least: Decimal, month: str) -> Iterator[Decision]:
    """Bills that are not what the price book says."""
    off, computed = quality.difference_usd, quality.computed_usd or Decimal(0)
    if off is not None and abs(off) >= max(least, LEAST_OFF * computed):
        yield Decision(
            id=decision_id("quality", month, "recorded"),
            group="investigate",
            message=f"The logs' sources recorded {format_cents(quality.recorded_usd or Decimal(0))} for calls that "
            f"cost {format_cents(computed)} at these prices: {quality.explained}. "
            "Correct the price book, or ask for the bill",
            worth_usd=strip(abs(off)), part="quality", kind="quality",
        )  # fmt: skip


def _unpriced(usage: Sequence[UnpricedUsage], month: str) -> Decision:
    names = ", ".join(of.model for of in usage)
    return Decision(
        id=decision_id("quality", month, "unpriced"),
        group="investigate",
        message=f"Price {names}: {sum(of.calls for of in usage):,} calls are in no cost. Add them to a price overlay",
        worth_usd=None, part="quality", kind="quality",
    )  # fmt: skip


def _rejected(rejected: Sequence[RejectedLines], lines: int, month: str) -> Decision:
    return Decision(
        id=decision_id("quality", month, "rejected"),
        group="investigate",
        message=f"{lines:,} lines of the logs could not be read, most in {rejected[0].file}: {rejected[0].reason}",
        worth_usd=None, part="quality", kind="quality",
    )  # fmt: skip
