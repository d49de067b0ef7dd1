"""Files of which a reader makes records: one document, or several one after the other."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from costsim.usage.load import load

DATA = Path(__file__).parents[1] / "data" / "usage"
DOCUMENTS = [
    "amp/T-current.json",
    "cline/ui_messages.json",
    "cursor-events/events.json",
    "droid/session-1.settings.json",
    "goose/export.json",
    "openhands/base_state.json",
    "vibe/meta.json",
]
EVENTS = "SELECT * EXCLUDE (file_id, ts) FROM usage_event ORDER BY ALL"  # some have their file's time


def loaded(store: duckdb.DuckDBPyConnection, file: Path, text: str) -> tuple[list[tuple[object, ...]], int]:
    """The calls of a file of this content, and how many lines are rejected."""
    store.execute("DELETE FROM usage_event; DELETE FROM load; DELETE FROM reject")
    file.write_text(text)
    [report] = load(store, [file]).files
    return store.execute(EVENTS).fetchall(), report.rejected


@pytest.mark.slow
@pytest.mark.parametrize("sample", DOCUMENTS)
def test_what_follows_a_whole_document_loses_none_of_its_calls(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, sample: str
) -> None:
    text, file = (DATA / sample).read_text(), tmp_path / Path(sample).name
    calls, rejected = loaded(store, file, text)
    assert calls
    for rest in ('{"torn": ', text[:60]):
        assert loaded(store, file, f"{text}\n{rest}\n") == (calls, rejected + 1)


def test_documents_one_after_the_other_are_all_read(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """Two threads of two calls each, and a number that is no thread between them."""
    text = (DATA / "amp" / "T-current.json").read_text()
    other = text.replace("T-thread-a", "T-thread-b").replace("2026-01-19T11", "2026-01-19T12")
    calls, rejected = loaded(store, tmp_path / "T.json", f"{text}\n{other}\n7\n{{")
    assert (len(calls), rejected) == (4, 2)
