"""What stands elsewhere than its reader expects, or is wrapped, in one record of a log lowers no total without a word.

Higher up than the object of counts, too: a list for an object, JSON written twice into a text, a level more or less,
names and values in a list.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from costsim.errors import UsageLogError
from costsim.usage.load import load
from counts_in import as_line, documents, holders
from emptied import open_store

DATA = Path(__file__).parents[1] / "data" / "usage"
TOTALS = """
SELECT coalesce(sum(input + cache_read + cache_write_5m + cache_write_1h + output), 0)::BIGINT, sum(recorded_usd),
    (SELECT coalesce(sum(occurrences), 0) FROM unread) + (SELECT count(*) FROM reject)
        + (SELECT coalesce(sum(calls), 0) FROM sign)
FROM usage_event
"""
Wrap = Callable[[dict[str, Any], str], dict[str, Any]]
"""What an object becomes, of which one key is changed."""


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def object_of(value: Any) -> dict[str, Any]:
    found = json.loads(value) if isinstance(value, str) and value[:1] == "{" else value
    return found if isinstance(found, dict) else {"total": found}


def a_level_up(holder: dict[str, Any], key: str) -> dict[str, Any]:
    return {**{name: value for name, value in holder.items() if name != key}, **object_of(holder[key])}


WRAPS: dict[str, Wrap] = {
    "a list": lambda holder, key: {**holder, key: [holder[key]]},
    "a text of a text": lambda holder, key: {**holder, key: json.dumps(as_text(holder[key]))},
    "a level down": lambda holder, key: {**holder, key: {"value": holder[key]}},
    "a level up": a_level_up,
    "another name": lambda holder, key: {**{k: v for k, v in holder.items() if k != key}, f"new_{key}": holder[key]},
    "names and values": lambda holder, key: {
        **holder,
        key: [{"name": name, "value": value} for name, value in object_of(holder[key]).items()],
    },
}

PATHS = {
    "anthropic-usage/usage_report_messages_example.json": ("data.results.cache_creation",),
    "azure-apim/gateway.jsonl": ("properties", "properties.backendResponseBody.usage"),
    "bedrock/cloudwatch.json": ("events.message",),
    "cline/ui_messages.json": ("text", "text.cacheWrites"),
    "datadog/spans.json": ("meta", "metrics"),
    "kimi-cli/wire.jsonl": ("message.payload", "message.payload.token_usage"),
    "mlflow/trace.json": ("data",),
    "openclaw/before-compaction.usage-only.jsonl": ("message.usage.cost",),
}


def changed_once(value: Any, path: str, wrap: Wrap) -> Any:
    """A value changed at the first place of a dotted path; a text that is JSON is opened."""
    if isinstance(value, list):
        for place, item in enumerate(value):
            if (changed := changed_once(item, path, wrap)) != item:
                return [*value[:place], changed, *value[place + 1 :]]
        return value
    if isinstance(value, str) and value[:1] == "{":
        return json.dumps(changed_once(json.loads(value), path, wrap))
    key, _, rest = path.partition(".")
    if not isinstance(value, dict) or key not in value:
        return value
    return {**value, key: changed_once(value[key], rest, wrap)} if rest else wrap(value, key)


def measured(documents: list[Any], out: Path) -> tuple[int, Any, int] | None:
    """Tokens, recorded USD and the number of things that are named; None where the log is refused by name."""
    out.write_text("".join(json.dumps(document) + "\n" for document in documents))
    with open_store() as store:
        try:
            load(store, [out])
        except UsageLogError:
            return None
        return store.execute(TOTALS).fetchone()


def plain(file: Path) -> list[Any]:
    text = file.read_text()
    return [json.loads(line) for line in (text.splitlines() if file.suffix == ".jsonl" else [text]) if line.strip()]


BEFORE: dict[str, tuple[int, Any, int] | None] = {}


@pytest.mark.parametrize("how", WRAPS)
@pytest.mark.parametrize(("sample", "path"), [(sample, path) for sample, paths in PATHS.items() for path in paths])
def test_what_is_wrapped_or_moved_counts_or_is_named(tmp_path: Path, sample: str, path: str, how: str) -> None:
    given, out = plain(DATA / sample), tmp_path / Path(sample).name
    before = BEFORE.get(sample) or BEFORE.setdefault(sample, measured(given, out))
    changed = changed_once(given, path, WRAPS[how])
    assert changed != given
    after = measured(changed, out)
    assert before
    assert after is None or (after[0] >= before[0] and after[1] == before[1]) or after[2] > before[2]


SAMPLES = {
    file.parent.name: file for file in sorted(DATA.glob("*/*")) if file.suffix in (".json", ".jsonl")
}  # one of each format
AS_GIVEN: dict[str, tuple[int, Any, int] | None] = {}
"""What they count and name without a change."""


def written_twice(holder: dict[str, Any], key: str) -> None:
    holder[key] = json.dumps(as_text(holder[key]))


def in_a_list_of_names(holder: dict[str, Any], key: str) -> None:
    holder["counted_tokens"] = [{"name": key, "value": holder.pop(key)}]


@pytest.mark.slow
@pytest.mark.parametrize("change", [written_twice, in_a_list_of_names], ids=lambda change: change.__name__)
@pytest.mark.parametrize("name", SAMPLES)
def test_a_count_written_twice_or_named_in_a_list_is_named(
    tmp_path: Path, name: str, change: Callable[[dict[str, Any], str], None]
) -> None:
    file = SAMPLES[name]
    try:
        found = documents(file)
    except ValueError:
        pytest.skip("no JSON")
    out = tmp_path / file.name
    if name not in AS_GIVEN:
        AS_GIVEN[name] = measured([json.loads(as_line(document)) for document in found], out)
    before = AS_GIVEN[name]
    holder, keys = next((one for document in found for one in holders(document)), ({}, []))
    if not keys or not before:
        pytest.skip("no object of counts")
    change(holder, keys[0])
    after = measured([json.loads(as_line(document)) for document in found], out)
    assert after is None or after[0] >= before[0] or after[2] > before[2]
