"""The review as a page, as text, as pictures: complete, in order, exact, and no name is run."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import pytest
from costsim.analysis.review.results import Cell, ComponentDay, Mover, Review
from costsim.errors import CostsimError
from costsim.reports.review import words
from costsim.reports.review.charts import heat_map
from costsim.reports.review.html import csv_link, figures, render_review
from costsim.reports.review.index import read_pages, render_index
from costsim.reports.review.markdown import as_markdown
from costsim.reports.review.pictures import CHARTS, picture

GOLDEN = Path(__file__).parents[1] / "golden" / "review.md"
SECTIONS = [
    "decisions",
    "spent",
    "why",
    "where",
    "routing",
    "moves",
    "what-if",
    "performance",
    "prices",
    "forecasts",
    "quality",
    "computed",
]
HOSTILE = {
    "ad-hoc-coding": "<script>alert(1)</script>",
    "coo-heartbeat": "=cmd|' /C calc'!A0",
    "ceo-heartbeat": "</script><img src=x onerror=alert(2)>",
    "cio-scanners": "long-" * 30,
    "cmo-curation": "a|b **c** [d](http://e)",
    "cto-sprint-check": "\u202eevil",
}


def renamed(review: Review, names: dict[str, str]) -> Review:
    text = review.model_dump_json()
    for old, new in names.items():
        text = text.replace(json.dumps(old), json.dumps(new))
    return Review.model_validate_json(text)


def bare(review: Review) -> Review:
    """A month with nothing before it, nothing to decide, no routing, no outcomes."""
    nothing: dict[str, Any] = {
        "bridge": None,
        "routing": None,
        "decisions": [],
        "drift": [],
        "moves": [],
        "backtest": None,
        "calibration": None,
    }
    head = review.headline.model_copy(
        update={"previous": None, "change_usd": None, "change_percent": None, "budgets": []}
    )
    where = review.where.model_copy(update={"movers": [], "anomalies": []})
    performance = review.performance.model_copy(update={"tasks": [], "changes": []})
    prices = review.prices.model_copy(update={"moves": []})
    parts = {"headline": head, "where": where, "performance": performance, "prices": prices}
    return review.model_copy(update={**nothing, **parts})


@pytest.fixture(scope="module")
def page(worked_month: Review) -> str:
    return render_review(worked_month)


@pytest.mark.slow
def test_the_page_answers_in_the_order_in_which_a_team_lead_asks(page: str) -> None:
    assert re.findall(r'<section id="([\w-]+)"', page) == SECTIONS
    assert "October 2026 cost $127.97, $3.50 (2.8%) more than September 2026" in page
    assert len(page.encode()) < 3_000_000


@pytest.mark.slow
def test_no_section_says_twice_how_it_was_computed(page: str, running_month: Review) -> None:
    for text in (page, render_review(running_month)):
        for section in re.findall(r"<section .*?</section>", text, re.DOTALL):
            linked = re.findall(r'href="#query-(\w+)"', section)
            assert len(linked) == len(set(linked))
            assert section.count(">How this was computed<") <= 2  # where it goes: by day, and by component


@pytest.mark.slow
def test_a_running_month_is_compared_with_the_same_days_of_the_one_before(running_month: Review) -> None:
    page = render_review(running_month)
    ended = r"October 2026 cost \$[\d.]+ so far, and is expected to end at \$[\d.]+; "
    said = re.search(ended + r"1 to 20 October 2026 cost \$10\.90 \(12\.9%\) less than 1 to 20 September 2026: ", page)
    assert said
    assert "So far, against 1 to 20 September 2026" in page
    assert "changes are from 1 to 20 September 2026 to 1 to 20 October 2026" in page
    first_day = running_month.headline.model_copy(update={"change_usd": None, "change_percent": None})
    page = render_review(running_month.model_copy(update={"headline": first_day, "bridge": None}))
    assert "All of September 2026" in page
    assert "No days of both months are known" in page
    assert "There is no month before" not in page


@pytest.mark.slow
def test_the_outlook_has_its_data_at_hand_too(running_month: Review) -> None:
    text = unquote(next(f.csv for f in figures(running_month) if f.id == "outlook"))
    *spent, end = csv.DictReader(io.StringIO(text.partition(",")[2]))
    head = running_month.headline
    assert head.forecast
    assert [row["day"] for row in spent] == [f"2026-10-{day:02d}" for day in range(1, 21)]
    assert Decimal(spent[-1]["spent_usd"]) == head.month.usd
    assert (end["day"], end["spent_usd"], Decimal(end["p90_usd"])) == ("2026-10-31", "", head.forecast.p90_usd)


@pytest.mark.slow
def test_every_figure_links_to_how_it_was_computed(page: str) -> None:
    targets = set(re.findall(r'id="(query-\w+)"', page))
    linked = set(re.findall(r'href="#(query-\w+)"', page))
    assert linked
    assert linked <= targets
    assert set(re.findall(r'href="#([\w-]+)"', page)) <= set(re.findall(r'id="([\w-]+)"', page))


def test_the_bridges_rows_add_up_to_the_cent(worked_month: Review) -> None:
    assert worked_month.bridge is not None
    shown = [round(step.usd, 12) for step in worked_month.bridge.steps]
    assert worked_month.bridge.before_usd + sum(shown) == worked_month.bridge.after_usd


@pytest.mark.slow
def test_no_name_is_run_wherever_it_stands(worked_month: Review) -> None:
    page = render_review(renamed(worked_month, HOSTILE))
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    scripts = re.findall(r"<script[^>]*>", page)
    assert (
        len(scripts) == len(figures(worked_month)) + 2 + 2
    )  # each figure's, the review's, the what-if's; Vega and ours


@pytest.mark.slow
def test_every_chart_has_its_data_as_a_csv_that_no_spreadsheet_runs(worked_month: Review) -> None:
    hostile = renamed(worked_month, HOSTILE)
    for drawn in figures(hostile):
        head, _, text = drawn.csv.partition(",")
        assert head == "data:text/csv;charset=utf-8"
        rows = list(csv.reader(io.StringIO(unquote(text))))
        assert len(rows) > 1
        assert not [cell for row in rows for cell in row if cell[:1] in ("=", "+", "@", "\t")]
    days = unquote(next(f.csv for f in figures(hostile) if f.id == "days").partition(",")[2])
    october = [row for row in csv.reader(io.StringIO(days)) if row[0].startswith("2026-10")]
    assert len(october) == 31
    assert sum(Decimal(cost) for _, *costs in october for cost in costs if cost) == worked_month.headline.month.usd


def large(review: Review, components: int) -> Review:
    """The month as if so many components had run on every day of it and of the month before, on seven models each."""
    parts = sorted((f"component-of-some-length-{n}", f"agent-{n % 12}") for n in range(components))
    models = [f"anthropic/claude-of-some-kind-{n}" for n in range(7)]
    every = sorted({d.day for d in review.where.days})
    cost = Decimal("1.234567891")
    days = [
        ComponentDay(day=day, component=c, agent=a, usd=n * cost) for day in every for n, (c, a) in enumerate(parts)
    ]
    cells = [
        Cell(component=c, agent=a, model=m, calls=9_000 + n, tokens=9_876_543 * n, usd=n * cost)
        for n, (c, a) in enumerate(parts)
        for m in models
    ]
    movers = [
        Mover(component=c, agent=a, before_usd=n * cost, after_usd=cost, change_usd=cost - n * cost, mostly="volume")
        for n, (c, a) in enumerate(parts)
    ]
    where = review.where.model_copy(update={"days": days, "cells": cells, "movers": movers})
    return review.model_copy(update={"where": where})


@pytest.mark.slow
def test_a_page_of_many_components_is_under_three_megabytes_and_loses_nothing(
    worked_month: Review, tmp_path: Path
) -> None:
    review = large(worked_month, 300)
    page = render_review(review)
    assert len(page.encode()) < 3_000_000
    (tmp_path / "october.html").write_text(page)
    assert read_pages(tmp_path)[0].review == review


def test_two_agents_components_of_one_name_have_a_row_each(worked_month: Review) -> None:
    """The heat map is filtered by agent: no row may hold two agents' costs."""
    first, *others = worked_month.where.cells
    twin = first.model_copy(update={"agent": "twin", "usd": Decimal(1)})
    cells = [first, twin, *others]
    rows = heat_map(worked_month.where.model_copy(update={"cells": cells})).datasets["rows"]
    own = {(row["agent"], row["row"]): row["usd"] for row in rows if row["component"] == first.component}
    assert own["twin", f"{first.component}, twin"] == 1
    assert own[first.agent, f"{first.component}, {first.agent}"] == float(first.usd or 0)


def test_negative_numbers_stay_numbers_in_a_csv() -> None:
    assert unquote(csv_link(("a", "b"), [("-x", Decimal("-1.5"))])).endswith("'-x,-1.5\n")


def test_a_month_alone_with_nothing_to_decide_is_a_whole_page(worked_month: Review) -> None:
    page = render_review(bare(worked_month))
    assert "Nothing found in this month is worth $1.28 a month or more, so there is nothing to decide." in page
    assert "There is no month before to compare it with." in page
    assert "No outcomes are known" in page
    assert "Nothing of the month has a price." in page


def test_the_markdown_is_as_agreed(worked_month: Review) -> None:
    """COSTSIM_GOLDEN=1 writes the file anew: read the diff. Past forecasts are compared in a test of their own."""
    known = worked_month.model_copy(update={"calibration": None})
    text = re.sub(r"`[0-9a-f]{12}`", "`hash`", as_markdown(known))
    if os.environ.get("COSTSIM_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


def test_markdown_escapes_names(worked_month: Review) -> None:
    text = as_markdown(renamed(worked_month, HOSTILE))
    assert "<script>" not in text
    assert r"a\|b" in text


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CHARTS if name != "outlook"])
@pytest.mark.parametrize(("ending", "begins"), [(".svg", "<svg"), (".png", b"\x89PNG")])
def test_every_chart_can_be_a_picture(worked_month: Review, name: str, ending: str, begins: Any) -> None:
    drawn = picture(worked_month, name, ending, "dark", 400)
    assert drawn[: len(begins)] == begins


def test_a_chart_with_nothing_to_draw_says_so(worked_month: Review) -> None:
    with pytest.raises(CostsimError, match="the review of 2026-10 has nothing to draw as outlook"):
        picture(worked_month, "outlook", ".svg", "light", 400)


@pytest.mark.slow
def test_an_index_reads_the_reviews_from_their_pages(worked_month: Review, page: str, tmp_path: Path) -> None:
    (tmp_path / "october.html").write_text(page)
    hostile = renamed(worked_month, HOSTILE).model_copy(update={"month": "2026-09", "name": "</script><b>x"})
    (tmp_path / "september.html").write_text(render_review(hostile))
    (tmp_path / "other.html").write_text("<p>no review</p>")
    assert [found.review.month for found in read_pages(tmp_path)] == ["2026-09", "2026-10"]
    assert read_pages(tmp_path)[1].review == worked_month
    index = render_index(tmp_path)
    assert 'href="october.html"' in index
    assert "How sure: every line was read and every call has a price" in index
    assert 'Next: decide on 3 findings in <a href="october.html">the review of October 2026</a>.' in index
    assert "<b>x" not in index


def test_a_folder_without_reviews_has_no_index(tmp_path: Path) -> None:
    with pytest.raises(CostsimError, match="no review page in this folder"):
        render_index(tmp_path)


@pytest.mark.slow
def test_the_json_keeps_its_schema(worked_month: Review) -> None:
    jsonschema.validate(json.loads(worked_month.model_dump_json()), Review.model_json_schema(mode="serialization"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("report",), "there is no store here"),
        (("chart", "brigde"), "there is no chart 'brigde'; did you mean 'bridge'"),
        (("chart", "bridge", "--out", "x.gif"), "a picture ends in .png or .svg, or in .pdf"),
        (("report", "--index", "."), "no review page in this folder"),
        (("report", "--month", "October"), "there is no store here"),
    ],
)
def test_bad_input_is_one_line(costsim: Callable[..., Any], arguments: tuple[str, ...], message: str) -> None:
    done = costsim(*arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert done.err.count("\n") == 1


def test_a_month_of_few_days_says_so_and_what_to_load(worked_month: Review) -> None:
    rows = [row for row in worked_month.where.days if row.day == date(2026, 10, 31)]
    few = worked_month.model_copy(update={"where": worked_month.where.model_copy(update={"days": rows})})
    assert words.sureness(few).startswith("How sure: only 1 of its 31 days has calls; every line was read")
    assert "days has calls" not in words.sureness(worked_month)
    head = worked_month.headline.model_copy(update={"previous": None})
    assert "To find more, load the month before, to see why the cost changed." in words.nothing(
        worked_month.model_copy(update={"headline": head})
    )
