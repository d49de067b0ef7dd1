"""Small inputs after public bug reports: each costs what its report's arithmetic says. Run where they are at hand."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest
from costsim.analysis.spend.ledger import bring_up_to_date
from costsim.analysis.spend.spend import Query, Spend, spend
from costsim.pricing.book import open_book
from costsim.usage.load import load
from emptied import open_store

pytestmark = pytest.mark.slow

CASES = Path(__file__).parents[2].parent / "shared" / "cases"
IN_WORDS = {"O05": "11,000 tokens, nothing unpriced", "X08c": "a local server has no provider's price"}


def spent(folder: Path, case: str) -> Spend:
    book = open_book()
    with open_store(folder / "costsim.duckdb") as store:
        load(store, [CASES / "in" / case])
        bring_up_to_date(store, book)
        return spend(store, book, Query(by=("model",)))


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not part of the repository")
def test_every_case_costs_what_its_arithmetic_says(tmp_path: Path) -> None:
    with (CASES / "cases.tsv").open(encoding="utf-8") as file:
        right = {row["id"]: row["right value"] for row in csv.DictReader(file, delimiter="\t")}
    found = {}
    for case in right.keys() - IN_WORDS.keys():
        (tmp_path / case).mkdir()
        found[case] = spent(tmp_path / case, case).total.computed_usd
    assert found == {case: Decimal(usd) for case, usd in right.items() if case not in IN_WORDS}


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not part of the repository")
@pytest.mark.parametrize("case", IN_WORDS)
def test_a_case_stated_in_words(tmp_path: Path, case: str) -> None:
    total = spent(tmp_path, case).total
    if case == "O05":
        assert (sum(total.tokens.values()), total.unpriced_tokens) == (11_000, 0)
    else:
        assert (total.computed_usd, total.unpriced_tokens > 0) == (Decimal(0), True)
