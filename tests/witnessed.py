"""One truth, a list of calls, as several sources write it: Claude Code's log, Anthropic's pages, LiteLLM, FOCUS."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

OPUS, HAIKU = "claude-opus-4-6", "claude-haiku-4-5"
# USD per million tokens, list prices of 2026: input, cache read, 5-minute write, output
PRICES = {OPUS: (5, Decimal("0.5"), Decimal("6.25"), 25), HAIKU: (1, Decimal("0.1"), Decimal("1.25"), 5)}


@dataclass(frozen=True)
class TrueCall:
    """What a provider answered and counted."""

    number: int
    ts: datetime
    model: str = HAIKU
    input: int = 1000
    read: int = 20_000
    written: int = 500
    output: int = 300
    session: str = "5f3a1b1e-0000-4000-8000-000000000001"

    @property
    def message_id(self) -> str:
        """As Anthropic names a message."""
        return f"msg_01Truth{self.number:014d}"

    @property
    def request_id(self) -> str:
        """As Anthropic names a request."""
        return f"req_011Truth{self.number:014d}"

    @property
    def usd(self) -> Decimal:
        """At the list prices."""
        pairs = zip((self.input, self.read, self.written, self.output), PRICES[self.model], strict=True)
        return sum((Decimal(tokens) * Decimal(str(price)) for tokens, price in pairs), Decimal(0)) / 10**6

    def times(self, factor: int) -> TrueCall:
        """The call with so many times its tokens."""
        return replace(
            self, input=factor * self.input, read=factor * self.read, written=factor * self.written,
            output=factor * self.output,
        )  # fmt: skip


def truth(days: int = 3, per_day: int = 12, first: date = date(2026, 10, 5)) -> list[TrueCall]:
    """Calls every two hours, 23:30 among them; no two with the same tokens, a fifth of them of the larger model."""
    calls = []
    for number in range(days * per_day):
        day, place = divmod(number, per_day)
        start = datetime.combine(first, datetime.min.time()) + timedelta(days=day)
        ts = start + timedelta(hours=1, minutes=30) + place * timedelta(hours=22) / (per_day - 1)
        model = OPUS if number % 5 == 0 else HAIKU
        calls.append(
            TrueCall(number, ts, model, 1000 + 7 * number, 20_000 + 113 * number, 500 + number, 300 + 3 * number)
        )
    return calls


def lines(entries: Iterable[Any]) -> str:
    """JSON lines."""
    return "".join(json.dumps(entry) + "\n" for entry in entries)


def claude_log(calls: Sequence[TrueCall]) -> str:
    """Claude Code's session log."""
    return lines(
        {
            "type": "assistant", "timestamp": f"{call.ts.isoformat()}Z", "sessionId": call.session,
            "requestId": call.request_id, "uuid": f"u-{call.number}",
            "message": {
                "id": call.message_id, "model": call.model,
                "usage": {
                    "input_tokens": call.input, "cache_read_input_tokens": call.read,
                    "cache_creation_input_tokens": call.written, "output_tokens": call.output,
                },
            },
        }
        for call in calls
    )  # fmt: skip


def litellm_log(calls: Sequence[TrueCall]) -> str:
    """LiteLLM's spend logs; a reply that passes through keeps Anthropic's id."""
    return lines(
        {
            "request_id": call.message_id, "call_type": "anthropic_messages", "spend": float(call.usd),
            "prompt_tokens": call.input + call.read + call.written, "completion_tokens": call.output,
            "startTime": f"{call.ts.isoformat()}Z", "model": call.model, "custom_llm_provider": "anthropic",
            "metadata": {"usage_object": {
                "cache_read_input_tokens": call.read, "cache_creation_input_tokens": call.written,
            }},
        }
        for call in calls
    )  # fmt: skip


def litellm_days(calls: Sequence[TrueCall]) -> str:
    """LiteLLM's own sums by day and model: CSV of its table LiteLLM_DailyUserSpend."""
    kinds = "prompt_tokens,completion_tokens,cache_read_input_tokens,cache_creation_input_tokens,spend,api_requests"
    rows = [f"id,user_id,date,api_key,model,custom_llm_provider,{kinds},successful_requests,failed_requests"]
    for day, model in sorted({(call.ts.date(), call.model) for call in calls}):
        own = [call for call in calls if (call.ts.date(), call.model) == (day, model)]
        read, written = sum(call.read for call in own), sum(call.written for call in own)
        counts = (sum(c.input for c in own) + read + written, sum(c.output for c in own), read, written)
        figures = (*counts, sum(call.usd for call in own), len(own), len(own), 0)
        rows.append(f"{day}-{model},cio,{day},k1,{model},anthropic,{','.join(map(str, figures))}")
    return "\n".join(rows) + "\n"


def span_rows(calls: Sequence[TrueCall]) -> str:
    """Spans of OpenTelemetry, a row each, with the id of the response."""
    return lines(
        {
            "traceId": f"{call.number:032x}", "spanId": f"{call.number:016x}", "name": "chat",
            "startTimeUnixNano": str(int((call.ts - datetime(1970, 1, 1)).total_seconds()) * 10**9),
            "attributes": {
                "gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic",
                "gen_ai.response.model": call.model, "gen_ai.response.id": call.message_id,
                "gen_ai.usage.input_tokens": call.input + call.read + call.written,
                "gen_ai.usage.output_tokens": call.output, "gen_ai.usage.cache_read.input_tokens": call.read,
                "gen_ai.usage.cache_creation.input_tokens": call.written,
            },
        }
        for call in calls
    )  # fmt: skip


def usage_page(calls: Sequence[TrueCall], tier: str = "standard") -> str:
    """Anthropic's usage report by day and model."""
    return _page(calls, lambda own: {
        "uncached_input_tokens": sum(call.input for call in own), "cache_read_input_tokens": sum(c.read for c in own),
        "cache_creation": {
            "ephemeral_5m_input_tokens": sum(call.written for call in own), "ephemeral_1h_input_tokens": 0,
        },
        "output_tokens": sum(call.output for call in own), "server_tool_use": {"web_search_requests": 0},
        "service_tier": tier, "context_window": "0-200k",
    })  # fmt: skip


def cost_page(calls: Sequence[TrueCall], share: Decimal = Decimal(1), **extra: Any) -> str:
    """Anthropic's cost report by day and model, in cents; `extra` is one result more, on the last day."""
    return _page(
        calls,
        lambda own: {"amount": str(100 * share * sum((c.usd for c in own), Decimal(0))), "currency": "USD"},
        extra or None,
    )


def _page(
    calls: Sequence[TrueCall], result: Callable[[list[TrueCall]], dict[str, Any]], extra: dict[str, Any] | None = None
) -> str:
    data: list[dict[str, Any]] = []
    for day in sorted({call.ts.date() for call in calls}):
        own = [call for call in calls if call.ts.date() == day]
        results = [
            {"model": model, **result([call for call in own if call.model == model])}
            for model in sorted({call.model for call in own})
        ]
        ends = f"{day + timedelta(1)}T00:00:00Z"
        data.append({"starting_at": f"{day}T00:00:00Z", "ending_at": ends, "results": results})
    if extra:
        data[-1]["results"].append(extra)
    return json.dumps({"data": data, "has_more": False, "next_page": None})


def written(folder: Path, **files: str) -> list[Path]:
    """The files `name.json` (`.jsonl` where they are lines, `.csv` where they are a table) with these texts."""
    paths = []
    for name, text in files.items():
        ending = ".json" if text.startswith('{"data"') else ".jsonl" if text.startswith("{") else ".csv"
        path = folder / (name + ending)
        path.write_text(text)
        paths.append(path)
    return paths
