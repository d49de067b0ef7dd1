"""Every page at the widths of phones, tablets and screens: nothing scrolls sideways, nothing is under 11 px, no barrier."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from costsim.analysis.move_results import WhatIf, WhatIfRow
from costsim.analysis.results import Projection
from costsim.analysis.review.results import Review
from costsim.reports.html import render_html
from costsim.reports.review.html import render_review

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
WIDTHS = (390, 768, 1280, 1440)
WIDER = """[...document.querySelectorAll('html, .scroller, pre, details')]
    .filter((box) => box.clientWidth && box.scrollWidth > box.clientWidth + 1)
    .map((box) => box.getAttribute('aria-labelledby') ?? box.id ?? box.tagName)"""
SMALL = """[...document.querySelectorAll('body *')].filter((of) => {
    if (of.closest('script, .static') || ![...of.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
        return false;
    return of.getClientRects().length && parseFloat(getComputedStyle(of).fontSize) < 11;
}).map((of) => of.textContent.slice(0, 40))"""


def choices(models: int) -> WhatIf:
    """Ten components, each on so many models."""
    names = [f"anthropic/claude-model-of-a-long-name-{n}" for n in range(models)]
    usd: list[Decimal | None] = [Decimal(1234) + n for n in range(models)]
    rows = [
        WhatIfRow(
            component=f"component-{n}", task=f"task_number_{n}", now=names[0], now_usd=usd[0], usd=usd, movable=True
        )
        for n in range(10)
    ]
    routing = {row.task: names[0] for row in rows}
    return WhatIf(
        models=names, rows=rows, fixed_usd=Decimal(20), baseline="naive", baseline_usd=Decimal(2000), limit="all",
        limit_usd=Decimal(500), routing=routing, note="USD of 30 days.",
    )  # fmt: skip


def many_plans(projection: Projection) -> Projection:
    """The same with seven plans more."""
    first = projection.plans[0]
    more = [first.model_copy(update={"name": f"another-plan-{n}"}) for n in range(7)]
    return projection.model_copy(update={"plans": [*projection.plans, *more]})


@pytest.fixture(scope="module")
def pages(fleet: Callable[..., Projection], running_month: Review) -> dict[str, str]:
    return {"plan": render_html(many_plans(fleet()), choices(14)), "review": render_review(running_month)}


@pytest.mark.parametrize("name", ["plan", "review"])
def test_a_page_fits_every_width_with_text_that_can_be_read(
    browser: Browser, pages: dict[str, str], tmp_path: Path, name: str
) -> None:
    (tmp_path / "page.html").write_text(pages[name], encoding="utf-8")
    page = browser.new_page(bypass_csp=True)  # axe comes from outside the page
    page.goto((tmp_path / "page.html").as_uri())
    page.wait_for_selector("html.ready", timeout=30_000)
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(200)  # for the observer of sizes
        assert page.evaluate(WIDER) == [], width
        assert page.evaluate(SMALL) == [], width
    if name == "plan":
        page.locator("form.what-if select").first.select_option("3")
    page.evaluate(AXE)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found = page.evaluate("axe.run()")["violations"]
        assert [(rule["id"], rule["nodes"][0]["html"][:200]) for rule in found] == [], scheme
    page.close()
