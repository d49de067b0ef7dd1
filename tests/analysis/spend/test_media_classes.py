"""Audio and images are classes of their own: priced apart where a model has such prices, and shown where there are any."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.analysis.replay.replay import replay_sums
from costsim.analysis.replay.reroute import reroute_to_model
from costsim.analysis.spend.focus import focus_rows
from costsim.analysis.spend.ledger import Ledger
from costsim.analysis.spend.spend import Query, Spend, spend
from costsim.pricing.book import PriceBook, open_book
from costsim.reports.spend import as_csv, as_json
from costsim.tokens import MEDIA_CLASSES
from costsim.usage.load import load
from costsim.usage.readers.mapped import parse_mapping

CALL = "2026-10-05T10:00:00Z"


def spent(store: duckdb.DuckDBPyConnection, folder: Path, book: PriceBook, model: str, **tokens: int) -> Spend:
    """What one call of a model with these tokens costs."""
    file = folder / "calls.csv"
    file.write_text(f"at,model,{','.join(tokens)}\n{CALL},{model},{','.join(map(str, tokens.values()))}\n")
    load(store, [file], mapping=parse_mapping("ts=at,model=model," + ",".join(f"{name}={name}" for name in tokens)))
    return spend(store, book, Query(("model",)))


def test_a_realtime_call_pays_eight_times_the_price_of_text_for_its_audio(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, book: PriceBook
) -> None:
    found = spent(
        store, tmp_path, book, "openai/gpt-realtime",
        input=119, input_audio=60, cache_read=64, cache_read_audio=128, input_image=300, output=30, output_audio=91,
    )  # fmt: skip
    # gpt-realtime, USD per million: text 4, audio 32, image 5, both cached 0.40, output 16, output audio 64:
    # 119 x 4 + 60 x 32 + (64 + 128) x 0.40 + 300 x 5 + 30 x 16 + 91 x 64
    # = 476 + 1,920 + 76.8 + 1,500 + 480 + 5,824 = 10,276.8 millionths
    assert found.total.computed_usd == Decimal("0.0102768")
    assert (found.total.tokens["input_audio"], found.total.tokens["output_audio"]) == (60, 91)
    assert found.notes == ()


def test_media_that_a_model_has_no_price_for_cost_what_text_does_and_are_named(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, book: PriceBook
) -> None:
    found = spent(store, tmp_path, book, "google/gemini-2.5-flash", input_audio=1_000, input_image=258, output=10)
    # audio 1,000 x $1.00 + images 258 x $0.30, the price of text, + 10 x $2.50 = 1,000 + 77.4 + 25 millionths
    assert found.total.computed_usd == Decimal("0.0011024")
    assert found.notes == (
        "258 tokens of input_image are priced as input: there is no other price of 'google/gemini-2.5-flash'",
    )


def test_cached_audio_without_cache_prices_costs_what_audio_does(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, book: PriceBook
) -> None:
    # gpt-audio has no cache prices: 1,000 x $32 = 0.032, as genai-prices has it
    found = spent(store, tmp_path, book, "openai/gpt-audio", cache_read_audio=1_000)
    assert found.total.computed_usd == Decimal("0.032")


def test_audio_counts_for_the_context_tier(store: duckdb.DuckDBPyConnection, tmp_path: Path, book: PriceBook) -> None:
    found = spent(store, tmp_path, book, "google/gemini-2.5-pro", input=150_000, input_audio=50_001, output=0)
    # above 200,000 tokens gemini-2.5-pro costs $2.50, not $1.25: 200,001 x 2.50 = 500,002.5 millionths
    assert found.total.computed_usd == Decimal("0.5000025")


def test_a_price_file_prices_the_media_of_a_model_that_has_none(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    prices = tmp_path / "prices.yaml"
    prices.write_text(
        "book: ours\nsource: contract\nmodels:\n"
        "  - {model: openai/gpt-4o, usd_per_mtok: {input_audio: 40, output_audio: 80}}\n"
    )
    found = spent(
        store, tmp_path, open_book("list", [prices]), "openai/gpt-4o",
        input=100, input_audio=10, cache_read_audio=20, output_audio=5,
    )  # fmt: skip
    # text 2.50, cached audio as cached text, at 1.25, for want of another: 250 + 10 x 40 + 20 x 1.25 + 5 x 80 = 1,075
    assert found.total.computed_usd == Decimal("0.001075")


def test_the_classes_are_shown_where_a_call_has_them_and_only_there(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, book: PriceBook
) -> None:
    text = spent(store, tmp_path, book, "openai/gpt-realtime", input=10, output=2)
    for shown in (json.loads(as_json(text))["total"], *csv.DictReader(io.StringIO(as_csv(text)))):
        assert not [name for name in shown if name.removesuffix("_tokens") in MEDIA_CLASSES]
    heard = spent(store, tmp_path, book, "openai/gpt-realtime", input=10, input_audio=4, output=2)
    assert json.loads(as_json(heard))["total"]["input_audio_tokens"] == 4
    assert "output_audio_tokens" not in as_csv(heard)


def test_an_export_has_a_row_of_the_class_at_the_price_that_pays(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, book: PriceBook
) -> None:
    spent(store, tmp_path, book, "google/gemini-2.5-flash", input=7, input_audio=1_000, input_image=258)
    rows = focus_rows(store, book, None, None, "acme").project(
        "x_TokenClass, ConsumedQuantity::BIGINT, ContractedUnitPrice::DOUBLE, BilledCost::DECIMAL(12, 9)"
    )
    assert rows.fetchall() == [
        ("input", 7, 0.3, Decimal("0.0000021")),
        ("input_audio", 1_000, 1.0, Decimal("0.001")),
        ("input_image", 258, 0.3, Decimal("0.0000774")),
    ]


def test_moved_calls_keep_their_classes(store: duckdb.DuckDBPyConnection, tmp_path: Path, book: PriceBook) -> None:
    spent(store, tmp_path, book, "openai/gpt-realtime", input=1_000, input_audio=1_000, output_audio=100)
    day = date(2026, 10, 5)
    moved = replay_sums(Ledger.open(store, book), reroute_to_model("openai/gpt-realtime-mini"), since=day, until=day)
    # gpt-realtime 4 + 32 + 6.4 = 42.4 thousandths; mini: 0.60 + 10 + 100 x 20 / 1,000 = 2: 12.6 thousandths
    assert (moved.total.spent_usd, moved.total.replayed_usd) == (Decimal("0.0424"), Decimal("0.0126"))


INCLUSIVE = "ts=at,model=model,input=prompt,cache_read=cached,input_audio=heard,cache_read_audio=heard_again,output=out"


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ("", (1_000, 300, 200, 100, 50)),
        # prompt 1,000 with 300 cached, of these 100 audio, and 200 more of audio: 1,000 - 300 - 200 text, 300 - 100
        (",input_includes_cached=true,includes_media=true", (500, 200, 200, 100, 50)),
        # cached audio beside the cached text: 1,000 - 300 - 100
        (",input_includes_cached=true", (600, 300, 200, 100, 50)),
    ],
)
def test_a_mapping_says_whether_figures_include_their_media(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, declared: str, expected: tuple[Any, ...]
) -> None:
    file = tmp_path / "calls.csv"
    file.write_text(f"at,model,prompt,cached,heard,heard_again,out\n{CALL},gpt-realtime,1000,300,200,100,50\n")
    load(store, [file], mapping=parse_mapping(INCLUSIVE + declared))
    classes = "input, cache_read, input_audio, cache_read_audio, output"
    assert store.execute(f"SELECT {classes} FROM usage_event").fetchall() == [expected]
