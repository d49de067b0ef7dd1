"""The list book against its source: every price of genai-prices, by our lookup and by our SQL, to the last digit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction

import duckdb
import pytest
from costsim.pricing import book, snapshot, sources
from costsim.pricing.book import PriceBook, open_book
from costsim.pricing.rows import ModelKey
from costsim.pricing.store import cost_sums, load_prices
from costsim.tokens import MEDIA_CLASSES, TOKEN_CLASSES
from genai_prices import Usage
from genai_prices.types import ModelInfo, StartDateConstraint, TieredPrices, TimeOfDateConstraint
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import examples

PROVIDERS = {provider.id: provider for provider in snapshot.snapshot().providers}
MODELS: dict[ModelKey, ModelInfo] = {
    ModelKey(provider.id, model.id): model for provider in PROVIDERS.values() for model in provider.models
}
CONTEXTS: dict[str, list[dict[str, str]]] = {
    "standard": [{}],
    "batch": [{"processing": "batch"}],
    "flex": [{"service_tier": "flex"}],
    "priority": [{"service_tier": "priority"}],
    "fast": [{"service_tier": "fast"}, {"speed": "fast"}],
}
SOME_DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)
INPUTS = ("input", "cache_read", "cache_write_5m", "cache_write_1h")
MEDIA_INPUTS = ("input_audio", "input_image", "cache_read_audio", "cache_read_image")

Usages = dict[str, int]


@dataclass(frozen=True)
class Call:
    """One request: what it used, disjoint by token class, when and how it was processed."""

    key: ModelKey
    processing: str
    at: datetime
    usage: Usages

    @property
    def tier_input(self) -> int:
        return sum(self.usage.get(name, 0) for name in (*INPUTS, *MEDIA_INPUTS))


def genai_usd(call: Call, context: dict[str, str]) -> Decimal:
    """genai-prices' own price. Its input includes cached tokens, its cache writes are 5m + 1h, and each figure includes
    its audio and images: a cached audio token is in four of them."""
    use = {name: call.usage.get(name, 0) for name in TOKEN_CLASSES}
    inclusive = Usage(
        input_tokens=call.tier_input,
        cache_read_tokens=use["cache_read"] + use["cache_read_audio"] + use["cache_read_image"],
        input_audio_tokens=use["input_audio"] + use["cache_read_audio"],
        input_image_tokens=use["input_image"] + use["cache_read_image"],
        cache_audio_read_tokens=use["cache_read_audio"],
        cache_image_read_tokens=use["cache_read_image"],
        cache_write_tokens=use["cache_write_5m"] + use["cache_write_1h"],
        cache_write_5m_tokens=use["cache_write_5m"],
        cache_write_1h_tokens=use["cache_write_1h"],
        output_tokens=use["output"] + use["output_audio"] + use["output_image"],
        output_audio_tokens=use["output_audio"],
        output_image_tokens=use["output_image"],
        web_searches=use["web_search"],
    )
    with localcontext(prec=60):
        model, provider = MODELS[call.key], PROVIDERS[call.key.provider]
        return model.calc_price(
            inclusive, provider, genai_request_timestamp=call.at, price_context=context or None
        ).total_price


def context_of(key: ModelKey, processing: str) -> dict[str, str]:
    """How genai-prices names that processing for that model; an unknown context is the standard price."""
    stated = [variant.when for variant in MODELS[key].price_variants or ()]
    return next((context for context in CONTEXTS[processing] if context in stated), {})


def book_usd(book: PriceBook, call: Call) -> Fraction:
    """Our price by PriceBook.price; unpriced classes count 0, as genai-prices has it."""
    total = Fraction(0)
    for name, tokens in call.usage.items():
        row = book.price(call.key, name, at=call.at, input_tokens=call.tier_input, processing=call.processing)
        total += tokens * row.usd_per_unit if row else 0
    return total


def sql_usd(connection: duckdb.DuckDBPyConnection, calls: list[Call]) -> list[Decimal]:
    """Our price of each call by SQL; NULLs count 0."""
    lines = [
        {
            "sum_id": number,
            "at": call.at.strftime("%Y-%m-%d %H:%M:%S"),
            "provider": call.key.provider,
            "model": call.key.model,
            "processing": call.processing,
            "tier_input": call.tier_input,
            "token_class": name,
            "tokens": tokens,
        }
        for number, call in enumerate(calls)
        for name, tokens in call.usage.items()
    ]
    connection.execute(
        """
        CREATE OR REPLACE TABLE usage_sum AS SELECT line.* FROM (SELECT unnest(from_json_strict(?::JSON, '[{
            "sum_id": "BIGINT", "at": "TIMESTAMP", "provider": "VARCHAR", "model": "VARCHAR",
            "processing": "VARCHAR", "tier_input": "BIGINT", "token_class": "VARCHAR", "tokens": "BIGINT"
        }]')) AS line)
        """,
        [json.dumps(lines)],
    )
    cost_sums(connection)
    totals = connection.execute("SELECT coalesce(sum(usd), 0) FROM sum_cost GROUP BY sum_id ORDER BY sum_id").fetchall()
    return [total for (total,) in totals]


def processings(model: ModelInfo) -> Iterator[str]:
    stated = [variant.when for variant in model.price_variants or ()]
    yield "standard"
    yield from (
        name for name, contexts in CONTEXTS.items() if any(context in stated for context in contexts if context)
    )


def breakpoints(model: ModelInfo) -> list[datetime]:
    """Each instant at which a price may change, and the second before it."""
    prices = model.prices if isinstance(model.prices, list) else []
    constraints = [p.constraint for p in (*prices, *(model.price_variants or ()))]
    dates = [
        datetime.combine(c.start_date, datetime.min.time(), UTC)
        for c in constraints
        if isinstance(c, StartDateConstraint)
    ]
    clocks = {t for c in constraints if isinstance(c, TimeOfDateConstraint) for t in (c.start_time, c.end_time)}
    days = [*dates, *(date - timedelta(days=1) for date in dates), SOME_DAY]
    daily = [datetime.combine(day.date(), clock).astimezone(UTC) for day in days for clock in clocks]
    edges = {*dates, *daily, *([SOME_DAY.replace(hour=0)] if clocks else [])}
    return sorted({SOME_DAY, *edges, *(edge - timedelta(seconds=1) for edge in edges)})


def sizes(model: ModelInfo) -> list[int]:
    """Total inputs on both sides of each tier boundary: genai-prices' tier begins above its start."""
    prices = [p.prices for p in model.prices] if isinstance(model.prices, list) else [model.prices]
    prices += [variant.prices for variant in model.price_variants or ()]
    tiered = [value for price in prices for value in price.__dict__.values() if isinstance(value, TieredPrices)]
    starts = {tier.start for value in tiered for tier in value.tiers}
    return sorted({1_000, *starts, *(start + 1 for start in starts)})


MEDIA_KEYS = frozenset(name for names in snapshot.OF_MEDIA.values() for name in names)


def every_call() -> Iterator[Call]:
    """Every model, processing level, breakpoint and tier boundary, with each class."""
    for key, model in MODELS.items():
        moments, totals = breakpoints(model), sizes(model)
        for processing in processings(model):
            for at in moments:
                for total in totals:
                    for name in INPUTS:
                        yield Call(key, processing, at, {name: total, "request": 1})
                    yield Call(key, processing, at, {"input": total, "output": 777, "request": 1})
                    mixed = {"cache_read": total - 7, "cache_write_1h": 7, "web_search": 3, "request": 1}
                    yield Call(key, processing, at, mixed)
                    if snapshot.price_keys(key) & MEDIA_KEYS:
                        yield from media_calls(key, processing, at, total)


def media_calls(key: ModelKey, processing: str, at: datetime, total: int) -> Iterator[Call]:
    """Audio and images of a request of that size, each alone and all together."""
    for name in MEDIA_INPUTS:
        yield Call(key, processing, at, {name: total, "request": 1})
    parts = {"input": total - 15, "input_audio": 1, "input_image": 2, "cache_read_audio": 4, "cache_read_image": 8}
    yield Call(key, processing, at, {**parts, "output": 3, "output_audio": 5, "output_image": 7, "request": 1})


@pytest.fixture(scope="module")
def list_book() -> Iterator[PriceBook]:
    """The list book as genai-prices has it, without any rows of ours (see test_sources.py and test_own_rows.py)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "rows", snapshot.rows)
        patch.setattr(book, "kept", lambda kind, asked, compute, dump, load: compute())  # what is kept has ours
        yield open_book()


@pytest.fixture(scope="module")
def connection(list_book: PriceBook) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    load_prices(connection, list_book)
    return connection


@pytest.mark.slow
def test_every_price_of_the_snapshot_is_genai_prices_own(
    list_book: PriceBook, connection: duckdb.DuckDBPyConnection
) -> None:
    calls = list(every_call())
    assert len({call.key for call in calls}) == len(list_book.keys()) == len(MODELS) > 2_000
    expected = [genai_usd(call, context_of(call.key, call.processing)) for call in calls]
    in_sql = sql_usd(connection, calls)
    wrong = [
        (call, usd, by_book, by_sql)
        for call, usd, by_sql in zip(calls, expected, in_sql, strict=True)
        if (by_book := book_usd(list_book, call)) != Fraction(usd) or by_sql != usd
    ]
    assert wrong == []


@pytest.mark.slow
def test_a_class_is_unpriced_exactly_where_no_price_key_pays_for_it(list_book: PriceBook) -> None:
    paying = {
        "input": {"input_mtok"},
        "cache_read": {"cache_read_mtok", "input_mtok"},
        "cache_write_5m": {"cache_write_5m_mtok", "cache_write_mtok", "input_mtok"},
        "cache_write_1h": {"cache_write_1h_mtok", "cache_write_mtok", "input_mtok"},
        "output": {"output_mtok"},
        "input_audio": {"input_audio_mtok", "input_mtok"},
        "cache_read_image": {"cache_image_read_mtok", "cache_read_mtok", "input_image_mtok", "input_mtok"},
        "output_audio": {"output_audio_mtok", "output_mtok"},
        "web_search": {"web_searches_kcount"},
        "request": {"requests_kcount"},
    }
    for key, model in MODELS.items():
        stated = {name for name, usd in model.get_prices(SOME_DAY).__dict__.items() if usd is not None}
        for name, price_keys in paying.items():
            row = list_book.price(key, name, at=SOME_DAY)
            assert (row is not None) == bool(stated & price_keys), (key, name)


TOKENS = st.integers(0, 10_000_000)
WITH_MEDIA = [key for key in MODELS if snapshot.price_keys(key) & MEDIA_KEYS]
CALLS = st.builds(
    Call,
    key=st.sampled_from(list(MODELS)) | st.sampled_from(WITH_MEDIA),
    processing=st.sampled_from(list(CONTEXTS)),
    at=st.datetimes(datetime(2023, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC)).map(
        lambda at: at.replace(microsecond=0)
    ),
    usage=st.fixed_dictionaries(
        dict.fromkeys((*INPUTS, "output"), TOKENS),
        optional={"web_search": st.integers(0, 50), **dict.fromkeys(MEDIA_CLASSES, TOKENS)},
    ).map(lambda usage: {**usage, "request": 1}),
)


@pytest.mark.slow
@settings(max_examples=examples(15, 40), deadline=None)
@given(st.lists(CALLS, min_size=1, max_size=20))
def test_any_call_at_any_time_costs_what_genai_prices_says(
    connection: duckdb.DuckDBPyConnection, calls: list[Call]
) -> None:
    book = open_book()
    expected = [genai_usd(call, context_of(call.key, call.processing)) for call in calls]
    assert [book_usd(book, call) for call in calls] == [Fraction(usd) for usd in expected]
    assert sql_usd(connection, calls) == expected


# The deliberate differences: the docstring of pricing/snapshot.py gives the reasons.


def _row_usd(book: PriceBook, name: str, token_class: str) -> Decimal | None:
    provider, _, model = name.partition("/")
    row = book.price(ModelKey(provider, model), token_class, at=SOME_DAY)
    return row.usd if row else None


def _genai(name: str, context: dict[str, str] | None = None, **reported: int) -> Decimal:
    provider, _, model = name.partition("/")
    return (
        MODELS[ModelKey(provider, model)]
        .calc_price(Usage(**reported), PROVIDERS[provider], genai_request_timestamp=SOME_DAY, price_context=context)
        .total_price
    )


@pytest.mark.parametrize(
    ("model", "token_class", "ours_per_mtok", "reported", "context", "theirs_per_mtok"),
    [
        pytest.param(
            "openai/text-embedding-3-small", "output", None, {"output_tokens": 1_000_000}, None, "0",
            id="tokens without a price are unpriced, not free",
        ),
        pytest.param(
            "openrouter/mistralai/mistral-large-4-0", "input", "0.68", {"input_tokens": 1_000_000},
            {"route": "mistral/eu"}, "0.748", id="a route stands in no usage log",
        ),
        pytest.param(
            "perplexity/perplexity/sonar", "web_search", "2.5", {"web_searches": 1_000},
            {"search_type": "fast"}, "1", id="a search type stands in no usage log",
        ),
        pytest.param(
            "google/gemini-live-2.5-flash", "input", "0.5", {"input_tokens": 1_000_000, "input_video_tokens": 1_000_000},
            None, "3", id="video tokens count as text",
        ),
        pytest.param(
            "openrouter/perplexity/sonar-deep-research", "output", "8",
            {"output_tokens": 1_000_000, "output_reasoning_tokens": 1_000_000}, None, "3",
            id="reasoning tokens count as output",
        ),
    ],
)  # fmt: skip
def test_where_ours_differs_on_purpose(
    list_book: PriceBook,
    model: str,
    token_class: str,
    ours_per_mtok: str | None,
    reported: Usages,
    context: dict[str, str] | None,
    theirs_per_mtok: str,
) -> None:
    ours = _row_usd(list_book, model, token_class)
    assert ours == (None if ours_per_mtok is None else Decimal(ours_per_mtok))
    assert _genai(model, context, **reported) == Decimal(theirs_per_mtok)


@pytest.mark.slow
def test_units_that_no_log_states_are_shown_and_not_in_the_sql_table(
    list_book: PriceBook, connection: duckdb.DuckDBPyConnection
) -> None:
    """0.111 USD an hour is 0.000030833... a second: no DECIMAL holds it."""
    key = ModelKey("groq", "whisper-large-v3")
    shown = {(row.token_class, row.usd, row.per) for row in list_book.rows(key)}
    assert ("audio_seconds", Decimal("0.111"), 3_600) in shown
    assert connection.execute("SELECT count(*) FROM price WHERE model = ?", [key.model]).fetchall() == [(0,)]


def test_the_default_service_tier_is_the_standard_price() -> None:
    tiers = [
        variant.prices.__dict__
        for model in MODELS.values()
        for variant in model.price_variants or ()
        if variant.when == {"service_tier": "default"}
    ]
    assert tiers
    assert all(not any(prices.values()) for prices in tiers)


def test_no_other_context_of_genai_prices_goes_unnoticed() -> None:
    """A new release may bring request contexts that we should map: this fails then."""
    ours = [context for contexts in CONTEXTS.values() for context in contexts if context]
    others = {
        next(iter(variant.when))
        for model in MODELS.values()
        for variant in model.price_variants or ()
        if variant.when not in ours and variant.when != {"service_tier": "default"}
    }
    assert others == {"route", "search_type"}
