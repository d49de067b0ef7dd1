"""What a result rests on: prices used, prices lacking, assumptions, warnings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ...documents import did_you_mean
from ...usage.processing import is_named_fast
from ..architecture.escalation import in_words
from ..projection import Unpriced, UsedPrice
from ..routing.resolve import FALLBACK
from .fleets import METHOD, is_large
from .plans import Plan
from .policies.calls import Costed

if TYPE_CHECKING:
    from ...pricing.book import PriceBook
    from ..architecture.model import Architecture, Component

POLICY_ASSUMPTION = "Nothing is fresh or cached when the first day begins; a run just at the end of a ttl is too late."


def used_prices(costings: Iterable[Costed]) -> list[UsedPrice]:
    """The price rows that entered some cost, in order."""
    rows = {row: None for costing in costings for row in costing.used}
    ordered = sorted(rows, key=lambda r: (r.provider, r.model, r.token_class, r.processing, r.min_input_tokens))
    return [
        UsedPrice(
            model=f"{row.provider}/{row.model}",
            token_class=row.token_class,
            processing=row.processing,
            min_input_tokens=row.min_input_tokens,
            valid_from=row.valid_from.isoformat() if row.valid_from else None,
            valid_to=row.valid_to.isoformat() if row.valid_to else None,
            usd=row.usd,
            per=row.per,
            source=row.source,
        )
        for row in ordered
    ]


def unpriced(plans: list[Plan], costings: dict[tuple[str, str], Costed]) -> list[Unpriced]:
    """Models without a price that a plan calls, and where."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for plan in plans:
        for component in plan.models:
            for model, missing in costings[plan.name, component].lacking:
                reason = "no price" if missing == ("every class",) else f"no price for {', '.join(missing)}"
                found.setdefault((model, plan.name, reason), []).append(component)
    return [
        Unpriced(model=model, plan=plan, components=components, reason=reason)
        for (model, plan, reason), components in found.items()
    ]


def assumptions(
    architecture: Architecture, costings: Iterable[Costed], book: PriceBook, exactly: str, trials: int
) -> list[str]:
    """What the figures rest on, in sentences; `exactly` says which expected costs are exact."""
    known = list(costings)
    explained = dict.fromkeys(costing.work.explained for costing in known if costing.work.explained)
    return [
        f"Days are {architecture.timezone} days. Every run is priced at its own moment, at book {book.hash[:12]}.",
        f"{exactly[:1].upper()}{exactly[1:]}; P10, P50 and P90 are of simulated draws, the same draws for every plan.",
        "What varies from run to run averages out over the days; what we don't know about a mean does not.",
        *([METHOD] if is_large(architecture, trials) else []),
        *explained,
        *_evidence(architecture),
        *_growth(architecture),
        *([POLICY_ASSUMPTION] if any(costing.has_policies for costing in known) else []),
    ]


def _growth(architecture: Architecture) -> list[str]:
    """How runs grow."""
    return [_grows(component) for component in architecture.components if component.growth]


def _grows(component: Component) -> str:
    growth = component.growth or []
    if isinstance(growth, str):
        return f"{component.name}: runs grow {growth}, from {component.start or 'the first day'} on."
    steps = ", ".join(f"{step.times:f} times those stated from {step.day}" for step in growth)
    return f"{component.name}: runs are {steps}."


def _evidence(architecture: Architecture) -> list[str]:
    """Which chances were counted."""
    counted = [
        (component.name, component.escalate.evidence)
        for component in architecture.components
        if component.escalate and component.escalate.evidence
    ]
    return [f"{name}: the chance of an escalation is {in_words(counts)}." for name, counts in counted]


def warnings(architecture: Architecture, book: PriceBook, costings: Iterable[Costed]) -> list[str]:
    """What a user should not overlook, in sentences."""
    stale = [layer.name for layer in book.layers if layer.stale]
    said = [f"price book {name!r} is kept for the record; its prices are not current" for name in stale]
    for costing in costings:
        processing = costing.work.component.processing
        if processing != "standard" and not any(row.processing == processing for row in costing.used):
            said.append(f"{costing.model} has no {processing} price; {costing.work.component.name} pays standard")
        if processing == "standard" and is_named_fast(costing.model):
            said.append(f"{costing.model} is priced at its standard price; its fast one takes processing: fast")
    said += [_fallen_back(component, architecture) for component in architecture.components]
    said += [_off_one(component) for component in architecture.components]
    return list(dict.fromkeys(filter(None, said)))


def _off_one(component: Component) -> str:
    """That a stated factor raises or lowers the expected cost, by its mean."""
    stated = component.uncertainty
    mean = stated.distribution().mean if stated else 1
    if stated is None or mean == 1:
        return ""
    return (
        f"{component.name}: its uncertainty, {stated.low:f} to {stated.high:f} times the cost, has a mean of "
        f"{float(mean):.4g}: expected costs are {float(mean):.4g} times those of its tokens"
    )


def _fallen_back(component: Component, architecture: Architecture) -> str:
    """That the routing does not know a component's task, if it decides about it at all."""
    routing = architecture.model_routing
    if component.model or component.task in routing or component.task == FALLBACK:
        return ""
    near = did_you_mean(component.task, [key for key in routing if key != FALLBACK])
    return f"{component.name}: the routing has no task {component.task!r}, so it runs on the fallback{near}"
