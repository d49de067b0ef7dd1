"""vLLM: a scrape is a state; the last of each run of the server counts, whatever was scraped before."""

from __future__ import annotations

from pathlib import Path

import pytest
from costsim.usage.load import load
from emptied import open_store

pytestmark = pytest.mark.slow

DATA = Path(__file__).parents[2] / "data" / "usage" / "vllm" / "metrics.prom"
COLUMNS = "model, aggregated, input, cache_read, output, request"


def test_a_later_scrape_replaces_and_a_restart_adds(tmp_path: Path) -> None:
    text = DATA.read_text()
    first = tmp_path / "first.txt"
    first.write_text(text[: text.index("# TYPE", 10)])
    with open_store(tmp_path / "costsim.duckdb") as store:
        load(store, [first])
        sql = f"SELECT {COLUMNS} FROM usage_event ORDER BY output"
        assert store.execute(sql).fetchall() == [("qwen3", True, 400, 600, 51, 2)]
        assert load(store, [DATA]).files[0].reader == "vllm"
        assert store.execute(sql).fetchall() == [
            ("qwen3", True, 700, 0, 21, 1),  # after the restart; two engines
            ("qwen3", True, 2000, 3000, 201, 9),  # and not 2,000 + 400
        ]
