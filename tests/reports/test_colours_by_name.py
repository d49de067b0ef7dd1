"""One colour per thing through a whole page: read from the specifications and keys of the pages themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

import pytest
from costsim.analysis.grouping import ranked
from costsim.analysis.projection import Projection
from costsim.analysis.review.results import Review
from costsim.reports.html import render_html
from costsim.reports.review.html import render_review
from costsim.reports.theme import DARK, KINDS, LIGHT, Theme

SPEC = re.compile(r'<figure id="figure-(\w+)".*?<script type="application/json">(.*?)</script>', re.DOTALL)
KEY = re.compile(
    r'<i class="key" style="background:([^"]+)"></i>(?:<a [^>]*>)?(?:<span>[^<]*</span><wbr><span>)?([^<]+)'
)
THINGS = {"plan": "plans", "component": "parts", "part": "parts", "model": "models", "agent": "agents"}
REST = "var(--rest)"


def scales(spec: Any) -> Iterator[tuple[str, str, str]]:
    """Each colour scale of a chart: the kind of thing, its name, its colour."""
    for layer in spec["layer"]:
        colour = layer.get("encoding", {}).get("color", {})
        domain = colour.get("scale", {}).get("domain", [])
        for name, own in zip(domain, colour.get("scale", {}).get("range", []), strict=True):
            if (kind := THINGS.get(colour["field"])) is not None:
                yield kind, name, own
            elif name in ("naive", "routed"):  # the ends of the waterfall
                yield "plans", name, own


def coloured(page: str) -> tuple[dict[tuple[str, str], set[str]], set[str]]:
    """The colours of each thing in the charts and in the keys beside names; the charts that have such a scale."""
    found: dict[tuple[str, str], set[str]] = {}
    seen = set()
    for figure, text in SPEC.findall(page):
        for kind, name, colour in scales(json.loads(text)):
            found.setdefault((kind, name), set()).add(colour)
            seen.add(figure)
    for colour, name in KEY.findall(page):
        kind = colour.removeprefix("var(--").rstrip(")0123456789-")
        if kind in KINDS:
            found.setdefault((kind, unescape(name).strip()), set()).add(colour)
    return found, seen


def one_each(found: dict[tuple[str, str], set[str]]) -> None:
    assert {thing: colours for thing, colours in found.items() if len(colours) > 1} == {}
    own = [colour for colours in found.values() for colour in colours if colour != REST]
    assert len(set(own)) == len(own)  # and no two things have the same


@pytest.mark.slow
def test_a_thing_has_one_colour_in_all_charts_and_tables_of_a_plan(fleet: Callable[..., Projection]) -> None:
    projection = fleet(unpriced=False)
    found, seen = coloured(render_html(projection))
    one_each(found)
    assert seen == {"plans", "components", "days", "models", "agents"}
    assert {name for kind, name in found if kind == "plans"} == {plan.name for plan in projection.plans}
    parts = {name for kind, name in found if kind == "parts"}
    assert set(ranked(projection.plans, lambda row: row.name)[:7]) <= parts


def test_a_thing_has_one_colour_in_all_charts_and_tables_of_a_review(worked_month: Review) -> None:
    found, seen = coloured(render_review(worked_month))
    one_each(found)
    assert seen == {"days", "success"}
    assert {kind for kind, _ in found} == {"parts", "models"}


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light and print", "dark"])
def test_all_colours_of_a_theme_differ(theme: Theme) -> None:
    own = [colour for kind in KINDS for colour in getattr(theme, kind)]
    own += [theme.rest, theme.accent, theme.good, theme.bad]
    assert len(set(own)) == len(own)
    assert [len(getattr(theme, kind)) for kind in KINDS] == [len(getattr(LIGHT, kind)) for kind in KINDS]
