"""A usage field that nobody has heard of is named in every format: put into a shipped sample, it shows as unread.

And whatever is done to usage fields (another name, a level deeper, another type), a total never falls without a word:
either it holds, or something is unread, rejected, contradicted or without a call.
"""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.errors import UsageLogError
from costsim.usage.likeness import NAMES
from costsim.usage.load import load
from costsim.usage.readers import READERS
from costsim.usage.store import open_store
from counts_in import as_line, documents, holders, is_count, opened

DATA = Path(__file__).parents[1] / "data" / "usage"
NAME, AMOUNT = "zyx_new_tokens", 7_654_321
BY_FORMAT = {reader.name: reader for reader in READERS}
SAMPLES = [
    file
    for file in sorted(DATA.rglob("*"))
    if file.suffix in (".json", ".jsonl", ".csv") and file.parent.relative_to(DATA).parts[0] in BY_FORMAT
]
FORMATS = {file.relative_to(DATA).parts[0]: file for file in SAMPLES}
TOTALS = """
SELECT coalesce(sum(input + cache_read + cache_write_5m + cache_write_1h + output), 0)::BIGINT,
    (SELECT coalesce(sum(occurrences), 0) FROM unread) + (SELECT count(*) FROM reject)
        + (SELECT count(*) FROM sign WHERE kind LIKE 'total%') + (SELECT count(*) FROM load WHERE entries = 0)
FROM usage_event
"""


def written(file: Path, folder: Path, change: Callable[[dict[str, Any], list[str]], None]) -> Path:
    """The sample with every object of counts changed, by the keys of its counts."""
    found = documents(file)
    objects = [holder for document in found for holder in holders(document)]
    for holder, keys in objects:
        change(holder, keys)
    assert objects
    out = folder / file.name
    out.write_text("".join(map(as_line, found)))
    return out


@pytest.fixture(scope="module")
def store() -> Iterator[duckdb.DuckDBPyConnection]:
    """One store for all, emptied between."""
    with open_store(Path(":memory:")) as connection:
        yield connection


def measured(store: duckdb.DuckDBPyConnection, file: Path) -> tuple[int, int, list[str]]:
    """The tokens that count, the number of things that are named, and the names of unread fields."""
    for table in ("usage_event", "load", "unread", "reject", "sign", "touched_day"):
        store.execute(f"DELETE FROM {table}")
    load(store, [file])
    row = store.execute(TOTALS).fetchone()
    names = [name for (name,) in store.execute("SELECT field FROM unread").fetchall()]
    assert row
    return row[0], int(row[1]), names


BEFORE: dict[str, tuple[int, int, list[str]]] = {}
"""What the samples give as they are."""
JSON_FORMATS = {name: file for name, file in FORMATS.items() if file.suffix != ".csv"}
TABLES = {name: file for name, file in FORMATS.items() if file.suffix == ".csv"}


@pytest.mark.parametrize("name", JSON_FORMATS)
def test_a_made_up_count_beside_counts_is_named(store: duckdb.DuckDBPyConnection, tmp_path: Path, name: str) -> None:
    file = written(JSON_FORMATS[name], tmp_path, lambda holder, _: holder.update({NAME: AMOUNT}))
    assert any(field.endswith(NAME) for field in measured(store, file)[2])


def listed(value: Any) -> Any:
    """A record with every object of counts in a list of its own."""
    if isinstance(value, list):
        return [listed(item) for item in value]
    if not isinstance(value, dict):
        return value
    return type(value)({key: [item] if counts(key, item) else listed(item) for key, item in value.items()})


def counts(key: str, value: Any) -> bool:
    """Whether a key has an object of counts."""
    within = bool(NAMES.search(key))
    return type(value) is dict and any(is_count(name, count, within) for name, count in value.items())


# In others the objects are attributes, texts, or the records themselves.
OF_OBJECTS = ("bedrock", "claude-code", "cursor-events", "gemini-cli", "openclaw", "opencode", "vertex", "weave")


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_OBJECTS)
def test_usage_in_a_list_where_an_object_is_expected_is_named(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, name: str
) -> None:
    before = BEFORE.get(name) or BEFORE.setdefault(name, measured(store, JSON_FORMATS[name]))
    out = tmp_path / JSON_FORMATS[name].name
    out.write_text("".join(as_line(listed(document)) for document in documents(JSON_FORMATS[name])))
    after = measured(store, out)
    assert after[0] < before[0]
    assert len(after[2]) > len(before[2])


def test_what_amps_messages_and_threads_state_beside_usage_is_named(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    (thread,) = documents(JSON_FORMATS["amp"])
    message = next(message for message in thread["messages"] if "usage" in message)
    message["second_usage"] = {"inputTokens": AMOUNT}
    thread[NAME] = AMOUNT
    (tmp_path / "T-1.json").write_text(as_line(thread))
    named = measured(store, tmp_path / "T-1.json")[2]
    assert sorted(named) == ["message.second_usage.inputTokens", f"of_thread.{NAME}"]


LINES = {
    name: file
    for file in sorted(DATA.glob("*/*.jsonl"))
    if not ((reader := BY_FORMAT.get(name := file.parent.name)) is None or reader.unfold or reader.keys)
}
"""Formats that are read in bulk."""


@pytest.mark.slow
@pytest.mark.parametrize("name", LINES)
def test_a_made_up_count_in_one_record_of_many_is_named_with_its_line(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, name: str
) -> None:
    """In a record in the middle, and in the last."""
    lines = [line for line in LINES[name].read_text().splitlines() if line.strip()]
    place = next(n for n, line in enumerate(lines) if next(holders(opened(json.loads(line))), None))
    many = [line + "\n" for line in lines] * max(900 // len(lines), 2)
    document = opened(json.loads(lines[place]))
    holder, _ = next(holders(document))
    holder[NAME] = AMOUNT
    many[len(many) // 2] = many[-1] = as_line(document)
    (tmp_path / "log.jsonl").write_text("".join(many))
    measured(store, tmp_path / "log.jsonl")
    query = "SELECT occurrences, total::BIGINT, line FROM unread WHERE field LIKE ?"
    assert store.execute(query, [f"%{NAME}"]).fetchall() == [(2, 2 * AMOUNT, len(many) // 2 + 1)]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("name", TABLES)
def test_a_made_up_column_of_counts_is_named(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, name: str, kind: str
) -> None:
    rows = list(csv.DictReader(io.StringIO(TABLES[name].read_text())))
    out = tmp_path / "table.csv"
    with out.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, [*rows[0], NAME])
        writer.writeheader()
        writer.writerows({**row, NAME: AMOUNT} for row in rows)
    if kind == "parquet":
        with duckdb.connect() as engine:
            engine.read_csv(str(out), all_varchar=True).write_parquet(str(tmp_path / "table.parquet"))
        out = tmp_path / "table.parquet"
    assert NAME in measured(store, out)[2]


def renamed(holder: dict[str, Any], keys: list[str], dice: random.Random) -> None:
    key = dice.choice(keys)
    holder[f"{key}_v2"] = holder.pop(key)


def nested(holder: dict[str, Any], keys: list[str], dice: random.Random) -> None:
    key = dice.choice(keys)
    holder[f"{key}_details"] = {"tokens": holder.pop(key)}


def retyped(holder: dict[str, Any], keys: list[str], dice: random.Random) -> None:
    key = dice.choice(keys)
    holder[key] = dice.choice([f"{holder[key]} tokens", True, {"value": holder[key]}, [holder[key]]])


def in_other_case(holder: dict[str, Any], keys: list[str], dice: random.Random) -> None:
    key = dice.choice(keys)
    holder[key.upper() if key != key.upper() else key.lower()] = holder.pop(key)


Change = Callable[[dict[str, Any], str], dict[str, Any]]
"""What an object becomes, of which one key is changed."""


def changed_at(value: Any, path: str, change: Change) -> Any:
    """A document changed at a dotted path, in every item of a list; a text that is JSON is opened."""
    key, _, rest = path.partition(".")
    if isinstance(value, list):
        return [changed_at(item, path, change) for item in value]
    if isinstance(value, str) and value[:1] == "{":
        return json.dumps(changed_at(json.loads(value), path, change))
    if not isinstance(value, dict) or key not in value:
        return value
    return {**value, key: changed_at(value[key], rest, change)} if rest else change(value, key)


def into(made: Callable[[Any], Any]) -> Change:
    return lambda holder, key: {**holder, key: made(holder[key])}


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


CHANGES: dict[str, Change] = {
    "a text": into(as_text),
    "a list": into(lambda value: [value]),
    "texts in a list": into(lambda listed: [*map(as_text, listed)]),
    "lists in a list": into(lambda listed: [[value] for value in listed]),
    "upper case": lambda holder, key: {name.upper() if name == key else name: holder[name] for name in holder},
}


def changed_sample(file: Path, folder: Path, path: str, how: str) -> Path:
    """A sample with what stands at a path changed in all of its documents."""
    text = file.read_text()
    found = [json.loads(line) for line in (text.splitlines() if file.suffix == ".jsonl" else [text])]
    changed = [changed_at(document, path, CHANGES[how]) for document in found]
    (folder / file.name).write_text("".join(json.dumps(document) + "\n" for document in changed))
    return folder / file.name


REFUSED: dict[str, dict[str, tuple[str, ...]]] = {
    "bedrock/cloudwatch.json": {
        "events.message.input": ("a text", "a list", "upper case"),
        "events.message.output.outputTokenCount": ("upper case",),
        "events": ("texts in a list", "lists in a list"),
    },
    "bedrock/invocations.jsonl": {"input": ("a text", "a list"), "output": ("a text",)},
    "litellm/spend_logs.jsonl": {
        "spend": ("upper case",),
        "metadata.additional_usage_values": ("a text", "a list", "upper case"),
    },
    "cursor-events/events.json": {"usageEvents": ("texts in a list", "lists in a list")},
    "otel/copilot.jsonl": {"attributes": ("a list",)},
    "otel/trace.json": {"resourceSpans.scopeSpans": ("texts in a list",)},
    "vertex/request-response.jsonl": {"full_response.usage_metadata": ("a text", "a list")},
    "weave/calls.jsonl": {"summary.usage.gpt-4": ("a text", "a list")},
}
"""What a reader takes nothing from."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sample", "path", "how"),
    [(sample, path, how) for sample, paths in REFUSED.items() for path, ways in paths.items() for how in ways],
)
def test_what_a_reader_takes_nothing_from_is_named_or_rejected(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, sample: str, path: str, how: str
) -> None:
    file = DATA / sample
    before = BEFORE.get(sample) or BEFORE.setdefault(sample, measured(store, file))
    out = changed_sample(file, tmp_path, path, how)
    try:
        after = measured(store, out)
    except UsageLogError:
        return  # refused by name
    assert after[0] <= before[0]
    assert after[1] > before[1]


TAKEN = {
    "bedrock/invocations.jsonl": ("output.outputBodyJson",),
    "langfuse/observations.jsonl": ("usageDetails", "costDetails"),
    "litellm/spend_logs.jsonl": ("metadata",),
    "vertex/request-response.jsonl": ("full_response",),
    "weave/calls.jsonl": ("summary", "summary.usage"),
}
"""What a reader takes as JSON in a text too."""


@pytest.mark.parametrize(("sample", "path"), [(sample, path) for sample, paths in TAKEN.items() for path in paths])
def test_what_a_reader_takes_from_a_text_counts_as_before(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, sample: str, path: str
) -> None:
    before = BEFORE.get(sample) or BEFORE.setdefault(sample, measured(store, DATA / sample))
    assert measured(store, changed_sample(DATA / sample, tmp_path, path, "a text")) == before


@pytest.mark.slow
@pytest.mark.parametrize("mutation", [renamed, nested, retyped, in_other_case], ids=lambda change: change.__name__)
@pytest.mark.parametrize("name", JSON_FORMATS)
def test_no_total_falls_without_a_word(
    store: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    name: str,
    mutation: Callable[[dict[str, Any], list[str], random.Random], None],
) -> None:
    dice = random.Random(name)
    before = BEFORE.get(name) or BEFORE.setdefault(name, measured(store, JSON_FORMATS[name]))
    (tmp_path / "changed").mkdir()
    file = written(JSON_FORMATS[name], tmp_path / "changed", lambda holder, keys: mutation(holder, keys, dice))
    try:
        after = measured(store, file)
    except UsageLogError:
        return  # refused by name
    assert after[0] >= before[0] or after[1] > before[1]
