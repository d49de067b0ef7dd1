"""Unit economics: what a unit cost, with nothing lost between the units, the unattributed and the total."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from costsim.analysis.spend.query import Query
from costsim.analysis.spend.spend import Spend, spend
from costsim.analysis.spend.units import RESULT_COLUMNS, read_units, unit_economics, units_of
from costsim.errors import InputError
from costsim.pricing.book import open_book
from costsim.reports import units as show
from costsim.reports.spend import as_json, as_markdown, print_spend
from costsim.usage.load import load
from costsim.usage.readers.mapped import parse_mapping
from costsim.usage.store import open_store
from rich.console import Console

if TYPE_CHECKING:
    from conftest import Run

pytestmark = pytest.mark.slow

# Haiku 4.5: $1 per million input tokens
CALLS = "at,tokens,branch\n" + "".join(
    f"2026-10-05T10:00:0{n}Z,{millions}000000,{branch}\n"
    for n, (millions, branch) in enumerate([(4, "a"), (2, "b"), (3, ""), (1, "other")])
)
MAP = "ts=at,input=tokens,branch=branch,model=:anthropic/claude-haiku-4-5"
UNITS = "branch,merged\na,1\nb,0\nc,3\n"


@pytest.fixture
def spent(tmp_path: Path) -> Spend:
    (tmp_path / "calls.csv").write_text(CALLS, "utf-8")
    with open_store(Path(":memory:")) as store:
        load(store, [tmp_path / "calls.csv"], mapping=parse_mapping(MAP))
        return spend(store, open_book(), Query(("branch",)))


def economics(spent: Spend, tmp_path: Path, text: str) -> Any:
    (tmp_path / "units.csv").write_text(text, "utf-8")
    return unit_economics(spent, read_units(tmp_path / "units.csv"))


def test_a_list_has_two_denominators_and_what_it_does_not_claim_is_unattributed(spent: Spend, tmp_path: Path) -> None:
    found = economics(spent, tmp_path, UNITS)
    assert [(row.keys[0], row.usd, row.counts) for row in found.rows] == [
        ("a", 4, (1, 1)), ("b", 2, (1, 0)), ("c", 0, (1, 3)),
    ]  # fmt: skip
    assert (found.unattributed.usd, found.unattributed.calls) == (4, 2)  # of no branch $3, of one not listed $1
    branch, merged = found.costs
    # $6 is attributed: over 3 branches, and over the 2 with spend; all $10 over 3
    assert (branch.name, branch.units, branch.units_with_spend) == ("branch", 3, 2)
    assert (branch.usd_per_unit, branch.usd_per_unit_with_spend) == (2, 3)
    assert branch.loaded_usd_per_unit == Decimal(10) / 3
    # 4 merged, 1 of them with spend
    assert (merged.usd_per_unit, merged.usd_per_unit_with_spend, merged.loaded_usd_per_unit) == (
        Decimal("1.5"), 6, Decimal("2.5"),
    )  # fmt: skip


class Counted(str):
    """A name that counts how often it is looked up."""

    looked_up = 0

    def __hash__(self) -> int:
        Counted.looked_up += 1
        return super().__hash__()


def test_each_of_many_units_is_looked_up_a_few_times(spent: Spend) -> None:
    """Their number times their number was over 200 s for 100,000 sessions."""
    rows = tuple(spent.rows[0]._replace(keys=(Counted(n),)) for n in range(500))
    many = replace(spent, rows=rows)
    units = units_of("branch", many)
    Counted.looked_up = 0
    assert len(unit_economics(many, units).rows) == 500
    assert Counted.looked_up < 20 * 500


@pytest.mark.slow
def test_units_and_the_unattributed_add_up_to_the_total(spent: Spend, tmp_path: Path) -> None:
    for text in (UNITS, "branch\nunattributed\na\n", "branch,n\nzzz,1\n"):
        found = economics(spent, tmp_path, text)
        assert sum((row.usd for row in found.rows), found.unattributed.usd) == spent.total.computed_usd


@pytest.mark.slow
def test_every_value_of_a_dimension_can_be_a_unit(spent: Spend) -> None:
    found: Any = unit_economics(spent, units_of("branch", spent))
    (branch,) = found.costs
    assert (branch.units, branch.usd_per_unit) == (3, Decimal(7) / 3)  # $7 of a, b and other


def test_a_unit_that_stands_twice_counts_twice(spent: Spend, tmp_path: Path) -> None:
    found = economics(spent, tmp_path, "branch,tickets\na,1\na,2\n")
    assert [(row.usd, row.counts) for row in found.rows] == [(4, (2, 3))]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ticket,n\nx,1\n", "no column is named after a dimension"),
        ("branch,n\na,many\n", "'many' is not a number"),
        ("branch,n\na,-1\n", "-1 is less than nothing"),
        ("branch\n", "there is no unit in it"),
        # Each would stand in the place of another figure, or be taken for it
        (
            "branch,calls,n\na,77,1\n",
            "units.csv:1: the column 'calls' cannot count units: 'calls' is a column of the .*; rename it",
        ),
        ("branch,computed_usd\na,0.01\n", "the column 'computed_usd' cannot count units"),
        ("branch,unpriced_tokens\na,0\n", "the column 'unpriced_tokens' cannot count units"),
        ("branch,Cost\na,0\n", "the column 'Cost' cannot count units: 'cost' is a column of the result"),
        ("branch,c alls\na,0\n", "cannot count units: 'calls' is a column of the result"),
        ("branch,Branch\na,1\n", "the column 'Branch' cannot count units: 'branch' is what calls are grouped by"),
        ("branch,Session\na,1\n", "'session' is what calls are grouped by"),
        ("branch,tags.a,TAGS.A\na,b,1\n", "'tags.a' is what calls are grouped by"),
        ("branch,team,branch and  team\na,b,1\n", "units that are rows of the file have that name"),
        ("branch,merged,Merged\na,1,2\n", "the column 'Merged' .* 'merged' differs in case or spaces only"),
        ("branch,\na,1\n", "cannot count units: it has no name"),
    ],
)
def test_a_list_that_means_nothing_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "units.csv").write_text(text, "utf-8")
    with pytest.raises(InputError, match=message):
        read_units(tmp_path / "units.csv")


HOSTILE = """branch,"=1+1","<img src=x> @octocat | [a](http://evil.com)","a
::b;=c"\na,1,2,3\n"""


def test_a_heading_is_text_as_a_value_is(spent: Spend, tmp_path: Path) -> None:
    found = economics(spent, tmp_path, HOSTILE)
    assert show.as_csv(found).splitlines()[0] == (
        "branch,calls,computed_usd,unpriced_tokens,'=1+1,<img src=x> @octocat | [a](http://evil.com),a ::b;'=c"
    )
    shown = show.as_markdown(found)
    assert [
        mark for mark in ("<img", "@octocat", "http://", "](") if mark in shown.replace("\\<", "").replace("\\]", "")
    ] == []
    assert shown.splitlines()[1].count("|") == 7  # six columns: no heading ends a cell or a line
    console = Console(file=io.StringIO(), width=300)
    show.print_units(found, console)
    assert "\n::b" not in console.file.getvalue()  # type: ignore[attr-defined]


def test_a_column_that_counts_is_named_as_no_column_of_the_result(spent: Spend, tmp_path: Path) -> None:
    """What the result has of its own is in the list of names that are refused."""
    found = economics(spent, tmp_path, "branch\na\n")
    assert {*show.as_csv(found).splitlines()[0].split(",")} - {"branch"} <= {*RESULT_COLUMNS}


def test_all_forms_say_the_same(spent: Spend, tmp_path: Path) -> None:
    found = economics(spent, tmp_path, UNITS)
    data = json.loads(show.as_json(found))
    assert data["total_usd"] == "10"
    assert [cost["unit"] for cost in data["costs"]] == ["branch", "merged"]
    assert show.as_csv(found).splitlines()[-1].startswith("unattributed,2,4")
    assert "- Per merged: $1.50 over 4, $6.00 over the 1 with spend; $2.50 with what is unattributed." in (
        show.as_markdown(found)
    )


@pytest.mark.slow
def test_spend_per_units_on_the_command_line(costsim: Run, tmp_path: Path) -> None:
    (tmp_path / "calls.csv").write_text(CALLS, "utf-8")
    (tmp_path / "units.csv").write_text(UNITS, "utf-8")
    costsim("load", "calls.csv", "--map", MAP)
    shown = costsim("spend", "--per", "units.csv")
    assert "Per branch: $2.00 over 3, $3.00 over the 2 with spend" in shown.out
    assert "unattributed" in shown.out
    assert costsim("spend", "--per", "branch", "--where", "branch=a").out.count("$4.00") >= 2
    assert costsim("spend", "--per", "units.csv", "--by", "day").code == 2


@pytest.mark.slow
def test_units_of_which_none_has_spend_are_not_called_unpriced(spent: Spend, tmp_path: Path) -> None:
    shown = show.as_markdown(economics(spent, tmp_path, "branch,merged\nelsewhere,2\n"))
    assert "- Per merged: $0 over 2, none of them with spend; $5.00 with what is unattributed." in shown


# Haiku 4.5 $1 and $5 per million, Opus 4.6 $5 and $25: $1.50 and $7.50 of main, $5.00 of no branch, fix without a price
PARTLY = """at,input,output,model,branch
2026-10-01T10:00:00Z,1000000,100000,anthropic/claude-haiku-4-5,main
2026-10-02T10:00:00Z,1000000,100000,anthropic/claude-opus-4-6,main
2026-10-03T10:00:00Z,1000000,100000,nosuch/model-x,fix
2026-10-03T10:00:00Z,500000,100000,anthropic/claude-opus-4-6,
"""


@pytest.fixture
def partly(tmp_path: Path) -> Spend:
    """Spend by branch, one of them without a price, under a subscription that nothing used."""
    (tmp_path / "partly.csv").write_text(PARTLY, "utf-8")
    (tmp_path / "prices.yaml").write_text(
        "book: mine\nsource: contract\nsubscriptions: [{name: plan, models: [a/b], usd_per_month: 10}]\n"
    )
    with open_store(Path(":memory:")) as store:
        mapping = "ts=at,input=input,output=output,model=model,branch=branch"
        load(store, [tmp_path / "partly.csv"], mapping=parse_mapping(mapping))
        found = spend(store, open_book("list", [tmp_path / "prices.yaml"]), Query(("branch",)))
    return replace(found, notes=("a note",), quality=replace(found.quality, faults=(("it cannot be", 1),)))


def test_what_has_no_price_is_named_and_marked_beside_units_too(partly: Spend, tmp_path: Path) -> None:
    shown = show.as_markdown(economics(partly, tmp_path, "branch\nmain\nfix\n"))
    # $9.00 over 2 branches, $14.00 over 2 with $5.00 of no branch
    assert "| fix | 1 | unpriced |" in shown
    assert "- Per branch: $4.50 + unpriced over 2; $7.00 + unpriced with what is unattributed." in shown
    assert "- Total $14.00 + unpriced; $5.00 of $14.00 + unpriced is unattributed." in shown
    only = economics(partly, tmp_path, "branch\nfix\n")
    assert "- Per branch: unpriced over 1; $14.00 + unpriced with what is unattributed." in show.as_markdown(only)
    data = json.loads(show.as_json(only))
    assert (data["total_unpriced_tokens"], data["costs"][0]["unpriced_tokens"]) == (1_100_000, 1_100_000)


def test_units_have_beside_them_what_plain_spend_has(partly: Spend, tmp_path: Path) -> None:
    found = economics(partly, tmp_path, "branch\nmain\n")
    expected = [
        "nosuch/model-x",
        "it cannot be",
        "a note",
        "plan, 2026-10: fee",
        "fees and overage: $24.00 + unp",
    ]
    per, plain = io.StringIO(), io.StringIO()
    show.print_units(found, Console(file=per, width=300))
    print_spend(partly, "both", Console(file=plain, width=300))
    texts = [per.getvalue(), plain.getvalue(), show.as_markdown(found), as_markdown(partly, "both")]
    assert [(word, n) for word in expected for n, text in enumerate(texts) if word not in text.replace("\\", "")] == []
    shared = {"unpriced_models", "sources", "data_quality", "notes", "allowances", "price_book"}
    units, whole = json.loads(show.as_json(found)), json.loads(as_json(partly))
    assert {key: units[key] for key in shared} == {key: whole[key] for key in shared}
