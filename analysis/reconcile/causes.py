"""Items of many cells as causes that people can act on, each with its amount, days and example calls."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from ...money import format_cents
from ...months import span_words
from .results import CallExample, DifferenceCause, PartAmounts
from .split import Item, percent_words

PLACES = Decimal(10) ** -12
SHOWN = Fraction(1, 10**6)
HALF = percent_words(Fraction(1, 2))
Examples = Callable[[list[Item]], list[CallExample]]


def exact(amount: Fraction) -> Decimal:
    """A Fraction as a Decimal of twelve places: an amount of money loses nothing that anyone can be billed."""
    return (Decimal(amount.numerator) / Decimal(amount.denominator)).quantize(PLACES, ROUND_HALF_EVEN).normalize() + 0


def parts_of(items: Iterable[Item], difference: Decimal) -> PartAmounts:
    """The items by part; what twelve places cannot hold is unexplained, so that the parts add up exactly."""
    sums: dict[str, Fraction] = defaultdict(Fraction)
    for item in items:
        sums[item.part] += item.usd
    amounts = {part: exact(usd) for part, usd in sums.items()}
    amounts["unexplained"] = difference - sum(
        (usd for part, usd in amounts.items() if part != "unexplained"), Decimal(0)
    )
    return PartAmounts(**amounts)


def causes_of(items: Iterable[Item], ours: str, theirs: str, examples: Examples) -> list[DifferenceCause]:
    """The causes, the largest amount first; what two sides only have on other days is as large as what moved."""
    groups: dict[tuple[str, str, str, str], list[Item]] = defaultdict(list)
    for item in items:
        groups[item.part, item.reason, _subject(item), item.subject].append(item)
    found = []
    for (_, _, subject, detail), own in groups.items():
        size = sum((abs(item.usd) for item in own), Fraction())
        if size >= SHOWN:
            found.append(_cause(own, subject, detail, ours, theirs, examples(own)))
    return sorted(found, key=lambda cause: (-cause.size_usd, cause.message))


def _subject(item: Item) -> str:
    """A discount is a provider's; all else is a model's."""
    of_provider = item.reason in ("discount", "credit", "allowance", "rounding", "charge without tokens")
    return item.provider if of_provider or not item.model else f"{item.provider}/{item.model}"


def _cause(
    own: list[Item], subject: str, detail: str, ours: str, theirs: str, examples: list[CallExample]
) -> DifferenceCause:
    usd = sum((item.usd for item in own), Fraction())
    moved = max(
        sum((item.usd for item in own if item.usd > 0), Fraction()),
        -sum((item.usd for item in own if item.usd < 0), Fraction()),
    )
    size = moved if own[0].part == "timing" else abs(usd)
    first, last = min(item.day for item in own), max(item.day for item in own)
    return DifferenceCause(
        part=own[0].part,
        reason=own[0].reason,
        subject=subject,
        usd=exact(usd),
        size_usd=exact(size),
        message=_message(own, subject, detail, ours, theirs, span_words(first, last), exact(size)),
        first=first,
        last=last,
        examples=examples,
    )


def _message(own: list[Item], subject: str, detail: str, ours: str, theirs: str, when: str, size: Decimal) -> str:
    item = own[0]
    tokens = sum(abs(one.tokens) for one in own)
    counted = f" ({tokens:,} tokens)" if tokens and item.part != "timing" else ""
    words = {
        "missing_in_ours": f"of {subject} is in {theirs} and not in {ours}",
        "missing_in_theirs": f"of {subject} is in {ours} and not in {theirs}",
        "timing": f"of {subject}: calls near midnight (UTC) are on another day in {theirs}",
        "tokens": f"of {subject}: the same calls with other tokens{_of(detail)}",
        "credits": f"{item.reason} of {subject} in {theirs}{_of(detail)}",
        "price": f"of {subject}: {_price_words(item, detail, theirs)}",
        "unexplained": f"of {subject}: {item.reason}{_of(detail)}",
    }
    return f"{format_cents(size)} {words[item.part]}, {when}{counted}"


def _of(detail: str) -> str:
    return f" ({detail})" if detail else ""


def _price_words(item: Item, detail: str, theirs: str) -> str:
    if item.reason == "discount":
        halved = "; batches would look the same, and calls counted twice here" if detail == HALF else ""
        return f"a discount, {theirs} states {detail} than the price list{halved}"
    if item.reason == "rate":
        return f"another rate, {theirs} states {detail or 'another amount'} than the price list"
    if item.reason == "tier":
        return "priced at another context tier"
    return (
        f"priced as {item.reason}{_of(detail)}"
        if item.reason != "region"
        else f"priced for another region{_of(detail)}"
    )
