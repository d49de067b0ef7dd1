"""A recorded cost that not all of a group has says of how many it is: of calls, or of sums of calls."""

from __future__ import annotations

from pathlib import Path

import pytest
from costsim.analysis.spend.query import Query
from costsim.analysis.spend.spend import spend
from costsim.pricing.book import open_book
from costsim.reports.spend import as_markdown
from costsim.usage.load import load
from costsim.usage.readers.mapped import parse_mapping
from emptied import open_store

HEAD = "at,tokens,calls,usd\n"
# the second has no recorded cost
CALLS = HEAD + "2026-10-01T10:00:00Z,1000000,1,1.10\n2026-10-01T11:00:00Z,1000000,1,\n"
SUMS = HEAD + "2026-10-01T10:00:00Z,2000000,2,2.20\n2026-10-01T11:00:00Z,1000000,1,\n"


@pytest.mark.slow
@pytest.mark.parametrize(("log", "said"), [(CALLS, "$1.10 (1 of 2)"), (SUMS, "$2.20 (1 of 2 entries)")])
def test_how_many_have_a_recorded_cost(tmp_path: Path, log: str, said: str) -> None:
    (tmp_path / "calls.csv").write_text(log, "utf-8")
    mapping = parse_mapping("ts=at,input=tokens,request=calls,recorded_usd=usd,model=:anthropic/claude-haiku-4-5")
    with open_store(Path(":memory:")) as store:
        load(store, [tmp_path / "calls.csv"], mapping=mapping)
        assert said in as_markdown(spend(store, open_book(), Query(("model",))), "both")
