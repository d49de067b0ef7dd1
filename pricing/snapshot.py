"""genai-prices' bundled snapshot, flattened to price rows, offline: most of the book `list` (sources.py).

Precedence among dated prices, daily windows and variants is not written again here: genai-prices' own
`get_prices` is asked at every instant at which an answer can change.

Where ours differs from `genai_prices.calc_price` on purpose (tests/pricing/test_snapshot.py shows each):

- A token class with tokens and no price is unpriced; genai-prices counts it as $0. That holds for models
  without any price too, as OpenRouter's `:free` ones: an overlay with price 0 says that they are free.
- Context keys `route` and `search_type` (a Mistral and a Perplexity model) have no place in a usage log: the
  standard price applies. `service_tier: default` carries no prices and is `standard`.
- Units other than tokens, searches and requests (audio hours, pages, pixels, ...), tokens of video and documents
  and reasoning or citation tokens at prices of their own are listed by `prices show` and not costed apart: a
  reasoning token counts as output. Groq's minimum of ten billed audio seconds goes with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from .kept import kept, list_hash
from .rows import ModelKey, PriceRow

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelInfo, ModelPrice

FALLBACKS = {
    "input": ("input_mtok",),
    "cache_read": ("cache_read_mtok", "input_mtok"),
    "cache_write_5m": ("cache_write_5m_mtok", "cache_write_mtok", "input_mtok"),
    "cache_write_1h": ("cache_write_1h_mtok", "cache_write_mtok", "input_mtok"),
    "output": ("output_mtok",),
    "input_audio": ("input_audio_mtok", "input_mtok"),
    "input_image": ("input_image_mtok", "input_mtok"),
    "cache_read_audio": ("cache_audio_read_mtok", "cache_read_mtok", "input_audio_mtok", "input_mtok"),
    "cache_read_image": ("cache_image_read_mtok", "cache_read_mtok", "input_image_mtok", "input_mtok"),
    "output_audio": ("output_audio_mtok", "output_mtok"),
    "output_image": ("output_image_mtok", "output_mtok"),
    "web_search": ("web_searches_kcount",),
    "request": ("requests_kcount",),
}
"""Which price key pays for a class: the first that the model has, as genai-prices decomposes usage.

A model has rows of audio or images where some price of it is for them: others have none, see PriceBook.price."""

OF_MEDIA = {
    "input_audio": ("input_audio_mtok", "cache_audio_read_mtok"),
    "input_image": ("input_image_mtok", "cache_image_read_mtok"),
    "cache_read_audio": ("input_audio_mtok", "cache_audio_read_mtok"),
    "cache_read_image": ("input_image_mtok", "cache_image_read_mtok"),
    "output_audio": ("output_audio_mtok",),
    "output_image": ("output_image_mtok",),
}
"""The price keys that say that a model prices such tokens apart."""

CONTEXTS: dict[str, tuple[dict[str, str], ...]] = {
    "batch": ({"processing": "batch"},),
    "flex": ({"service_tier": "flex"},),
    "priority": ({"service_tier": "priority"},),
    "fast": ({"service_tier": "fast"}, {"speed": "fast"}),
}
"""The request contexts of genai-prices that mean our processing levels."""

Window = tuple[datetime | None, datetime | None, time | None, time | None]


@cache
def snapshot() -> DataSnapshot:
    """genai-prices' bundled data (never one that an updater has swapped in)."""
    from genai_prices.data import providers
    from genai_prices.data_snapshot import DataSnapshot

    return DataSnapshot(providers=providers, from_auto_update=False)


@cache
def data_version() -> str:
    """The installed version of genai-prices."""
    from importlib.metadata import version

    return version("genai-prices")


def source() -> str:
    """The name and version of the data."""
    return f"genai-prices {data_version()}"


@cache
def content_hash() -> str:
    """sha256 of the snapshot's data file: equal hashes, equal prices."""
    return list_hash()


@cache
def provider_ids() -> frozenset[str]:
    """The ids of all providers."""
    return kept("providers", (), lambda: frozenset(provider.id for provider in snapshot().providers), sorted, frozenset)


@cache
def _by_id() -> dict[tuple[str, str], ModelKey]:
    return {(key.provider.lower(), key.model.lower()): key for key in _models()}


@cache
def by_id(model_id: str, provider: str | None) -> ModelKey | None:
    """The provider's model of exactly that id, whatever the case."""
    if provider is None:
        return None
    asked = (provider, model_id.lower())
    return kept("id", asked, lambda: _by_id().get(asked), list_or_none, key_or_none)


@cache
def _key_by_identity() -> dict[int, ModelKey]:
    return {id(model): key for key, model in _models().items()}


@cache
def find(model_ref: str, provider: str | None) -> ModelKey | None:
    """The model that genai-prices' own match clauses give for a reference, or None.

    Where a provider resells another's models (Azure OpenAI's, Google Anthropic's), the key is the maker's.
    """
    return kept("match", (model_ref, provider), lambda: _matched(model_ref, provider), list_or_none, key_or_none)


def list_or_none(key: ModelKey | None) -> list[str] | None:
    """A key as JSON has it."""
    return None if key is None else [*key]


def key_or_none(texts: list[str] | None) -> ModelKey | None:
    """A key from JSON."""
    return None if texts is None else ModelKey(*texts)


def _matched(model_ref: str, provider: str | None) -> ModelKey | None:
    try:
        _, model = snapshot().find_provider_model(model_ref, None, provider, None)
    except LookupError:
        return None
    return _key_by_identity()[id(model)]


@cache
def _models() -> dict[ModelKey, ModelInfo]:
    return {ModelKey(p.id, m.id): m for p in snapshot().providers for m in p.models}


def keys() -> list[ModelKey]:
    """Every model of the snapshot."""
    return list(_models())


def model_info(key: ModelKey) -> ModelInfo | None:
    """What genai-prices says of the model."""
    return _models().get(key)


@cache
def price_keys(key: ModelKey) -> frozenset[str]:
    """The units that some price of the model is for, as genai-prices names them: `output_mtok`, `audio_hours`."""
    return kept("units", key, lambda: _price_keys(key), sorted, frozenset)


def _price_keys(key: ModelKey) -> frozenset[str]:
    model = _models().get(key)
    stated: Sequence[Any] = [] if model is None else model.prices if isinstance(model.prices, list) else [model]
    return frozenset(name for part in stated for name, usd in part.prices.__dict__.items() if usd is not None)


def context_window(key: ModelKey) -> int | None:
    """The model's context window in tokens, where the snapshot knows it."""
    window: int | None = kept("window", key, lambda: _context_window(key), lambda known: known, lambda known: known)
    return window


def _context_window(key: ModelKey) -> int | None:
    model = _models().get(key)
    window: int | None = model.context_window if model else None
    return window


@cache
def rows(key: ModelKey) -> tuple[PriceRow, ...]:
    """All price rows of one model: every class, tier, date and processing level. Empty if unknown."""
    model = _models().get(key)
    return tuple(_rows(key, model)) if model else ()


def _rows(key: ModelKey, model: ModelInfo) -> Iterator[PriceRow]:
    windows, classes = list(_windows(model)), _classes(price_keys(key))
    yield from _merged(key, "standard", classes, [(window, model.get_prices(at)) for window, at in windows])
    for processing, contexts in CONTEXTS.items():
        context = next((c for c in contexts if any(v.when == c for v in model.price_variants or ())), None)
        if context:
            # where a level has no price of its own yet, the standard one is found, and said to be that
            priced = [(window, model.get_prices(at, context), model.get_prices(at)) for window, at in windows]
            changed = [(window, own) for window, own, usual in priced if own != usual]
            yield from _merged(key, processing, classes, changed)


def _classes(keys: frozenset[str]) -> tuple[str, ...]:
    """The token classes that a model with these price keys can have rows of."""
    return tuple(name for name in FALLBACKS if name not in OF_MEDIA or keys & {*OF_MEDIA[name]})


def _windows(model: ModelInfo) -> Iterator[tuple[Window, datetime]]:
    """The spans of time in which no price of the model can change, each with an instant inside it."""
    from genai_prices.types import StartDateConstraint, TimeOfDateConstraint

    prices = model.prices if isinstance(model.prices, list) else []
    constraints = [p.constraint for p in (*prices, *(model.price_variants or ())) if p.constraint]
    dates = sorted({_midnight(c.start_date) for c in constraints if isinstance(c, StartDateConstraint)})
    daily = [c for c in constraints if isinstance(c, TimeOfDateConstraint)]
    clocks = sorted({t.replace(tzinfo=None) for c in daily for t in (c.start_time, c.end_time)})
    spans: list[tuple[time, time] | tuple[None, None]] = [*zip(clocks, [*clocks[1:], *clocks[:1]], strict=True)]
    for valid_from, valid_to in zip([None, *dates], [*dates, None], strict=True):
        day = valid_from or (valid_to - timedelta(days=1) if valid_to else datetime(2020, 1, 1, tzinfo=UTC))
        for begin, end in spans or [(None, None)]:
            at = day if begin is None else day.replace(hour=begin.hour, minute=begin.minute)
            yield (valid_from, valid_to, begin, end), at


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


@dataclass(frozen=True)
class _Amount:
    """One price as a row states it, without its span of time."""

    token_class: str
    min_input_tokens: int
    usd: Decimal
    per: int
    price_key: str


def _merged(
    key: ModelKey, processing: str, classes: Sequence[str], priced: list[tuple[Window, ModelPrice]]
) -> Iterator[PriceRow]:
    """Rows of each span; spans that follow each other at the same price become one row."""
    spans: dict[tuple[str, time | None, time | None], list[tuple[Window, frozenset[_Amount]]]] = {}
    for window, price in priced:
        by_class: dict[str, set[_Amount]] = {}
        for amount in _amounts(price, classes):
            by_class.setdefault(amount.token_class, set()).add(amount)
        for token_class, amounts in by_class.items():
            known = spans.setdefault((token_class, *window[2:]), [])
            if known and known[-1][0][1] == window[0] and known[-1][1] == amounts:
                known[-1] = ((known[-1][0][0], *window[1:]), known[-1][1])
            else:
                known.append((window, frozenset(amounts)))
    for known in spans.values():
        for window, same in known:
            for amount in sorted(same, key=lambda a: a.min_input_tokens):
                yield _row(key, processing, window, amount)


def _row(key: ModelKey, processing: str, window: Window, amount: _Amount) -> PriceRow:
    valid_from, valid_to, utc_from, utc_to = window
    return PriceRow(
        *key,
        amount.token_class,
        processing,
        amount.min_input_tokens,
        valid_from,
        valid_to,
        utc_from,
        utc_to,
        amount.usd,
        amount.per,
        source=f"{source()} {key} {amount.price_key}",
        source_version=data_version(),
    )


@cache
def _units() -> dict[str, tuple[str, int]]:
    """Price key to (usage name, how many units the price is for)."""
    from genai_prices.data_units import unit_data

    return {unit["price_key"]: (name, int(unit["per"])) for name, unit in unit_data.items()}


def _amounts(price: ModelPrice, classes: Sequence[str]) -> Iterator[_Amount]:
    per = _units()
    stated = {name: value for name, value in price.__dict__.items() if value is not None and name in per}
    for token_class in classes:
        paying = next((name for name in FALLBACKS[token_class] if name in stated), None)
        if paying:
            yield from _tiers(token_class, paying, stated[paying], per[paying][1])
    ours = {name for price_keys in FALLBACKS.values() for name in price_keys}
    for name in (name for name in stated if name not in ours):
        yield from _tiers(per[name][0], name, stated[name], per[name][1])


def _tiers(token_class: str, price_key: str, value: object, per: int) -> Iterator[_Amount]:
    """genai-prices' tier applies above its start, so ours begins one token later."""
    from genai_prices.types import TieredPrices

    if isinstance(value, Decimal):
        yield _Amount(token_class, 0, value, per, price_key)
    elif isinstance(value, TieredPrices):
        yield _Amount(token_class, 0, value.base, per, price_key)
        for tier in value.tiers:
            yield _Amount(token_class, tier.start + 1, tier.price, per, price_key)
