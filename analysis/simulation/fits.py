"""Whether what is sent fits: requests beyond a model's context window; runs priced as one large request."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING

from ...money import format_amount, to_usd
from ..projection import Outgrown
from .costing import cost_brackets
from .plans import Plan
from .policies.calls import Call, Costed
from .profiles import Independent, Joint, Profile, most_input, share_above
from .sessions.measured import LoggedSessions, Sessions

if TYPE_CHECKING:
    from ...pricing.book import PriceBook
    from .workload import Horizon

LEAST_SHARE = 0.001
"""Fewer runs than one in a thousand beyond a window are not reported."""
ROOM = Fraction(4, 5)
"""Of a window, where compaction is proposed."""


def outgrown(
    plans: list[Plan], costings: dict[tuple[str, str], Costed], book: PriceBook, named: Iterable[str]
) -> list[Outgrown]:
    """The components whose sessions, or single runs, do not fit the model that a plan sends them to.

    `named` are models to propose, where their window is large enough.
    """
    windows = {model: _window(model, book) for model in dict.fromkeys(named)}
    found: dict[tuple[str, str], Outgrown] = {}
    for plan in plans:
        for name in plan.models:
            for call in costings[plan.name, name].calls:
                entry = _outgrown(costings[plan.name, name], call, book, windows)
                if entry:
                    before = found.get((name, call.model))
                    plans_so_far = [*(before.plans if before else ()), plan.name]
                    found[name, call.model] = entry.model_copy(update={"plans": list(dict.fromkeys(plans_so_far))})
    return sorted(found.values(), key=lambda entry: -entry.percent)


def _outgrown(costed: Costed, call: Call, book: PriceBook, windows: dict[str, int | None]) -> Outgrown | None:
    window, profile = _window(call.model, book), costed.profile
    large = costed.work.component.large_context if "large_context" in costed.choice.policies else None
    if window is None or profile.origin == "calibrated" or not costed.work.runs.per_day:
        return None
    if call.kind != "large_context" and large and large.over <= window:
        return None
    if isinstance(profile, Independent) and most_input(profile) <= window:
        return None
    share = profile.outgrows(window) if isinstance(profile, Sessions) else share_above(profile, window)
    if share < LEAST_SHARE:
        return None
    largest = _largest(profile, share)
    return Outgrown(
        component=costed.work.component.name,
        model=call.model,
        context_window=window,
        percent=to_usd(Fraction(round(share * 100, 6))),
        largest_tokens=largest,
        session=isinstance(profile, Sessions),
        plans=[],
        fix=_fix(profile, window, largest, windows),
    )


def _largest(profile: Profile, share: float) -> int:
    """The P95 of the largest request, or where fewer are beyond the window, the largest."""
    if isinstance(profile, Sessions):
        return round(profile.largest_context if share > 0.05 else float(profile.longest.max()))
    rows = profile.total_input if isinstance(profile, Joint) else Joint.from_grid(profile).total_input
    return int(rows.max())


def _fix(profile: Profile, window: int, largest: int, windows: dict[str, int | None]) -> str:
    roomy = next((model for model, size in windows.items() if size and size >= largest), None)
    move = f", or move it to {roomy} ({windows[roomy]:,} tokens)" if roomy else ""
    if isinstance(profile, LoggedSessions):
        return f"state it as a session with compaction (costsim profile writes one){move}"
    if isinstance(profile, Sessions):
        return f"compact it, session.compaction: {{limit: {int(window * ROOM)}}}{move}"
    return f"if a run is several calls, state it as a session (turns, prompt, input, output); else send less{move}"


def _window(model: str, book: PriceBook) -> int | None:
    key = book.resolve(model)
    return book.context_window(key) if key else None


def large_requests(costings: Iterable[Costed], book: PriceBook, horizon: Horizon) -> list[str]:
    """Runs that are priced in a higher context tier because each is stated as one request, and what that costs."""
    found = []
    for costed in costings:
        profile, plain = costed.profile, costed.plain
        if isinstance(profile, Sessions) or profile.origin == "calibrated" or not plain.priced:
            continue
        tier = max((b.min_input_tokens for b in plain.brackets if b.probability >= Fraction(1, 2)), default=0)
        base = [type(b)(0, b.probability, b.mean, b.source) for b in plain.brackets]
        usual = cost_brackets(plain.work, plain.profile, tuple(base), plain.model, book, horizon).horizon_usd
        if tier and usual and plain.horizon_usd > usual * Fraction(21, 20):
            name, days = plain.work.component.name, horizon.days
            found.append(
                f"{name}: a run counts as one request of more than {tier:,} input tokens, which {plain.model} prices "
                f"higher ({format_amount(plain.horizon_usd / days)} per day; {format_amount(usual / days)} if its "
                "tokens were sent in smaller requests); if a run is several calls, state it as a session"
            )
    return list(dict.fromkeys(found))
