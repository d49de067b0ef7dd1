"""A record of very many models is read in memory in proportion to its size: of 140 KB, each model looked up in the whole
record took 19 GB."""

from __future__ import annotations

import json
import resource
from pathlib import Path
from typing import Any

import pytest
from costsim.usage.load import load
from emptied import open_store

DATA = Path(__file__).parents[2] / "data" / "usage"
MODELS = 10_000
HOLDERS = {
    "claude-print/run.jsonl": ("modelUsage",),
    "gemini-print/run.json": ("stats", "models"),
    "qwen-print/run.json": ("stats", "models"),
    "grok/updates.jsonl": ("params", "update", "usage", "modelUsage"),
    "litellm-activity/activity.json": ("breakdown", "models"),
    "weave/calls.jsonl": ("summary", "usage"),
}


def holders(value: Any, path: tuple[str, ...]) -> list[dict[str, Any]]:
    """The objects at a path below any part of a document."""
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    found = value
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    own = [found] if isinstance(found, dict) and found else []
    return own + [holder for part in below for holder in holders(part, path)]


@pytest.mark.slow
@pytest.mark.parametrize("name", HOLDERS)
def test_a_record_of_very_many_models_takes_memory_in_proportion(tmp_path: Path, name: str) -> None:
    text = (DATA / name).read_text()
    records = [json.loads(line) for line in text.splitlines()] if name.endswith("l") else [json.loads(text)]
    models = [holder for record in records for holder in holders(record, HOLDERS[name])][-1]
    known = next(iter(models.values()))
    models.update({f"model-{number}": known for number in range(MODELS)})
    (tmp_path / Path(name).name).write_text("\n".join(map(json.dumps, records)) + "\n")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with open_store(tmp_path / "costsim.duckdb") as store:
        load(store, [tmp_path / Path(name).name])
        (found,) = store.execute("SELECT count(DISTINCT model) FROM usage_event").fetchone() or (0,)
        refused = [why for (why,) in store.execute("SELECT reason FROM reject").fetchall()]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400 * 1024  # KiB
    assert found >= MODELS or refused == ["over 1,000 models in one call"]
