"""Changes that are enough only together: model x processing x cache x batching, per component and over components.

Of every component the combinations of its changes are costed exactly; the most saving ones are taken until the budget
holds, then each is replaced by the smallest that still is enough. Whether it is enough is drawn anew every time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from .change import Change, Trial

Combination = tuple[Change, ...]
MAX_TRIED = 24
"""Smaller changes of one component that are drawn."""


@dataclass(frozen=True)
class Option:
    """Changes of one component that go together, and what they take off the budget's scope."""

    taken: Combination
    relief_usd: Fraction


def combined(found: Sequence[Change], trial: Trial, limit_usd: Fraction) -> list[Change]:
    """Changes of several kinds, of one or more components, that together are enough; else those that save most."""
    options = {name: list(_options(own, trial)) for name, own in _by_component(found).items()}
    ordered = sorted((own for own in options.values() if own), key=lambda own: -own[0].relief_usd)
    chosen: list[Option] = []
    smaller: list[list[Option]] = []
    for own in ordered:
        chosen.append(own[0])
        smaller.append(sorted(own[1:], key=lambda option: (len(option.taken), option.relief_usd)))
        if trial.value_usd(_flat(chosen)) <= limit_usd:
            return _flat(_reduced(chosen, smaller, trial, limit_usd))
    return _flat(chosen)


def _flat(chosen: Iterable[Option]) -> list[Change]:
    return [change for option in chosen for change in option.taken]


def _reduced(
    chosen: list[Option], smaller: Sequence[Sequence[Option]], trial: Trial, limit_usd: Fraction
) -> list[Option]:
    """Each component's changes replaced by the fewest and smallest that are enough with those of the others."""
    for n in reversed(range(len(chosen))):
        for option in smaller[n][:MAX_TRIED]:
            fewer = (len(option.taken), option.relief_usd) < (len(chosen[n].taken), chosen[n].relief_usd)
            tried = [*chosen[:n], option, *chosen[n + 1 :]]
            if fewer and trial.value_usd(_flat(tried)) <= limit_usd:
                chosen = tried
                break
    return chosen


def _by_component(found: Sequence[Change]) -> Mapping[str, dict[str, list[Change]]]:
    """The changes of single components that may go together, by component and by what they change."""
    grouped: dict[str, dict[str, list[Change]]] = {}
    for change in found:
        if len(change.components) == 1 and change.way:
            (name,) = change.components
            grouped.setdefault(name, {}).setdefault(change.way, []).append(change)
    return grouped


def _options(own: Mapping[str, Sequence[Change]], trial: Trial) -> Iterator[Option]:
    """Every combination that saves something, the most saving first."""
    ways: list[list[Change | None]] = [[None, *changes] for changes in own.values()]
    combinations = (tuple(change for change in picked if change) for picked in product(*ways))
    options = [Option(taken, trial.relief_usd(taken)) for taken in combinations if taken]
    helpful = [option for option in options if option.relief_usd > 0 and trial.saved_usd(option.taken) > 0]
    yield from sorted(helpful, key=lambda option: (-option.relief_usd, len(option.taken)))
