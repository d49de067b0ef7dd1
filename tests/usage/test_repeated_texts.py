"""A text that stands under two keys alike is looked at once, and what is not counted in it is named under both."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from costsim.usage.files import reader_named
from costsim.usage.likeness import Likeness
from costsim.usage.line_watch import LineWatch
from costsim.usage.readers import READERS
from costsim.usage.unread import Watch

FIRST, SECOND = "backendResponseBody", "responseBody"
COUNTED = json.dumps({"id": "a", "usage": {"prompt_tokens": 9, "completion_tokens": 2}})
MORE = json.dumps({"id": "a", "usage": {"prompt_tokens": 9, "completion_tokens": 2, "thinking_tokens": 5}})
STREAM = 'data: {"id": "a", "usage": {"prompt_tokens": 9}}\n\ndata: [DONE]\n\n'


def named(bodies: Sequence[dict[str, Any]]) -> dict[str, int]:
    """The fields that a gateway's log of these bodies has beside what is counted, and how often."""
    watch = Watch(reader_named("azure-apim"))
    lines = LineWatch(watch, 1, columns=watch.columns)
    for body in bodies:
        line = json.dumps({"category": "GatewayLogs", "correlationId": "c", "properties": body}).encode() + b"\n"
        lines.feed(line, 1)
    lines.finish()
    return {field: tally.occurrences for field, tally in watch.found.get(1, {}).items()}


KNOWN = [{FIRST: text, SECOND: text} for text in (COUNTED, STREAM, COUNTED, STREAM)]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({FIRST: MORE, SECOND: MORE}, [FIRST, SECOND]),
        ({FIRST: COUNTED, SECOND: MORE}, [SECOND]),
        ({FIRST: MORE, SECOND: COUNTED}, [FIRST]),
        ({FIRST: STREAM, SECOND: MORE}, [SECOND]),
        ({SECOND: MORE}, [SECOND]),
        ({FIRST: COUNTED, SECOND: COUNTED}, []),
    ],
)
def test_usage_in_one_of_two_repeated_texts_is_named(body: dict[str, str], fields: list[str]) -> None:
    assert named([*KNOWN, body, *KNOWN, body]) == {f"properties.{field}.usage.thinking_tokens": 2 for field in fields}


def test_keys_are_alike_only_where_the_same_is_declared_of_them() -> None:
    likeness = Likeness(reader_named("azure-apim"))
    assert likeness.declares_alike(f"properties.{FIRST}", f"properties.{SECOND}")
    assert not likeness.declares_alike(f"properties.{FIRST}", "properties.requestBody")
    assert not likeness.declares_alike("properties.usage", "properties.cost")  # whatever is in them is usage


@pytest.mark.parametrize("reader", READERS, ids=lambda one: one.name)
def test_what_is_counted_in_one_key_is_counted_in_one_that_is_alike(reader: Any) -> None:
    likeness = Likeness(reader)
    counted = [one.replace("[]", "") for one in reader.counted]
    paths = sorted({path.replace("[]", "") for path in reader.texts})
    for path in paths:
        for other in paths:
            beside = path != other and path.rpartition(".")[0] == other.rpartition(".")[0]
            if beside and likeness.declares_alike(path, other):
                below = [one for one in counted if one.startswith(f"{path}.")]
                assert all(likeness.known(other + one[len(path) :]) for one in below)
