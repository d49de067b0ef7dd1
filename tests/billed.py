"""One truth as calls, and as every kind of bill states it: pages, exports, FOCUS of three clouds."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

CLASSES = ("input", "cache_read", "cache_write_5m", "output")
# USD per million tokens of October 2026: input, cache read, cache write, output
PRICES = {
    "claude-opus-4-6": ("5", "0.5", "6.25", "25"),
    "claude-sonnet-4-6": ("3", "0.3", "3.75", "15"),
    "gpt-5": ("1.25", "0.125", "1.25", "10"),
    "gpt-5-mini": ("0.25", "0.025", "0.25", "2"),
    "gemini-2.5-pro": ("1.25", "0.125", "1.25", "10"),
    "gemini-2.5-flash": ("0.3", "0.03", "0.3", "2.5"),
    "anthropic/claude-sonnet-4.5": ("3", "0.3", "3.75", "15"),
    "anthropic/claude-opus-4.5": ("5", "0.5", "6.25", "25"),
    "global.anthropic.claude-opus-4-6-v1": ("5", "0.5", "6.25", "25"),
    "global.anthropic.claude-sonnet-4-5-20250929-v1:0": ("3", "0.3", "3.75", "15"),
}
# what a level or a region costs of the standard price
FACTORS = {
    "standard": "1", "batch": "0.5", "flex": "0.5", "priority": "2", "fast": "6", "standard/us": "1.1",
}  # fmt: skip
MTOK = Decimal(10) ** 6


@dataclass(frozen=True)
class Call:
    """What a provider answered: tokens by class, and how it was processed."""

    number: int
    ts: datetime
    model: str
    tokens: tuple[int, int, int, int]
    processing: str = "standard"

    def usd_of(self, place: int) -> Decimal:
        """Of one class. Google's batches read a cache at the standard price."""
        full = self.model.startswith("gemini") and self.processing == "batch" and place == 1
        factor = Decimal("1" if full else FACTORS[self.processing])
        return self.tokens[place] * Decimal(PRICES[self.model][place]) * factor / MTOK

    @property
    def usd(self) -> Decimal:
        """At the list prices."""
        return sum((self.usd_of(place) for place in range(4)), Decimal(0))

    def times(self, factor: int) -> Call:
        """The call with so many times its tokens."""
        i, r, w, o = self.tokens
        return replace(self, tokens=(factor * i, factor * r, factor * w, factor * o))


def total(calls: Iterable[Call]) -> Decimal:
    """What they cost."""
    return sum((call.usd for call in calls), Decimal(0))


def truth(models: Sequence[str], first: date, *, writes: bool, days: int = 3, per_day: int = 8) -> list[Call]:
    """Calls of both models in turn, the last of a day at 23:30; no two with the same tokens."""
    calls = []
    for number in range(days * per_day):
        day, place = divmod(number, per_day)
        start = datetime(first.year, first.month, first.day, 1, 30) + timedelta(days=day)
        written = 5_000 + 111 * number if writes else 0
        tokens = (10_000 + 137 * number, 40_000 + 513 * number, written, 3_000 + 31 * number)
        calls.append(Call(number, start + timedelta(hours=22) * place / (per_day - 1), models[number % 2], tokens))
    return calls


@dataclass(frozen=True)
class Extra:
    """A charge of its own on the last day: a credit, or what a plan includes."""

    usd: Decimal
    words: str


Writer = Callable[[Sequence[Call], Decimal, "Extra | None"], str]


@dataclass(frozen=True)
class Kind:
    """A kind of bill: whose it is, the models it is tried with, and what it states beside days and models."""

    source: str
    provider: str
    models: tuple[str, str]
    write: Writer
    ending: str = "json"
    states: frozenset[str] = frozenset()
    """Of `tokens`, `usd`, `batch`, `tier` (the level in FACTORS), `region`, `extra`."""
    writes: bool = True
    tier: str = ""

    def truth(self, first: date) -> list[Call]:
        """The calls that it is for, of three days."""
        return truth(self.models, first, writes=self.writes)


def call_rows(calls: Sequence[Call], provider: str) -> str:
    """The calls as CSV, to be loaded by `MAPPING`."""
    rows = [
        {"id": c.number, "ts": f"{c.ts.isoformat()}Z", "model": c.model, "provider": provider, "how": c.processing}
        | dict(zip(CLASSES, c.tokens, strict=True))
        for c in calls
    ]
    return table(rows)


MAPPING = "ts=ts,id=id,model=model,provider=provider,processing=how," + ",".join(f"{n}={n}" for n in CLASSES)


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as CSV; what one lacks is empty."""
    text = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _groups(calls: Sequence[Call]) -> dict[date, dict[tuple[str, str], list[Call]]]:
    found: dict[date, dict[tuple[str, str], list[Call]]] = defaultdict(lambda: defaultdict(list))
    for call in calls:
        found[call.ts.date()][call.model, call.processing].append(call)
    return found


def _sums(calls: Sequence[Call]) -> tuple[int, ...]:
    return tuple(sum(call.tokens[place] for call in calls) for place in range(4))


def _iso_page(calls: Sequence[Call], results: Callable[..., list[dict[str, Any]]], last: dict[str, Any] | None) -> str:
    data = [
        {
            "starting_at": f"{day}T00:00:00Z", "ending_at": f"{day + timedelta(1)}T00:00:00Z",
            "results": [row for (model, how), own in groups.items() for row in results(model, how, own)],
        }
        for day, groups in sorted(_groups(calls).items())
    ]  # fmt: skip
    if last:
        data[-1]["results"].append(last)  # type: ignore[attr-defined]
    return json.dumps({"data": data, "has_more": False, "next_page": None})


def _anthropic(how: str) -> dict[str, str]:
    level, _, region = how.partition("/")
    return {
        "service_tier": level if level in ("batch", "priority", "flex") else "standard", "context_window": "0-200k",
        "speed": "fast" if level == "fast" else "standard", "inference_geo": region or "global",
    }  # fmt: skip


def anthropic_usage(calls: Sequence[Call], share: Decimal, extra: Extra | None) -> str:
    """The usage report by model, tier, speed and region."""
    del share, extra

    def results(model: str, how: str, own: list[Call]) -> list[dict[str, Any]]:
        inputs, reads, writes, outputs = _sums(own)
        return [{
            "model": model, **_anthropic(how), "uncached_input_tokens": inputs, "cache_read_input_tokens": reads,
            "cache_creation": {"ephemeral_5m_input_tokens": writes, "ephemeral_1h_input_tokens": 0},
            "output_tokens": outputs, "server_tool_use": {"web_search_requests": 0}, "api_key_id": None,
        }]  # fmt: skip

    return _iso_page(calls, results, None)


def anthropic_costs(calls: Sequence[Call], share: Decimal, extra: Extra | None) -> str:
    """The cost report by model, token type, tier and region, in cents."""
    names = ("uncached_input_tokens", "cache_read_input_tokens", "cache_creation.ephemeral_5m", "output_tokens")

    def results(model: str, how: str, own: list[Call]) -> list[dict[str, Any]]:
        return [
            {
                "model": model, **_anthropic(how), "token_type": name, "cost_type": "tokens", "currency": "USD",
                "amount": str(100 * share * sum((call.usd_of(place) for call in own), Decimal(0))),
                "description": f"{model} usage, {name}",
            }
            for place, name in enumerate(names)
        ]  # fmt: skip

    last = extra and {"amount": str(100 * extra.usd), "currency": "USD", "description": extra.words, "model": None}
    return _iso_page(calls, results, last or None)


def _epoch(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _openai_page(
    calls: Sequence[Call], results: Callable[..., list[dict[str, Any]]], last: dict[str, Any] | None
) -> str:
    data = [
        {
            "object": "bucket", "start_time": _epoch(day), "end_time": _epoch(day) + 86400,
            "results": [row for (model, how), own in groups.items() for row in results(model, how, own)],
        }
        for day, groups in sorted(_groups(calls).items())
    ]  # fmt: skip
    if last:
        data[-1]["results"].append(last)  # type: ignore[attr-defined]
    return json.dumps({"object": "page", "data": data, "has_more": False, "next_page": None})


def openai_usage(calls: Sequence[Call], share: Decimal, extra: Extra | None) -> str:
    """The completions usage page, grouped by model, batch and service tier."""
    del share, extra

    def results(model: str, how: str, own: list[Call]) -> list[dict[str, Any]]:
        inputs, reads, writes, outputs = _sums(own)
        return [{
            "object": "organization.usage.completions.result", "model": model, "batch": how == "batch",
            "service_tier": how if how in ("flex", "priority") else "default", "input_tokens": inputs + reads + writes,
            "input_cached_tokens": reads, "output_tokens": outputs, "num_model_requests": len(own), "project_id": None,
        }]  # fmt: skip

    return _openai_page(calls, results, None)


def openai_costs(calls: Sequence[Call], share: Decimal, extra: Extra | None) -> str:
    """The costs page by line item."""
    names = ("input", "cached input", "", "output")

    def row(usd: Decimal, item: str) -> dict[str, Any]:
        return {
            "object": "organization.costs.result", "amount": {"value": float(usd), "currency": "usd"},
            "line_item": item, "project_id": None,
        }  # fmt: skip

    def results(model: str, how: str, own: list[Call]) -> list[dict[str, Any]]:
        sums = [(name, sum((call.usd_of(n) for call in own), Decimal(0))) for n, name in enumerate(names)]
        before = f"{how} | " if how != "standard" else ""
        return [row(share * usd, f"{before}{model}, {name}") for name, usd in sums if usd]

    return _openai_page(calls, results, row(extra.usd, extra.words) if extra else None)


def copilot_bill(calls: Sequence[Call], share: Decimal, extra: Extra | None) -> str:
    """GitHub's usage report: gross, what the plan includes, net."""
    rows = [
        {
            "date": str(day), "username": "user-1", "product": "copilot", "sku": "copilot_ai_credit",
            "model": model.replace("-", " ").title().replace("4 6", "4.6"),
            "quantity": str(100 * share * total(own)), "unit_type": "ai-credits", "applied_cost_per_quantity": "0.01",
            "gross_amount": str(share * total(own)), "discount_amount": "0", "net_amount": str(share * total(own)),
            "organization": "org-1", "repository": "",
        }
        for day, groups in sorted(_groups(calls).items())
        for (model, _), own in groups.items()
    ]  # fmt: skip
    if extra:
        rows[-1]["discount_amount"] = str(-extra.usd)
        rows[-1]["net_amount"] = str(Decimal(rows[-1]["gross_amount"]) + extra.usd)
    return table(rows)


def openrouter_activity(calls: Sequence[Call], share: Decimal, extra: Extra | None) -> str:
    """The activity export: a generation a row."""
    del extra
    return table([
        {
            "generation_id": f"gen-{1790000000 + call.number}-abcdefgh{call.number:04d}", "created_at": str(call.ts),
            "cost_total": str(share * call.usd), "byok_usage_inference": "",
            "tokens_prompt": call.tokens[0] + call.tokens[1], "tokens_completion": call.tokens[3],
            "tokens_cached": call.tokens[1], "model_permaslug": call.model, "provider_name": "Anthropic",
            "variant": "standard", "cancelled": "false", "finish_reason_normalized": "stop", "api_key_name": "key",
        }
        for call in calls
    ])  # fmt: skip


def litellm_log(calls: Sequence[Call], share: Decimal, extra: Extra | None) -> str:
    """LiteLLM's spend logs, of a proxy before Anthropic."""
    del extra
    return "".join(
        json.dumps({
            "request_id": f"msg_01Billed{call.number:013d}", "call_type": "anthropic_messages",
            "spend": float(share * call.usd), "prompt_tokens": sum(call.tokens[:3]), "completion_tokens": call.tokens[3],
            "startTime": f"{call.ts.isoformat()}Z", "model": call.model, "custom_llm_provider": "anthropic",
            "metadata": {"usage_object": {
                "cache_read_input_tokens": call.tokens[1], "cache_creation_input_tokens": call.tokens[2],
                **_anthropic(call.processing),
            }},
        }) + "\n"
        for call in calls
    )  # fmt: skip


def _aws(model: str, kind: str) -> dict[str, str]:
    words = {"input": "InputTokenCount", "cache_read": "CacheReadInputTokenCount", "output": "OutputTokenCount"}
    family = "Opus 4.6" if "opus" in model else "Sonnet 4.5"
    usage = f"USE1-MP:USE1_{words.get(kind, 'CacheWriteInputTokenCount')}_Global-Units"
    return {
        "ServiceName": f"Claude {family} (Amazon Bedrock Edition)", "x_UsageType": usage, "SkuMeter": usage,
        "ChargeDescription": f"AWS Marketplace software usage|us-east-1|{usage}", "ConsumedUnit": "1M tokens",
    }  # fmt: skip


def _azure(model: str, kind: str) -> dict[str, str]:
    words = {"input": "Inp", "cache_read": "cached Inp", "output": "Outp"}
    meter = f"{model.replace('gpt-5', 'GPT 5').replace('-', ' ')} {words.get(kind, 'Inp')} glbl Tokens"
    return {
        "ServiceName": "Azure OpenAI", "SkuMeter": meter, "x_SkuMeterName": meter,
        "ChargeDescription": f"Azure OpenAI - {meter}", "ConsumedUnit": "1K Tokens",
    }  # fmt: skip


def _gcp(model: str, kind: str) -> dict[str, str]:
    words = {"input": "Text Input", "cache_read": "Text Input Caching", "output": "Text Output"}
    name = (
        f"{model.replace('gemini', 'Gemini').replace('-', ' ').title()} {words.get(kind, 'Text Input')} - Predictions"
    )
    return {
        "ServiceName": "Vertex AI", "SkuMeter": name, "ChargeDescription": name, "ConsumedUnit": "count",
        "SkuId": f"SKU-{abs(hash(name)) % 10000}",
    }  # fmt: skip


CLOUDS = {"aws": ("AWS", _aws), "azure": ("Microsoft", _azure), "gcp": ("Google Cloud", _gcp)}
PER = {"1M tokens": MTOK, "1K Tokens": Decimal(1000), "count": Decimal(1)}


def focus(cloud: str, version: str) -> Writer:
    """FOCUS rows of a cloud: a day, model and token class each."""
    vendor, said = CLOUDS[cloud]
    names = {"ServiceProviderName": vendor, "HostProviderName": vendor} if version == "1.3" else {}
    names |= {"ProviderName": vendor, "PublisherName": vendor, "InvoiceIssuerName": vendor}

    def row(day: date, usd: Decimal, category: str, own: dict[str, str]) -> dict[str, str]:
        money = dict.fromkeys(("BilledCost", "EffectiveCost", "ListCost", "ContractedCost"), str(usd))
        return {
            **names, **money, "BillingCurrency": "USD", "BillingAccountId": "acct-1", "ChargeCategory": category,
            "BillingPeriodStart": "2026-10-01T00:00:00Z", "BillingPeriodEnd": "2026-11-01T00:00:00Z",
            "ChargePeriodStart": f"{day}T00:00:00Z", "ChargePeriodEnd": f"{day + timedelta(1)}T00:00:00Z",
            "ServiceCategory": "AI and Machine Learning", **own,
        }  # fmt: skip

    def write(calls: Sequence[Call], share: Decimal, extra: Extra | None) -> str:
        rows = []
        for day, groups in sorted(_groups(calls).items()):
            for (model, how), own in groups.items():
                for place, kind in enumerate(CLASSES):
                    counted = sum(call.tokens[place] for call in own)
                    words = said(model, kind)
                    if how == "batch":
                        words["SkuMeter"] += " Batch"
                        words["ChargeDescription"] += " Batch"
                    if counted:
                        words["ConsumedQuantity"] = str(counted / PER[words["ConsumedUnit"]])
                        rows.append(row(day, share * sum((c.usd_of(place) for c in own), Decimal(0)), "Usage", words))
        if extra:
            words = {"ServiceName": said(calls[-1].model, "input")["ServiceName"], "ChargeDescription": extra.words}
            rows.append(row(calls[-1].ts.date(), extra.usd, "Credit", words))
        return table(rows)

    return write


_CLAUDE = ("claude-opus-4-6", "claude-sonnet-4-6")
_MONEY = frozenset({"usd", "extra"})
_OF_CLOUD = {
    "aws": ("aws", ("global.anthropic.claude-opus-4-6-v1", "global.anthropic.claude-sonnet-4-5-20250929-v1:0"), True),
    "azure": ("azure", ("gpt-5", "gpt-5-mini"), False),
    "gcp": ("google", ("gemini-2.5-pro", "gemini-2.5-flash"), False),
}  # fmt: skip
KINDS = {
    "anthropic-usage": Kind(
        "anthropic-usage", "anthropic", _CLAUDE, anthropic_usage, "json",
        frozenset({"tokens", "batch", "tier", "region"}), tier="fast",
    ),
    "anthropic-costs": Kind(
        "anthropic-costs", "anthropic", _CLAUDE, anthropic_costs, "json",
        _MONEY | {"batch", "tier", "region"}, tier="fast",
    ),
    "openai-usage": Kind(
        "openai-usage", "openai", ("gpt-5", "gpt-5-mini"), openai_usage, "json",
        frozenset({"tokens", "batch", "tier"}), writes=False, tier="flex",
    ),
    "openai-costs": Kind(
        "openai-costs", "openai", ("gpt-5", "gpt-5-mini"), openai_costs, "json", _MONEY | {"batch", "tier"}, writes=False,
        tier="flex",
    ),
    "copilot-bill": Kind("copilot-bill", "github", _CLAUDE, copilot_bill, "csv", _MONEY),
    "openrouter": Kind(
        "openrouter", "openrouter", ("anthropic/claude-opus-4.5", "anthropic/claude-sonnet-4.5"), openrouter_activity,
        "csv", frozenset({"tokens", "usd"}), writes=False,
    ),
    "litellm": Kind(
        "litellm", "anthropic", _CLAUDE, litellm_log, "jsonl", frozenset({"tokens", "usd", "batch", "tier", "region"}), tier="fast",
    ),
    **{
        f"focus-{version}-{cloud}": Kind(
            "focus", provider, models, focus(cloud, version), "csv", _MONEY | {"batch", "tokens"}, writes=writes,
        )
        for cloud, (provider, models, writes) in _OF_CLOUD.items()
        for version in ("1.0", "1.2", "1.3")
    },
}  # fmt: skip
