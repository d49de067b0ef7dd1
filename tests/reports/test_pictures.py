"""Pictures for slides: of a projection and of a month, with title, subtitle and source, in every form and shade."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from costsim.analysis.move_results import WhatIf, WhatIfRow
from costsim.analysis.projection import Projection
from costsim.errors import CostsimError, InputError
from costsim.reports.pictures import check_ending
from costsim.reports.plan_charts import what_if_matrix
from costsim.reports.plan_pictures import CHARTS, picture
from costsim.reports.theme import DARK, LIGHT

OPUS, HAIKU = "anthropic/claude-opus-4-6", "anthropic/claude-haiku-4-5"
CHOICES = WhatIf(
    models=[OPUS, HAIKU],
    rows=[
        WhatIfRow(component="a", task="t", now=OPUS, now_usd=Decimal(50), usd=[Decimal(50), Decimal(10)], movable=True),
        WhatIfRow(component="b", task="", now=HAIKU, now_usd=Decimal(3), usd=[None, Decimal(3)], movable=False),
    ],
    fixed_usd=Decimal(0), baseline="naive", baseline_usd=Decimal(60), limit="", limit_usd=None, routing={}, note="Note.",
)  # fmt: skip
DRAWN = [name for name in CHARTS if name != "waterfall"]


def drawn(found: Projection, name: str, ending: str = ".svg", shade: Any = "light", width: int = 700) -> Any:
    return picture(found, lambda: CHOICES, name, ending, shade, width)


def texts(svg: str) -> list[str]:
    return [text for element in ElementTree.fromstring(svg).iter() if (text := "".join(element.itertext()).strip())]


@pytest.mark.parametrize("name", DRAWN)
def test_a_projections_chart_has_title_subtitle_and_source(fleet: Callable[..., Projection], name: str) -> None:
    svg = drawn(fleet(), name)
    said = " ".join(texts(svg))
    assert (
        "Source: costsim 0.1.0, projection of c-suite, 1 to 30 Dec 2026; prices list + prices.yaml (5f0e9a3c5f0e)"
        in said
    )
    assert len(re.findall(r'font-size="18"', svg)) >= 1
    assert len(re.findall(r'font-size="13"', svg)) >= 1
    assert 'width="700"' in svg[:200]


@pytest.mark.slow
def test_light_and_dark_differ_in_their_ground_and_png_is_twice_as_wide(fleet: Callable[..., Projection]) -> None:
    found = fleet()
    light, dark = (drawn(found, "plans", shade=shade) for shade in ("light", "dark"))
    assert f'fill="{LIGHT.surface}"' in light
    assert f'fill="{DARK.surface}"' in dark
    png = drawn(found, "plans", ".png", width=400)
    assert png[:4] == b"\x89PNG"
    assert struct.unpack(">I", png[16:20]) == (800,)
    assert drawn(found, "plans", ".pdf")[:5] == b"%PDF-"


def test_the_title_says_what_the_plan_costs(fleet: Callable[..., Projection]) -> None:
    svg = drawn(fleet(), "plans", width=1200)
    assert "routed costs $118.88 per month ($3.96 per day), 41.8% less than naive at $204.38 per month" in texts(svg)


def test_the_matrix_marks_the_present_model_and_what_has_no_price() -> None:
    cells = {(row["row"], row["model"]): row["shown"] for row in what_if_matrix(CHOICES).datasets["rows"]}
    assert cells == {
        ("a, t", "claude-opus-4-6"): "$50.00 ●", ("a, t", "claude-haiku-4-5"): "$10.00",
        ("b", "claude-opus-4-6"): "no price", ("b", "claude-haiku-4-5"): "$3.00 ●",
    }  # fmt: skip


def test_what_has_nothing_to_draw_says_so(fleet: Callable[..., Projection]) -> None:
    with pytest.raises(CostsimError, match="the projection of c-suite has nothing to draw as waterfall"):
        drawn(fleet(), "waterfall")
    with pytest.raises(CostsimError, match="nothing to draw as saving"):
        drawn(fleet().model_copy(update={"savings": []}), "saving")


def test_a_hostile_name_stays_text(fleet: Callable[..., Projection]) -> None:
    svg = drawn(fleet(rename={"c-suite": "</text><script>x\x1b", "ad-hoc-coding": "<img src=x>"}), "components")
    assert "<script" not in svg
    assert "<img" not in svg


@pytest.mark.parametrize("ending", [".gif", ".html", ""])
def test_a_picture_has_an_ending_that_says_its_form(ending: str) -> None:
    with pytest.raises(InputError, match=r"a picture ends in \.png or \.svg, or in \.pdf"):
        check_ending(Path(f"plan{ending}"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "--format", "html", "--out", "plan.pdf"), "--format html does not go with the ending .pdf"),
        (("run", "--format", "pdf", "--out", "plan.html"), "--format pdf does not go with the ending .html"),
        (("run", "--report", "plan.txt"), "the report is a page: name a .html or a .pdf file"),
        (("schema", "--out", "schema.pdf"), "this command writes no PDF"),
        (("report", "--format", "html", "--out", "x.pdf"), "--format html does not go with the ending .pdf"),
    ],
)
def test_no_file_is_a_pdf_by_its_name_alone(
    costsim: Callable[..., Any], tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = costsim(*arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert [*tmp_path.iterdir()] == []


def test_a_projection_is_drawn_where_there_is_no_store(costsim: Callable[..., Any], tmp_path: Path) -> None:
    done = costsim("chart", "days", "--days", "3", "--start", "2026-12-01", "--out", "days.svg")
    assert (done.code, done.err) == (0, "")
    assert "1 to 3 Dec 2026" in (tmp_path / "days.svg").read_text("utf-8")
    listed = costsim("chart").out
    assert "of a projection" in listed
    assert "  what-if: each component on each model, per month" in listed
