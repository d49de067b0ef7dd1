"""Head against base: what changed, what each cause costs, exactly, and the range of the paired difference."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...money import strip, to_usd
from ...version import __version__
from ..architecture.distributions import Floats
from ..findings import Finding
from ..quantiles import Quantiles, quantiles
from ..shapley import shapley
from ..simulation.fleets import POOL, spread
from ..simulation.streams import pool_size
from ..simulation.summary import book_ref
from .results import ArchitectureDifference, Cause, CauseEffect, ComponentDifference
from .sides import BASE, HEAD, Mixed, Pair, Side, drawn_alike, mixture
from .words import label, message

if TYPE_CHECKING:
    from ..architecture.load import LoadedArchitecture
    from ..simulation.settings import Progress


@dataclass(frozen=True)
class IncreaseLimit:
    """The most that the change may add a horizon: USD, or percent of the base's cost."""

    usd: Decimal | None = None
    percent: Decimal | None = None


def difference(
    base: Side,
    head: Side,
    *,
    loaded: LoadedArchitecture | None = None,
    limit: IncreaseLimit | None = None,
    progress: Progress | None = None,
) -> ArchitectureDifference:
    """What head costs more than base over the settings' days, under each side's plan of that name.

    `loaded` is head's file, for the lines of its components. Only components that changed are simulated.
    Raises ArchitectureError and its kin.
    """
    pair, settings = Pair(base, head), head.settings
    rows, drawn, unchanged = _compared(pair, progress)
    subscribed = [side.subscriptions_usd() for side in (base, head)]
    flat = [to_usd(usd) for usd, _ in subscribed]
    before = unchanged.usd + flat[0] + sum((row.before_usd or Decimal(0) for row in rows if _known(row)), Decimal(0))
    after = unchanged.usd + flat[1] + sum((row.after_usd or Decimal(0) for row in rows if _known(row)), Decimal(0))
    p10, p50, p90 = _paired(drawn + subscribed[1][1] - subscribed[0][1])
    rows = sorted((_with_line(row, loaded, head) for row in rows), key=_largest_first)
    unpriced = sorted(unchanged.unpriced | {m for row in rows if not _known(row) for m in _models(row)})
    found = ArchitectureDifference(
        base=base.label, head=head.label, plan=head.plan_name, start=settings.start, days=settings.days,
        trials=settings.trials, seed=settings.seed, before_usd=strip(before), after_usd=strip(after),
        difference_usd=strip(after - before), percent=to_usd((after - before) / before * 100) if before else None,
        p10_usd=p10, p50_usd=p50, p90_usd=p90, subscriptions_usd=strip(flat[1] - flat[0]), components=rows,
        unchanged=unchanged.count, unpriced=unpriced, base_prices=book_ref(base.book), head_prices=book_ref(head.book),
        verdicts=[], costsim_version=__version__,
    )  # fmt: skip
    file = loaded.document.file if loaded else None
    return found.model_copy(update={"verdicts": _verdicts(found, limit, file)})


@dataclass
class _Unchanged:
    """What both sides cost alike."""

    count: int = 0
    usd: Decimal = Decimal(0)
    unpriced: set[str] | frozenset[str] = frozenset()

    def add(self, mixed: Mixed) -> None:
        self.count += 1
        if mixed.usd is None:
            self.unpriced = {*self.unpriced, *(model for model, _ in mixed.costed.lacking)}
        else:
            self.usd += to_usd(mixed.usd)


def _compared(pair: Pair, progress: Progress | None) -> tuple[list[ComponentDifference], Floats, _Unchanged]:
    """The components that differ, their summed paired difference, (trials,), and what does not differ."""
    names = dict.fromkeys([*pair.base.components, *pair.head.components])
    rows, total, unchanged = [], np.zeros(pair.head.settings.trials), _Unchanged()
    large, families = pair.large, pair.families
    for done, name in enumerate(names):
        if progress:
            progress(done, len(names))
        both = name in pair.base.components and name in pair.head.components
        causes = pair.changed(name) if both else []
        if both and (not causes or _same_cost(pair, name, causes)):
            unchanged.add(pair.mixed(name, BASE))
            continue
        with pool_size(POOL) if large else nullcontext():
            row, drawn = _row(pair, name, causes)
        rows.append(row)
        total += spread(drawn, len(total), families[name].name, pair.head.settings.seed) if large else drawn
    return rows, total, unchanged


def _same_cost(pair: Pair, name: str, causes: Sequence[Cause]) -> bool:
    """Other prices elsewhere in the book are no change of this component."""
    if list(causes) != ["prices"]:
        return False
    before, after = (pair.mixed(name, side).costed for side in (BASE, HEAD))
    return before.priced == after.priced and before.expected_usd == after.expected_usd


def _row(pair: Pair, name: str, causes: Sequence[Cause]) -> tuple[ComponentDifference, Floats]:
    before = pair.mixed(name, pair.before(name, causes)) if name in pair.base.components else None
    after = pair.mixed(name, HEAD) if name in pair.head.components else None
    known = all(side is None or side.usd is not None for side in (before, after))
    how = drawn_alike([side for side in (before, after) if side and known])
    zero, trials = Decimal(0), (pair.draws(name), pair.head.settings.seed, how)
    was, now = (None if side is None or side.usd is None else to_usd(side.usd) for side in (before, after))
    drawn = np.zeros(trials[0])
    if known:
        drawn = (after.drawn_usd(*trials) if after else 0.0) - (before.drawn_usd(*trials) if before else drawn)
    spread = _paired(drawn) if known else (None, None, None)
    moved = (now or zero) - (was or zero) if known else None
    row = ComponentDifference(
        component=name,
        change="changed" if before and after else "added" if after else "removed",
        before_model=pair.base.plan.models[name] if before else None,
        after_model=pair.head.plan.models[name] if after else None,
        before_usd=was, after_usd=now, difference_usd=None if moved is None else strip(moved),
        causes=_causes(pair, name, causes, moved),
        p10_usd=spread[0], p50_usd=spread[1], p90_usd=spread[2],
    )  # fmt: skip
    return row, drawn


def _causes(pair: Pair, name: str, causes: Sequence[Cause], moved: Decimal | None) -> list[CauseEffect]:
    """Each cause that changed with its Shapley value; without figures where some mixture has no price."""
    if not causes or moved is None:
        return [_effect(pair, name, cause, Decimal(0)) for cause in causes]
    costs = {changed: pair.mixed(name, mixture(causes, changed)).usd for changed in product((0, 1), repeat=len(causes))}
    if any(cost is None for cost in costs.values()):
        exact = {cause: Fraction(0) for cause in causes}
    else:
        known = {changed: cost for changed, cost in costs.items() if cost is not None}
        exact = dict(zip(causes, shapley(known), strict=True))
    effects = {cause: to_usd(amount) for cause, amount in exact.items()}
    largest = max(causes, key=lambda cause: abs(exact[cause]))
    effects[largest] += moved - sum(effects.values(), Decimal(0))  # what rounding to 12 places leaves
    found = [_effect(pair, name, cause, strip(effects[cause])) for cause in causes]
    return [effect for effect in found if effect.usd or effect.cause != "prices"]


def _effect(pair: Pair, name: str, cause: Cause, amount: Decimal) -> CauseEffect:
    return CauseEffect(cause=label(pair, name, cause), usd=amount, message=message(pair, name, cause))


def _known(row: ComponentDifference) -> bool:
    return row.difference_usd is not None


def _models(row: ComponentDifference) -> list[str]:
    sides = ((row.before_model, row.before_usd), (row.after_model, row.after_usd))
    return [model for model, cost in sides if model and cost is None]


def _largest_first(row: ComponentDifference) -> tuple[bool, Decimal, str]:
    return (_known(row), -abs(row.difference_usd or Decimal(0)), row.component)


def _paired(drawn: Floats) -> Quantiles:
    return quantiles(drawn, lambda amount: to_usd(round(amount, 9)))


def _with_line(row: ComponentDifference, loaded: LoadedArchitecture | None, head: Side) -> ComponentDifference:
    """The row with the line of its component, where the head's file itself lists it."""
    line = loaded.line_of(row.component) if loaded and row.component in head.components else None
    return row.model_copy(update={"line": line})


def _verdicts(found: ArchitectureDifference, limit: IncreaseLimit | None, file: Path | None) -> list[Finding]:
    verdicts = [
        Finding(
            rule="unpriced-model", name=model, status="fail", message="has no price; its cost is in no figure",
            fix="Correct the name, or price it in an overlay", file=file,
        )
        for model in found.unpriced
    ]  # fmt: skip
    verdicts += [_change(row, found.days, file) for row in found.components if _known(row)]
    verdicts += [_subscriptions(found, file)] if found.subscriptions_usd else []
    return verdicts + ([_increase(found, limit, file)] if limit else [])


def _change(row: ComponentDifference, days: int, file: Path | None) -> Finding:
    amount = row.difference_usd or Decimal(0)
    causes = "; ".join(f"{effect.cause} {_signed(effect.usd)}" for effect in row.causes)
    message = f"{row.change}: {_signed(amount)} in {days} days" + (f" ({causes})" if causes else "")
    status: Any = "warn" if amount > 0 else "pass"
    return Finding(rule="cost-change", name=row.component, status=status, message=message, file=file, line=row.line)


def _subscriptions(found: ArchitectureDifference, file: Path | None) -> Finding:
    amount = found.subscriptions_usd
    message = f"changed: {_signed(amount)} in {found.days} days (fees, and what calls cost beyond what they include)"
    return Finding(
        rule="cost-change", name="subscriptions", status="warn" if amount > 0 else "pass", message=message, file=file
    )


def _increase(found: ArchitectureDifference, limit: IncreaseLimit, file: Path | None) -> Finding:
    allowed = limit.usd if limit.usd is not None else found.before_usd * (limit.percent or Decimal(0)) / 100
    over = found.difference_usd > allowed
    message = f"{_signed(found.difference_usd)} in {found.days} days, {'over' if over else 'within'} {_signed(allowed)}"
    return Finding(rule="cost-increase", name=found.plan, status="fail" if over else "pass", message=message, file=file)


def _signed(amount: Decimal) -> str:
    rounded = amount.quantize(Decimal("0.01"))
    return f"{'-' if amount < 0 else '+'}${abs(rounded if rounded else amount):,f}"
