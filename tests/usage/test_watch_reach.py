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


def is_usage(key: str, value: Any) -> bool:
    """Whether a field of a sample is a count that its reader may read."""
    return bool(NAMES.search(key)) and isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def holders(value: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """The objects of a sample with at least one count of usage, in JSON texts too as they are after `opened`."""
    if isinstance(value, dict):
        if any(is_usage(key, item) for key, item in value.items()):
            yield value
        for item in value.values():
            yield from holders(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from holders(item, depth + 1)


def documents(file: Path) -> list[Any]:
    text = file.read_text()
    if file.suffix == ".jsonl":
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    return [json.loads(text)]


def written(file: Path, folder: Path, change: Callable[[dict[str, Any]], None]) -> Path | None:
    """The sample with every object of counts changed; None where it has no such object."""
    found = documents(file)
    objects = [holder for document in found for holder in holders(document)]
    for holder in objects:
        change(holder)
    out = folder / file.name
    out.write_text("".join(json.dumps(document) + "\n" for document in found))
    return out if objects else None


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
    file = written(JSON_FORMATS[name], tmp_path, lambda holder: holder.update({NAME: AMOUNT}))
    if file is None:
        pytest.skip("its counts stand in texts or attributes")
    assert any(field.endswith(NAME) for field in measured(store, file)[2])


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


def renamed(holder: dict[str, Any], dice: random.Random) -> None:
    key = dice.choice([key for key, value in holder.items() if is_usage(key, value)])
    holder[f"{key}_v2"] = holder.pop(key)


def nested(holder: dict[str, Any], dice: random.Random) -> None:
    key = dice.choice([key for key, value in holder.items() if is_usage(key, value)])
    holder[f"{key}_details"] = {"tokens": holder.pop(key)}


def retyped(holder: dict[str, Any], dice: random.Random) -> None:
    key = dice.choice([key for key, value in holder.items() if is_usage(key, value)])
    holder[key] = dice.choice([f"{holder[key]} tokens", True, {"value": holder[key]}, [holder[key]]])


@pytest.mark.parametrize("mutation", [renamed, nested, retyped], ids=lambda change: change.__name__)
@pytest.mark.parametrize("name", JSON_FORMATS)
def test_no_total_falls_without_a_word(
    store: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    name: str,
    mutation: Callable[[dict[str, Any], random.Random], None],
) -> None:
    dice = random.Random(name)
    before = BEFORE.get(name) or BEFORE.setdefault(name, measured(store, JSON_FORMATS[name]))
    (tmp_path / "changed").mkdir()
    file = written(JSON_FORMATS[name], tmp_path / "changed", lambda holder: mutation(holder, dice))
    if file is None:
        pytest.skip("its counts stand in texts or attributes")
    try:
        after = measured(store, file)
    except UsageLogError:
        return  # refused by name
    assert after[0] >= before[0] or after[1] > before[1]
