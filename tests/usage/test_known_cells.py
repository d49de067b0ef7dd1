"""Cells of a table in which usage is looked for: those that hold nothing else than what is counted, and all others."""

from __future__ import annotations

from pathlib import Path

import pytest
from costsim.usage import careful
from costsim.usage.load import load
from costsim.usage.report import LoadReport
from emptied import open_store

HEADER = "id,trace_id,type,start_time,usage_details,cost_details,provided_model_name\n"
ROW = 'obs-{n},t,GENERATION,2026-10-05 10:00:00.000000,"{usage}","{cost}",gpt-4o\n'
USAGE, COST = '{"input": 10, "output": 5, "total": 15}', '{"input": 1e-05, "total": 0.00125}'


def table(file: Path, usage: str) -> Path:
    """A table of Langfuse's whose third row has these details."""
    details = [(USAGE, COST), ("{}", "{}"), (usage, COST)]
    quoted = [(one.replace('"', '""'), other.replace('"', '""')) for one, other in details]
    file.write_text(HEADER + "".join(ROW.format(n=n, usage=one, cost=other) for n, (one, other) in enumerate(quoted)))
    return file


def loaded(file: Path) -> tuple[LoadReport, list[tuple[int, ...]]]:
    """What a load says, and the tokens of the calls."""
    with open_store(Path(":memory:")) as store:
        report = load(store, [file])
        return report, store.execute("SELECT input, output FROM usage_event ORDER BY event_id").fetchall()


@pytest.mark.slow
@pytest.mark.parametrize("usage", [USAGE, "{}", "", '{"input":10, "output_reasoning_tokens": 7}'])
def test_a_table_of_cells_that_hold_only_what_is_counted_is_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, usage: str
) -> None:
    monkeypatch.delattr(careful, "read_csv")  # which keeps the cells
    report, _ = loaded(table(tmp_path / "observations.csv", usage))
    assert report.total("rejected") == 0
    assert report.unread == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("usage", "field"),
    [
        ('{"input": 10, "output": 5, "spent_tokens": 7}', "usage_details.spent_tokens"),
        ('{"input": 10, "output": 5, "more": {"spent_tokens": 7}}', "usage_details.more.spent_tokens"),
        ('{"input": 10, "output": 5, "spent_tokens": "7"}', "usage_details.spent_tokens"),
        ('{"input": 10, "output": 5, "output_video_tokens": 7}', "usage_details.output_video_tokens"),
    ],
)
def test_one_cell_of_something_else_is_named_with_its_line(tmp_path: Path, usage: str, field: str) -> None:
    report, tokens = loaded(table(tmp_path / "observations.csv", usage))
    # the header is line 1, so the third row is line 4
    assert [(one.field, one.occurrences, one.total, one.line) for one in report.unread] == [(field, 1, 7, 4)]
    assert tokens[0] == (10, 5)
