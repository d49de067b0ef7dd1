"""Why tokens differ: calls on another day, tokens that one side counts several times, else calls that one side lacks.

Each is claimed only where it is exact in every class: the last calls of a day add up to what the bill has on the next
one, or a model's or component's tokens are just two, three or four times as many. For a model, a match on most days is
enough: what the other days have beyond that are calls that one side lacks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from .sides import CellKey, SideCell
from .split import EMPTY, Item, Quantities, token_price

if TYPE_CHECKING:
    from .results import Part

Vector = dict[str, int]
Call = tuple[datetime, Vector]
DayCalls = Callable[[date, str, str], list[Call]]
"""The calls of our side on a day, of a provider and model, by time."""

HOURS = timedelta(hours=14)
FACTORS = (2, 3, 4)
DAY = timedelta(1)


def token_items(
    ours: Mapping[CellKey, SideCell], theirs: Mapping[CellKey, SideCell], less: Quantities, calls: DayCalls | None
) -> list[Item]:
    """The items of tokens that differ; they are worth our price per token."""
    left = dict(less)
    items: list[Item] = []

    def take(part: Part, reason: str, amounts: Quantities, subject: str = "") -> None:
        for (key, kind), tokens in amounts.items():
            price = token_price(ours.get(key, EMPTY), theirs.get(key, EMPTY), kind)
            items.append(Item(*key, kind, part, reason, tokens * price, subject, tokens))  # type: ignore[arg-type]
            left[key, kind] = left.get((key, kind), 0) - tokens
            if not left[key, kind]:
                del left[key, kind]

    if calls:
        take("timing", "another day", shifted(left, {key[0] for key in theirs}, calls))
    for subject, amounts in multiplied(left, ours, theirs):
        take("tokens", "tokens", amounts, subject)
    for key, kinds in _by_cell(left).items():
        part: Part = "missing_in_ours" if all(n > 0 for n in kinds.values()) else "missing_in_theirs"
        mixed = any(n > 0 for n in kinds.values()) and any(n < 0 for n in kinds.values())
        amounts = {(key, kind): n for kind, n in kinds.items()}
        if mixed:
            take("tokens", "tokens", amounts, "counted in other classes")
        else:
            take(part, "missing calls", amounts)
    return items


def _by_cell(left: Quantities) -> dict[CellKey, Vector]:
    found: dict[CellKey, Vector] = defaultdict(dict)
    for (key, kind), tokens in left.items():
        found[key][kind] = tokens
    return dict(found)


def shifted(less: Quantities, days: set[date], calls: DayCalls) -> Quantities:
    """Tokens of calls near midnight that theirs has on the next day, or on the day before, by cell and class.

    `days` are those that the sides have; calls of a day beside them may have moved in or out.
    """
    left: dict[CellKey, Vector] = defaultdict(lambda: defaultdict(int))
    for key, own in _by_cell(less).items():
        left[key].update(own)
    moved: Quantities = defaultdict(int)
    for provider, model in sorted({key[1:] for key in [*left]}):
        for step in (1, -1):
            for day in sorted(days, reverse=step < 0):
                _move_in((day, provider, model), step, left, moved, days, calls)
                _move_out((day, provider, model), step, left, moved, days, calls)
    return {place: tokens for place, tokens in moved.items() if tokens}


Left = dict[CellKey, Vector]


def _move_out(key: CellKey, step: int, left: Left, moved: Quantities, days: set[date], calls: DayCalls) -> None:
    """Where the logs have more, by exactly the day's last (or first) calls: the bill has these on the day beside it."""
    more = {kind: -n for kind, n in left[key].items() if n}
    after = (key[0] + step * DAY, *key[1:])
    if not more or min(more.values()) < 0 or not _lands(key, step, left, days):
        return
    if _edge(calls(*key), more, key[0], step):
        for kind, n in more.items():
            _shift(key, kind, -n, left, moved)
            if after[0] in days:
                _shift(after, kind, n, left, moved)


def _move_in(key: CellKey, step: int, left: Left, moved: Quantities, days: set[date], calls: DayCalls) -> None:
    """Where the bill has more, by exactly the last (or first) calls of a day beside it, on which it lacks them."""
    more = {kind: n for kind, n in left[key].items() if n}
    before = key[0] - step * DAY
    if not more or min(more.values()) < 0 or before in days:
        return
    if _edge(calls(before, *key[1:]), more, before, step):
        for kind, n in more.items():
            _shift(key, kind, n, left, moved)


def _shift(key: CellKey, kind: str, tokens: int, left: Left, moved: Quantities) -> None:
    moved[key, kind] += tokens
    left[key][kind] = left[key].get(kind, 0) - tokens


def _lands(key: CellKey, step: int, left: Left, days: set[date]) -> bool:
    """Whether theirs has more on some later day (of an earlier one, going back), or ends before it."""
    if key[0] + step * DAY not in days:
        return True
    later = [own for other, own in left.items() if other[1:] == key[1:] and (other[0] - key[0]).days * step > 0]
    return any(n > 0 for own in later for n in own.values())


def _edge(calls: list[Call], wanted: Vector, day: date, step: int) -> bool:
    """Whether the day's last calls (its first, going back) add up to just these tokens, all of them near midnight."""
    total: Vector = defaultdict(int)
    midnight = datetime.combine(day + DAY if step > 0 else day, datetime.min.time())
    for ts, tokens in reversed(calls) if step > 0 else calls:
        if abs(midnight - ts) > HOURS:
            return False
        for kind, n in tokens.items():
            total[kind] += n
        if {kind: n for kind, n in total.items() if n} == wanted:
            return True
        if any(n > wanted.get(kind, 0) for kind, n in total.items()):
            return False
    return False


def multiplied(
    left: Quantities, ours: Mapping[CellKey, SideCell], theirs: Mapping[CellKey, SideCell]
) -> Iterable[tuple[str, Quantities]]:
    """Tokens that one side has two, three or four times: of all of a model, or of one component, agent or task."""
    for model in sorted({(key[1], key[2]) for key, _ in left}):
        own = {place: n for place, n in left.items() if place[0][1:] == model}
        found = _whole_model(own, ours, theirs) or _one_group(own, ours)
        if found:
            yield found


def _whole_model(
    own: Quantities, ours: Mapping[CellKey, SideCell], theirs: Mapping[CellKey, SideCell]
) -> tuple[str, Quantities] | None:
    model = next(iter(own))[0][1:]
    pairs = {
        key: (ours.get(key, EMPTY).tokens, theirs.get(key, EMPTY).tokens)
        for key in {*ours} | {*theirs}
        if key[1:] == model
        and (any(ours.get(key, EMPTY).tokens.values()) or any(theirs.get(key, EMPTY).tokens.values()))
    }
    for factor in FACTORS:
        for where, sign in (("here", -1), ("there", 1)):
            more = {key: pair[sign > 0] for key, pair in pairs.items()}
            less = {key: pair[sign < 0] for key, pair in pairs.items()}
            exact = [key for key in pairs if _is_multiple(more[key], less[key], factor)]
            whole = all(n % factor == 0 for tokens in more.values() for n in tokens.values())
            if exact and whole and 2 * len(exact) >= len(pairs):
                extra = {
                    (key, kind): sign * (n - n // factor)
                    for key, tokens in more.items()
                    for kind, n in tokens.items()
                    if n
                }
                return f"{factor} times as many {where}", extra
    return None


def _is_multiple(more: Mapping[str, int], less: Mapping[str, int], factor: int) -> bool:
    return all(more.get(kind, 0) == factor * less.get(kind, 0) for kind in {*more} | {*less})


def _one_group(own: Quantities, ours: Mapping[CellKey, SideCell]) -> tuple[str, Quantities] | None:
    """A component, agent or task whose tokens are a multiple: the excess is exactly its share."""
    of_model = {key: cell for key, cell in ours.items() if key[1:] == next(iter(own))[0][1:]}
    for place, word in enumerate(("component", "agent", "task")):
        for name in sorted({group[place] for cell in of_model.values() for group in cell.groups}):
            counted = _of_group(of_model, place, name)
            for factor in FACTORS:
                extra = {spot: -n * (factor - 1) // factor for spot, n in counted.items() if n % factor == 0}
                if counted and extra == own:
                    return f"{word} {name or '(none)'}: {factor} times as many here", own
    return None


def _of_group(cells: Mapping[CellKey, SideCell], place: int, name: str) -> Quantities:
    found: Quantities = defaultdict(int)
    for key, cell in cells.items():
        for group, tokens in cell.groups.items():
            if group[place] == name:
                for kind, n in tokens.items():
                    if kind != "request" and n:
                        found[key, kind] += n
    return dict(found)
