"""Every page at the widths of phones, tablets and screens: nothing scrolls sideways, nothing is under 11 px, no barrier."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from costsim.analysis.move_results import WhatIf, WhatIfRow
from costsim.analysis.projection import Projection
from costsim.analysis.review.results import Review
from costsim.reports.html import render_html
from costsim.reports.review.html import render_review
from opened import Opened, opened, violations

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

WIDTHS = (360, 390, 768, 1280, 1440, 1920)
MEASURED = """async () => {
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);  // for the observer of sizes
    const wider = [...document.querySelectorAll('html, .scroller, pre, details')]
        .filter((box) => box.clientWidth && box.scrollWidth > box.clientWidth + 1)
        .map((box) => box.getAttribute('aria-labelledby') ?? box.id ?? box.tagName);
    const small = [...document.querySelectorAll('body *')].filter((of) => {
        if (of.closest('script, .static') || ![...of.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
            return false;
        return of.getClientRects().length && parseFloat(getComputedStyle(of).fontSize) < 11;
    }).map((of) => of.textContent.slice(0, 40));
    return {wider, small};
}"""


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
def plan(
    browser: Browser, fleet: Callable[..., Projection], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Opened]:
    yield from _page(browser, tmp_path_factory.mktemp("plan"), render_html(many_plans(fleet()), choices(14)))


@pytest.fixture(scope="module")
def review(browser: Browser, running_month: Review, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    yield from _page(browser, tmp_path_factory.mktemp("review"), render_review(running_month))


def _page(browser: Browser, folder: Path, text: str) -> Iterator[Opened]:
    (folder / "page.html").write_text(text, encoding="utf-8")
    seen = opened(browser, folder / "page.html", 360, bypass_csp=True)  # axe comes from outside the page
    yield seen
    seen.page.close()


def fits(seen: Opened) -> None:
    """At every width, everything unfolded."""
    assert (seen.requests[1:], seen.complaints) == ([], [])
    seen.page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    for width in WIDTHS:
        seen.page.set_viewport_size({"width": width, "height": 900})
        assert seen.page.evaluate(MEASURED) == {"wider": [], "small": []}, width


def test_a_plan_fits_every_width_with_text_that_can_be_read(plan: Opened) -> None:
    fits(plan)


def test_axe_finds_no_barrier_in_a_plan(plan: Opened) -> None:
    plan.page.locator("form.what-if select").first.select_option("3")
    assert violations(plan.page) == {"light": [], "dark": []}


def test_a_running_month_shows_all_that_a_review_can_show(review: Opened) -> None:
    page = review.page
    assert page.locator("figure .live svg").count() == 6
    assert page.locator("#figure-outlook .live [role='graphics-symbol']").count() >= 2
    assert page.locator("#moves tbody tr").count() == 2
    assert page.locator("#prices tbody tr").count() == 4
    assert page.get_by_text("of rivals: within 90 days, folded below").is_visible()


def test_a_review_fits_every_width_with_text_that_can_be_read(review: Opened) -> None:
    fits(review)


def test_axe_finds_no_barrier_in_a_review(review: Opened) -> None:
    assert violations(review.page) == {"light": [], "dark": []}
