"""A span's attributes in another form than a list of `key` and `value` are named, since nothing is taken from them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from costsim.usage.load import load
from emptied import open_store

Json = dict[str, Any]
INPUT, OUTPUT = "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"


def loaded(file: Path, *records: Json) -> tuple[list[Any], dict[str, int]]:
    """Input and output of each call, and the fields that are not counted, each with its sum."""
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    with open_store() as store:
        load(store, [file])
        calls = store.execute("SELECT input, output FROM usage_event ORDER BY ALL").fetchall()
        return calls, dict(store.execute("SELECT field, total::BIGINT FROM unread").fetchall())


def attribute(name: str, value: str | int) -> Json:
    return {"key": name, "value": {"stringValue": value} if isinstance(value, str) else {"intValue": str(value)}}


def span(number: int, attributes: object) -> Json:
    return {"traceId": "a" * 32, "spanId": f"{number:016x}", "name": "chat", "attributes": attributes,
            "startTimeUnixNano": "1791000000000000000", "endTimeUnixNano": "1791000001000000000"}  # fmt: skip


def otlp(number: int, attributes: list[Any], scopes: str = "scopeSpans") -> Json:
    return {"resourceSpans": [{scopes: [{"spans": [span(number, attributes)]}]}]}


MODEL, SENT, RECEIVED = attribute("gen_ai.request.model", "gpt-5"), attribute(INPUT, 30), attribute(OUTPUT, 7)
STRAYS: dict[str, Callable[[Json], Any]] = {
    "in a value": lambda one: {"value": one},
    "in an object": lambda one: {"attribute": one},
    "in a list": lambda one: [one],
    "as the value of another": lambda one: {"key": "detail", "value": one},
    "by name": lambda one: {"name": one["key"], "value": one["value"]},
    "by name and number": lambda one: {"name": one["key"], "value": int(one["value"]["intValue"])},
}


@pytest.mark.parametrize("stray", STRAYS)
def test_an_attribute_of_another_form_is_named(tmp_path: Path, stray: str) -> None:
    """In the second of three spans, when the form of the others is known."""
    good = [MODEL, SENT, RECEIVED]
    spans = [otlp(number, good) for number in (1, 3)]
    spans.insert(1, otlp(2, [MODEL, STRAYS[stray](SENT), RECEIVED]))
    calls, unread = loaded(tmp_path / "spans.jsonl", *spans)
    assert calls == [(0, 7), (30, 7), (30, 7)]
    assert unread == {f"resourceSpans.scopeSpans.spans.attributes.{INPUT}": 30}


@pytest.mark.parametrize("stray", ["in a value", "in an object", "in a list", "by name"])
def test_it_is_named_in_the_envelope_of_a_tracing_backend_too(tmp_path: Path, stray: str) -> None:
    export = otlp(1, [MODEL, STRAYS[stray](SENT), RECEIVED], "instrumentationLibrarySpans")
    calls, unread = loaded(tmp_path / "spans.json", export)
    assert (calls, unread) == ([(0, 7)], {f"attributes.attributes.{INPUT}": 30})


def test_a_list_of_names_and_values_in_a_row_is_named(tmp_path: Path) -> None:
    counts = {"gen_ai.request.model": "gpt-5", INPUT: 30, OUTPUT: 7}
    listed = [{"name": name, "value": value} for name, value in counts.items()]
    calls, unread = loaded(tmp_path / "spans.jsonl", span(1, counts), span(2, listed))
    assert (calls, unread) == ([(30, 7)], {f"attributes.{INPUT}": 30, f"attributes.{OUTPUT}": 7})


def test_what_was_said_in_an_attribute_is_no_usage(tmp_path: Path) -> None:
    said = {"content": {"name": "input_tokens", "value": 5}}
    attributes = [MODEL, SENT, RECEIVED, {"key": "gen_ai.prompt", "value": said}]
    assert loaded(tmp_path / "spans.jsonl", otlp(1, attributes)) == ([(30, 7)], {})
