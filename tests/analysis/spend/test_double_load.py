"""Logs and the bill of the same days in one store: the calls' total, and both sources named, however each is written."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from billed import KINDS, MAPPING, Kind, call_rows, total
from costsim.analysis.spend.names import called, known
from costsim.analysis.spend.query import Query
from costsim.analysis.spend.spend import Spend, spend
from costsim.pricing.book import open_book
from costsim.usage.load import load
from costsim.usage.readers.mapped import parse_mapping
from emptied import open_store
from witnessed import TrueCall, claude_log, cost_page, truth, usage_page, written

BOOK = open_book()
TRUTH = truth(days=2, per_day=6)
USD = sum((call.usd for call in TRUTH), Decimal(0))
DATED = {"claude-opus-4-6": "claude-opus-4-6-20260205", "claude-haiku-4-5": "claude-haiku-4-5-20251001"}
SPOKEN = {"claude-opus-4-6": "Claude Opus 4.6", "claude-haiku-4-5": "Claude Haiku 4.5"}


def named(page: str, names: dict[str, str]) -> str:
    for name, other in names.items():
        page = page.replace(f'"{name}"', f'"{other}"')
    return page


def by_hours(calls: Sequence[TrueCall]) -> str:
    """A usage page of hours, each with two keys."""
    hours: dict[str, list[TrueCall]] = defaultdict(list)
    for call in calls:
        hours[f"{call.ts:%Y-%m-%dT%H}"].append(call)
    data = [
        {
            "starting_at": f"{hour}:00:00Z", "ending_at": f"{hour}:59:59Z",
            "results": [
                json.loads(usage_page([call]))["data"][0]["results"][0]
                | {"api_key_id": f"key-{n}", "workspace_id": "wrkspc_1"}
                for n, call in enumerate(own)
            ],
        }
        for hour, own in sorted(hours.items())
    ]  # fmt: skip
    return json.dumps({"data": data, "has_more": False, "next_page": None})


def of_another_zone(calls: Sequence[TrueCall]) -> str:
    """Days that begin at 07:00 UTC."""
    page = json.loads(usage_page([replace(call, ts=call.ts - timedelta(hours=7)) for call in calls]))
    for bucket in page["data"]:
        for end in ("starting_at", "ending_at"):
            bucket[end] = bucket[end].replace("T00", "T07")
    return json.dumps(page)


PAGES: dict[str, Callable[[], dict[str, str]]] = {
    "by day": lambda: {"page": usage_page(TRUTH)},
    "dated models": lambda: {"page": named(usage_page(TRUTH), DATED)},
    "models with their vendor": lambda: {"page": named(usage_page(TRUTH), {n: f"anthropic/{n}" for n in DATED})},
    "models as people write them": lambda: {"page": named(usage_page(TRUTH), SPOKEN)},
    "by hour, keys apart": lambda: {"page": by_hours(TRUTH)},
    "some hours": lambda: {"page": by_hours([call for call in TRUTH if call.ts.hour < 9])},
    "days of another zone": lambda: {"page": of_another_zone(TRUTH)},
    "costs": lambda: {"page": cost_page(TRUTH)},
    "costs of dated models": lambda: {"page": named(cost_page(TRUTH), DATED)},
    "usage and costs": lambda: {"page": usage_page(TRUTH), "costs": cost_page(TRUTH, Decimal("0.9"))},
}


def spent(folder: Path, **files: str) -> Spend:
    with open_store(Path(":memory:")) as store:
        load(store, written(folder, **files))
        return spend(store, BOOK, Query(("source",)))


@pytest.mark.slow
@pytest.mark.parametrize("names", [{}, DATED], ids=["log", "dated log"])
@pytest.mark.parametrize("page", PAGES)
def test_a_log_and_its_page_are_the_log_s_total_and_both_are_named(
    page: str, names: dict[str, str], tmp_path: Path
) -> None:
    found = spent(tmp_path, log=named(claude_log(TRUTH), names), **PAGES[page]())
    assert found.total.computed_usd == USD
    assert [row.keys for row in found.rows] == [("claude-code",)]
    assert all("claude-code" in part.message and part.source in part.message for part in found.sources.not_counted)
    assert found.sources.not_counted
    assert not found.sources.only_billed


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.source not in ("litellm", "openrouter")])
def test_calls_and_any_bill_of_them_are_the_calls_total(name: str, tmp_path: Path) -> None:
    """GitHub's bill is of Copilot's calls: others are not on it, so there it is the bill of nothing that is here."""
    kind: Kind = KINDS[name]
    calls = kind.truth(date(2026, 10, 5))
    (tmp_path / "calls.csv").write_text(call_rows(calls, kind.provider.replace("github", "anthropic")), "utf-8")
    bill = tmp_path / f"bill.{kind.ending}"
    bill.write_text(kind.write(calls, Decimal(1), None), "utf-8")
    with open_store(Path(":memory:")) as store:
        load(store, [bill])
        load(store, [tmp_path / "calls.csv"], mapping=parse_mapping(MAPPING))
        found = spend(store, BOOK, Query(("source",)))
    times = 2 if kind.provider == "github" else 1
    assert abs(found.total.computed_usd - times * total(calls)) < Decimal("0.000001")


@pytest.mark.parametrize(
    ("provider", "model", "expected"),
    [
        ("anthropic", "claude-sonnet-4-5-20250929", ("claude-sonnet-4-5", "anthropic")),
        (None, "anthropic/claude-sonnet-4-5", ("claude-sonnet-4-5", "anthropic")),
        ("aws", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", ("claude-sonnet-4-5", "aws")),
        (None, "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", ("claude-sonnet-4-5", "aws")),
        ("aws", "Claude Sonnet 4.5 (Amazon Bedrock Edition)", ("claude-sonnet-4-5", "aws")),
        ("aws", "Claude4.6Sonnet", ("claude-sonnet-4-6", "aws")),
        *(("aws", model, ("nova-lite-v1:0", "aws")) for model in ("NovaLite", "Nova Lite", "us.amazon.nova-lite-v1:0")),
        *(("aws", model, ("nova-2-lite", "aws")) for model in ("Nova2.0Lite", "global.amazon.nova-2-lite-v1:0")),
        *(("aws", model, ("gpt-oss-120b-1:0", "aws")) for model in ("gpt-oss-120b", "openai.gpt-oss-120b-1:0")),
        *(("aws", model, ("r1", "aws")) for model in ("DeepSeekR1", "DeepSeek-R1", "us.deepseek.r1-v1:0")),
        *(
            ("aws", model, ("claude-sonnet-4", "aws"))
            for model in ("Claude4Sonnet", "Claude Sonnet 4", "us.anthropic.claude-sonnet-4-20250514-v1:0")
        ),
        *(
            ("aws", model, ("llama3-3-70b-instruct-v1:0", "aws"))
            for model in ("Llama3-3-70B", "Llama 3.3 70B", "us.meta.llama3-3-70b-instruct-v1:0")
        ),
        *(
            ("aws", model, ("titan-embed-text-v2:0", "aws"))
            for model in ("TitanEmbeddingV2-Text", "amazon.titan-embed-text-v2:0")
        ),
        *(("google", model, ("claude-4-opus", "google")) for model in ("Claude Opus 4.1", "claude-opus-4-1@20250805")),
        *(
            ("google", model, ("claude-3-7-sonnet", "google"))
            for model in ("Claude 3.7 Sonnet", "claude-3-7-sonnet@20250219")
        ),
        ("google", "Gemini 3 Pro", ("gemini-3-pro-preview", "google")),
        ("google", "claude-sonnet-4-5@20250929", ("claude-sonnet-4-5", "google")),
        ("azure", "gpt-4o", ("gpt-4o", "azure")),
        ("azure", "gpt-4o-1120", ("gpt-4o", "azure")),
        ("azure", "GPT 5 mini", ("gpt-5-mini", "azure")),
        (None, "azure/gpt-4o", ("gpt-4o", "azure")),
        ("google", "Gemini 2.5 Pro", ("gemini-2.5-pro", "google")),
        ("github", "Auto: Claude Haiku 4.5", ("claude-haiku-4-5", "github")),
        ("github", "GPT-5.3-Codex", ("gpt-5.3-codex", "github")),
        ("openai", "gpt-4o-2024-08-06", ("gpt-4o", "openai")),
        ("my-proxy", "nothing-that-is-known", (None, "my-proxy")),
        (None, None, (None, None)),
    ],
)
def test_one_model_has_one_plain_name_and_a_biller(
    provider: str | None, model: str | None, expected: tuple[Any, Any]
) -> None:
    assert known(provider, model)[1:] == expected


HEADER = (
    "BilledCost,BillingCurrency,ChargeCategory,ChargePeriodStart,ChargePeriodEnd,ProviderName,ServiceName,SkuMeter,"
    "ConsumedQuantity,ConsumedUnit,ServiceCategory,x_Model,x_TokenClass\n"
)


@pytest.mark.slow
@pytest.mark.parametrize("bill_first", [False, True])
@pytest.mark.parametrize(
    ("logged", "billed", "times"),
    [  # provider and model of the calls and of the bill, in all their ways to say one: none of the price lists has it
        (("", "acme/fast-1"), ("acme", "acme/fast-1"), 1),
        (("", "acme/fast-1"), ("acme", "fast-1"), 1),
        (("", "Acme/Fast-1"), ("ACME", "fast-1"), 1),
        (("", "litellm/acme/fast-1"), ("acme", "fast-1"), 1),
        (("litellm", "acme/fast-1"), ("acme", "fast-1"), 1),
        (("acme", "fast-1"), ("acme", "acme/fast-1"), 1),
        (("acme", "fast-1"), ("", "acme/fast-1"), 1),
        (("", "fast-1"), ("acme", "fast-1"), 1),
        (("acme", "fast-1"), ("", "fast-1"), 1),
        (("", "fast-1"), ("", "fast-1"), 1),
        (("", "fast-1"), ("", "/fast-1"), 1),
        (("acme", "fast-1"), ("zeta", "fast-1"), 2),
        (("", "acme/fast-1"), ("zeta", "acme/fast-1"), 2),
        (("", "fast-1"), ("acme", "fast-2"), 2),
    ],
)
def test_a_bill_of_a_model_that_only_the_user_prices_is_not_added_to_its_calls(
    tmp_path: Path, logged: tuple[str, str], billed: tuple[str, str], times: int, bill_first: bool
) -> None:
    """1 million tokens at $1 a million, logged and on the bill."""
    row = (
        f"1.00,USD,Usage,2026-10-05T00:00:00Z,2026-10-06T00:00:00Z,{billed[0]},API,input,1000000,Tokens,AI and Machine"
    )
    (tmp_path / "bill.csv").write_text(f"{HEADER}{row} Learning,{billed[1]},input\n")
    (tmp_path / "calls.csv").write_text(f"at,who,name,in\n2026-10-05T10:00:00Z,{','.join(logged)},1000000\n")
    mapping = parse_mapping("ts=at,provider=who,model=name,input=in")
    with open_store(Path(":memory:")) as store:
        for name in ("bill.csv", "calls.csv") if bill_first else ("calls.csv", "bill.csv"):
            load(store, [tmp_path / name], mapping=None if name == "bill.csv" else mapping)
        found = spend(store, BOOK, Query(("source",)))
    assert sum(row.tokens["input"] for row in found.rows) == times * 1_000_000
    assert bool(found.sources.not_counted) == (times == 1)


@pytest.mark.parametrize(
    ("provider", "model", "name"),
    [
        (None, "acme/Fast-1 ", "fast-1"),
        ("ACME", "fast-1", "fast-1"),
        ("acme", "acme/fast-1", "fast-1"),
        ("zeta", "acme/fast-1", "acme/fast-1"),
        (None, "/fast-1", "fast-1"),
        ("openrouter", "acme/fast-1", "acme/fast-1"),
        (None, "anthropic/claude-zeta-9", "claude-zeta-9"),
        (None, None, ""),
    ],
)
def test_what_no_price_list_knows_is_called_as_it_is_written_without_its_provider(
    provider: str | None, model: str | None, name: str
) -> None:
    assert called(provider, model) == name


@pytest.mark.slow
def test_what_another_account_is_charged_for_is_no_bill_of_the_logged_calls(tmp_path: Path) -> None:
    """Nova Lite's input is $0.06 a million: 1 million logged in one account, 2 million billed to another."""
    call = {"timestamp": "2026-03-05T10:00:00Z", "requestId": "r", "accountId": "111111111111", "output": {},
            "modelId": "us.amazon.nova-lite-v1:0", "input": {"inputTokenCount": 1_000_000}}  # fmt: skip
    (tmp_path / "log.jsonl").write_text(json.dumps(call) + "\n")
    (tmp_path / "cur.csv").write_text(
        "line_item_product_code,line_item_usage_type,line_item_usage_start_date,line_item_usage_amount,"
        "line_item_unblended_cost,pricing_unit,line_item_usage_account_id\n"
        "AmazonBedrock,USE1-NovaLite-input-tokens,2026-03-05 00:00:00,1000,0.06,1K tokens,111111111111\n"
        "AmazonBedrock,USE1-NovaLite-input-tokens,2026-03-05 00:00:00,2000,0.12,1K tokens,222222222222\n"
    )
    with open_store(Path(":memory:")) as store:
        load(store, [tmp_path])
        found = spend(store, BOOK, Query(("source",)))
    assert {row.keys[0]: row.computed_usd for row in found.rows} == {
        "bedrock": Decimal("0.06"),
        "aws-cur": Decimal("0.12"),
    }


SESSIONS = Path(__file__).parents[2] / "data" / "sessions" / "claude-code.jsonl.gz"


def usage_of(log: str, share: int = 1) -> str:
    """Anthropic's usage page of a real log, computed from its entries alone: the last of each message counts."""
    last = {}
    for entry in map(json.loads, log.splitlines()):
        if entry.get("message", {}).get("usage"):
            last[entry["message"]["id"], entry.get("requestId")] = entry
    sums: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for entry in last.values():
        usage, own = entry["message"]["usage"], sums[entry["timestamp"][:10], entry["message"]["model"]]
        hour = usage.get("cache_creation", {}).get("ephemeral_1h_input_tokens", 0)
        own["hour"] += hour
        own["five"] += usage["cache_creation_input_tokens"] - hour
        for kind in ("input_tokens", "cache_read_input_tokens", "output_tokens"):
            own[kind] += usage[kind]
    data = [
        {
            "starting_at": f"{day}T00:00:00Z", "ending_at": f"{date.fromisoformat(day) + timedelta(1)}T00:00:00Z",
            "results": [{
                "model": model, "uncached_input_tokens": own["input_tokens"], "service_tier": "standard",
                "cache_read_input_tokens": own["cache_read_input_tokens"], "output_tokens": share * own["output_tokens"],
                "cache_creation": {"ephemeral_5m_input_tokens": own["five"], "ephemeral_1h_input_tokens": own["hour"]},
                "server_tool_use": {"web_search_requests": 0}, "context_window": "0-200k",
            }],
        }
        for (day, model), own in sorted(sums.items())
    ]  # fmt: skip
    return json.dumps({"data": data, "has_more": False, "next_page": None})


@pytest.mark.slow
def test_nine_real_sessions_and_the_usage_page_of_their_days_cost_what_the_sessions_cost(tmp_path: Path) -> None:
    """$51.70 in 899 calls; both together are $103.40, and a page with three times the output states $8.59 more."""
    log = gzip.decompress(SESSIONS.read_bytes()).decode()
    found = spent(tmp_path, log=log, page=usage_of(log))
    assert (found.total.calls, round(found.total.computed_usd, 2)) == (899, Decimal("51.70"))
    assert [part.message for part in found.sources.not_counted] == [
        "anthropic-usage ($51.70, 10 to 12 Feb 2026) is the bill of what claude-code has: it is not added; "
        "costsim reconcile compares them"
    ]
    (tmp_path / "more").mkdir()
    more = spent(tmp_path / "more", log=log, page=usage_of(log, share=3))
    assert more.total.computed_usd == found.total.computed_usd
    assert [part.message for part in more.sources.not_counted] == [
        "anthropic-usage ($60.29, 10 to 12 Feb 2026) is the bill of what claude-code has: it is not added, and states "
        "$8.59 more than the $51.70 that are counted for it; costsim reconcile compares them"
    ]


@pytest.mark.slow
def test_a_page_that_names_no_model_has_tokens_without_a_price(tmp_path: Path) -> None:
    page = json.loads(usage_page(TRUTH))
    for bucket in page["data"]:
        for result in bucket["results"]:
            del result["model"]
    found = spent(tmp_path, log=claude_log(TRUTH), page=json.dumps(page))
    assert found.total.computed_usd == USD
    [part] = found.sources.not_counted
    assert "tokens without a price, 5 to 6 Oct 2026) is the bill of what claude-code has" in part.message
