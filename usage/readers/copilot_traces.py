"""Copilot Chat in VS Code: agent-traces.db, the spans that its database exporter keeps.

https://github.com/microsoft/vscode-copilot-chat (src/platform/otel/node/sqlite/otelSqliteStore.ts): a row of `spans`
has some attributes as columns, `span_attributes` has all of them. They are read as OpenTelemetry's spans are, and have
the same ids as in its file exporter's file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..reader import Sample
from ..unfold import rows
from . import otel

SPANS = """
SELECT spans.*, attributes.found FROM spans LEFT JOIN (
    SELECT span_id, json_group_object(key, value) AS found FROM span_attributes WHERE length(value) < 1000
    GROUP BY span_id) AS attributes ON attributes.span_id = spans.span_id
"""  # each table once, whatever indexes there are
COLUMNS = {
    "operation_name": "gen_ai.operation.name",
    "provider_name": "gen_ai.provider.name",
    "request_model": "gen_ai.request.model",
    "response_model": "gen_ai.response.model",
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "cached_tokens": "gen_ai.usage.cache_read.input_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
    "agent_name": "gen_ai.agent.name",
    "conversation_id": "gen_ai.conversation.id",
}
"""The attributes that are columns."""


def unfold(content: Path, _file: Path) -> Iterator[dict[str, Any]]:
    """The spans, each with all of its attributes."""
    for row in rows(content, SPANS):
        stated = {name: row[column] for column, name in COLUMNS.items() if row.get(column) is not None}
        yield {
            "trace_id": row["trace_id"],
            "span_id": row["span_id"],
            "parent_span_id": row["parent_span_id"],
            "name": row["name"],
            "start_time_unix_nano": f"{row['start_time_ms']}000000",
            "end_time_unix_nano": f"{row['end_time_ms']}000000",
            "status_code": str(row["status_code"]),
            "attributes": {**stated, **json.loads(row["found"] or "{}")},
        }


def recognises(sample: Sample) -> bool:
    """The database's tables."""
    return sample.layout == "sqlite" and sample.has("spans", "span_attributes", "span_events")


READER = replace(
    otel.READER,
    name="copilot-traces",
    origin="telemetry",
    sql=otel.SQL + otel.WRAPPERS_TOO,
    doc="https://github.com/microsoft/vscode-copilot-chat/blob/main/docs/monitoring/agent_monitoring.md",
    recognises=recognises,
    unfold=unfold,
    unique_by="the trace's id and the span's",
    sample="made: spans in the exporter's tables",
    kept_at="VS Code's globalStorage/github.copilot-chat/agent-traces.db "
    "(setting github.copilot.chat.otel.dbSpanExporter.enabled)",
    no_call="no span with usage",
)
