"""Concrete changes of an architecture, each with its exact effect; and those that bring a cost within a limit.

A change is what one person could do in one edit: another model that the file names already, batch processing, half
as many runs. Of those that suffice, the one that takes least away is proposed; quality is for people to judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from ...money import to_usd
from ...plurals import listed
from ..architecture.amounts import Poisson
from ..routing.kinds import can_replace, takes
from ..simulation.plans import named_models
from ..simulation.profiles import largest_input
from ..simulation.sessions.measured import Sessions
from ..simulation.sessions.profile import SessionProfile
from ..simulation.spawned import own_runs
from ..simulation.workload import runs_of
from .change import Change, Trial
from .combined import combined
from .projected import Projected
from .results import CheapestFix
from .scopes import canonical

if TYPE_CHECKING:
    from ...pricing.book import PriceBook
    from ..architecture.component import Component

MAX_CHANGES = 4
MAX_TASKS = 1000
LONGER = {"none": ("5m", "1h"), "5m": ("1h",), "1h": ()}
"""Longer times that a cache may live."""
MAX_COMPONENTS = 10
HOPELESS = Fraction(1, 10)
"""A change whose expected saving is below this part of what is needed is not simulated."""


def component_changes(projected: Projected, name: str, *, one_run: bool = False) -> Iterator[Change]:
    """Every change of that component after which all that it uses has a price.

    `one_run` leaves out changes of how often it runs.
    """
    yield from _priced(projected, _component_changes(projected, name, one_run))


def task_changes(projected: Projected, names: Sequence[str]) -> Iterator[Change]:
    """Every change of a task that those components share after which all that they use has a price."""
    yield from _priced(projected, _task_moves(projected, names))


def _priced(projected: Projected, found: Iterable[Change]) -> Iterator[Change]:
    return (change for change in found if _is_priced(change.apply(projected), change.components))


def _is_priced(after: Projected, names: Iterable[str]) -> bool:
    """Whether those components cost what is known: what has no price saves everything, and is no saving."""
    return not any(after.costs.planned(name, after.plan).lacking for name in names)


def _component_changes(projected: Projected, name: str, one_run: bool) -> Iterator[Change]:
    component = projected.costs.works[name].component
    yield from _moves(projected, component)
    yield from _batch(projected, component)
    yield from _caching(component)
    yield from _batching(component)
    if not one_run:
        below = frozenset(projected.spawned_by([name]))
        yield from (replace(half, components=half.components | below) for half in _half_as_often(component))


def cheapest_fix(
    options: Iterable[Change], trial: Trial, value_usd: Fraction, limit_usd: Fraction
) -> CheapestFix | None:
    """The change that takes least away and is enough; else some together; None where nothing saves anything."""
    tried = [(trial.relief_usd([change]), n, change) for n, change in enumerate(options)]
    helpful = [entry for entry in tried if entry[0] > 0 and trial.saved_usd([entry[2]]) > 0]
    most_first = [change for _, _, change in sorted(helpful, key=lambda entry: (-entry[0], entry[1]))]
    if not most_first:
        return None
    if trial.value_usd(most_first[:1]) > limit_usd:
        together = _together(most_first, trial, limit_usd)
        return (
            together
            if together.sufficient
            else _best(together, combined(most_first, trial, limit_usd), trial, limit_usd)
        )
    floor = HOPELESS * (value_usd - limit_usd)
    for relief, _, change in sorted(helpful, key=lambda entry: entry[:2]):
        if relief >= floor and trial.value_usd([change]) <= limit_usd:
            return _fix([change], trial, limit_usd)
    return _fix(most_first[:1], trial, limit_usd)


def _best(together: CheapestFix, taken: list[Change], trial: Trial, limit_usd: Fraction) -> CheapestFix:
    """What is enough, or else saves most."""
    found = _fix(taken, trial, limit_usd) if taken else together
    return found if found.sufficient or found.value_usd < together.value_usd else together


def _together(found: list[Change], trial: Trial, limit_usd: Fraction) -> CheapestFix:
    """The changes that save most, of components not yet changed, until it is enough."""
    taken: list[Change] = []
    for change in found:
        if len(taken) < MAX_CHANGES and not any(change.components & other.components for other in taken):
            taken.append(change)
            if trial.value_usd(taken) <= limit_usd:
                break
    return _fix(taken, trial, limit_usd)


def _fix(taken: list[Change], trial: Trial, limit_usd: Fraction) -> CheapestFix:
    value = trial.value_usd(taken)
    message = [change.message for change in taken]
    return CheapestFix(
        message=listed(message),
        changes=message,
        saved_usd=to_usd(trial.saved_usd(taken)),
        value_usd=to_usd(value),
        sufficient=value <= limit_usd,
    )


def _moves(projected: Projected, component: Component) -> Iterator[Change]:
    if "escalate" in projected.plan.choice(component).policies:  # its runs start on the models that it names
        return
    for model in _other_models(projected, [component.name]):
        yield Change(
            f"move {component.name} to {model}",
            frozenset({component.name}),
            _moved_to(model, [component.name]),
            "model",
        )


def _task_moves(projected: Projected, names: Sequence[str]) -> Iterator[Change]:
    """All components of a task, where it has more than one, that the routing decides about."""
    routing = projected.costs.architecture.model_routing
    tasks: dict[str, list[Component]] = {}
    for component in projected.components:
        if component.model is None and component.task in routing:
            tasks.setdefault(component.task, []).append(component)
    for task, components in tasks.items():
        free = not any("escalate" in projected.plan.choice(component).policies for component in components)
        moved = [component.name for component in components]
        if len(moved) > 1 and free and set(moved) & set(names):
            for model in _other_models(projected, moved):
                yield Change(f"route the task {task} to {model}", frozenset(moved), _moved_to(model, moved))


def _other_models(projected: Projected, names: Sequence[str]) -> list[str]:
    """The models that the file names, but for the components' own one and those that cannot do their work.

    These are of another kind, have too small a window, or are known not to take the tools or images that are needed.
    """
    book = projected.costs.book(projected.costs.run_book)
    plans = projected.costs.architecture.plans.values()
    planned = [m for spec in plans for m in (spec.model, *spec.model_routing.values(), *spec.components.values()) if m]
    by_name = {canonical(m, book): m for m in [*named_models(projected.costs.architecture), *planned]}
    own = canonical(projected.plan.models[names[0]], book)
    largest = max(largest_input(projected.costs.works[name].profile) or 0 for name in names)
    needs = {need for name in names for need in projected.costs.works[name].component.needs}
    return [
        model
        for name, model in by_name.items()
        if name != own
        and can_replace(name, own, book)
        and _fits(largest, model, book)
        and not any(takes(name, need, book) is False for need in needs)
    ]


def _fits(tokens: int, model: str, book: PriceBook) -> bool:
    key = book.resolve(model)
    window = book.context_window(key) if key else None
    return window is None or tokens <= window


def _moved_to(model: str, names: Sequence[str]) -> Callable[[Projected], Projected]:
    def apply(projected: Projected) -> Projected:
        models = projected.plan.models | dict.fromkeys(names, model)
        return replace(projected, plan=replace(projected.plan, models=models))

    return _kept(apply)


def _kept(apply: Callable[[Projected], Projected]) -> Callable[[Projected], Projected]:
    """The same, keeping what it gave last: a change is tried several times, and costs are kept by architecture."""
    made: list[tuple[Projected, Projected]] = []

    def kept(projected: Projected) -> Projected:
        if not made or made[0][0] is not projected:
            made[:] = [(projected, apply(projected))]
        return made[0][1]

    return kept


def _batch(projected: Projected, component: Component) -> Iterator[Change]:
    turns = isinstance(projected.costs.works[component.name].profile, Sessions)  # each waits for the one before
    if component.processing == "standard" and not component.interactive and not turns:
        message = f"run {component.name} as batch (processing: batch)"
        yield _edited(message, component.name, {"processing": "batch"}, "processing")


def _caching(component: Component) -> Iterator[Change]:
    """A longer or a first cache of a session, a longer one of what is stated as a cached prefix."""
    name, session = component.name, component.tokens and component.tokens.session
    if session and component.tokens:
        for ttl in LONGER[session.cache]:
            tokens = component.tokens.model_copy(update={"session": session.model_copy(update={"cache": ttl})})
            yield _edited(f"cache {name} for {ttl} (session.cache: {ttl})", name, {"tokens": tokens}, "cache")
    elif component.cache and component.cache.hit_rate is None:
        for ttl in LONGER[component.cache.ttl]:
            cache = component.cache.model_copy(update={"ttl": ttl})
            yield _edited(f"cache {name} for {ttl} (cache.ttl: {ttl})", name, {"cache": cache}, "cache")


def _batching(component: Component) -> Iterator[Change]:
    """Twice as many tasks in a spawn, where spawns are shared already: what overhead they share is known."""
    batch = component.batch_with
    if batch and not component.interactive and batch.tasks <= MAX_TASKS // 2:
        twice = batch.model_copy(update={"tasks": 2 * batch.tasks})
        message = f"run {component.name} {twice.tasks} tasks to a spawn (batch_with.tasks: {twice.tasks})"
        yield _edited(message, component.name, {"batch_with": twice}, "batching")


def _half_as_often(component: Component) -> Iterator[Change]:
    name, rate = component.name, component.runs_per_day
    if component.schedule and (schedule := half_as_often(component.schedule)):
        yield _edited(f'run {name} half as often (schedule: "{schedule}")', name, {"schedule": schedule})
    elif isinstance(rate, Poisson):
        half = Poisson(poisson=rate.poisson / 2)
        yield _edited(
            f"run {name} half as often (runs_per_day: {{poisson: {half.poisson:f}}})", name, {"runs_per_day": half}
        )
    elif isinstance(rate, Decimal):
        yield _edited(f"run {name} half as often (runs_per_day: {rate / 2:f})", name, {"runs_per_day": rate / 2})


def _edited(message: str, name: str, update: dict[str, object], way: str = "") -> Change:
    return Change(message, frozenset({name}), _kept(lambda projected: _with_edit(projected, name, update)), way)


def _with_edit(projected: Projected, name: str, update: dict[str, object]) -> Projected:
    """The component with other words; it keeps its tokens, also where they are solved from a cost."""
    costs = projected.costs
    work = costs.works[name]
    component = work.component.model_copy(update=update)
    often = {"schedule", "runs_per_day"} & update.keys()
    runs = costs.scale.own(replace(work, component=component, runs=runs_of(component, costs.horizon, calls=0))).runs
    session = component.tokens and component.tokens.session
    profile = SessionProfile.of(session) if session and "tokens" in update else work.profile
    changed = replace(work, component=component, runs=runs if often else own_runs(work), profile=profile)
    return replace(projected, costs=costs.with_work(changed))


def half_as_often(schedule: str) -> str | None:
    """The cron expression that runs at every second time of this one, as near as one can write it; None if unknown.

    Minutes are halved where there are several an hour, else hours, else days.
    """
    fields = schedule.split()
    if len(fields) != 5:
        return None
    for n, whole in ((0, 60), (1, 24)):
        half = _half(fields[n], whole)
        if half:
            return " ".join([*fields[:n], half, *fields[n + 1 :]])
        if not fields[n].isdigit():
            return None
    return " ".join([*fields[:2], "*/2", *fields[3:]]) if fields[2] == "*" and fields[4] == "*" else None


def _half(words: str, whole: int) -> str | None:
    """Half the times of one field of a cron expression that counts up to `whole`."""
    if words == "*":
        return "*/2"
    step = words.removeprefix("*/")
    if step != words and step.isdigit() and int(step) and whole % (2 * int(step)) == 0:
        return f"*/{2 * int(step)}" if 2 * int(step) < whole else "0"
    listed = words.split(",")
    if len(listed) > 1 and len(listed) % 2 == 0 and all(part.isdigit() for part in listed):
        return ",".join(listed[::2])
    first, dash, last = words.partition("-")
    return f"{words}/2" if dash and first.isdigit() and last.isdigit() else None
