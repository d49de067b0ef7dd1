"""The review in real Chromium: it filters, sorts and unfolds, without scripts too, and everyone can use it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from costsim.analysis.review.results import Review
from costsim.reports.review.html import render_review
from opened import Opened, opened, violations

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def file(worked_month: Review, tmp_path_factory: pytest.TempPathFactory) -> Path:
    written = tmp_path_factory.mktemp("review") / "review.html"
    written.write_text(render_review(worked_month), encoding="utf-8")
    return written


@pytest.fixture(scope="module")
def wide(browser: Browser, file: Path) -> Iterator[Opened]:
    seen = opened(browser, file, bypass_csp=True)  # axe comes from outside the page
    yield seen
    seen.page.close()


@pytest.fixture(scope="module")
def still(browser: Browser, file: Path) -> Iterator[Page]:
    """The page without scripts."""
    page = opened(browser, file, java_script_enabled=False).page
    yield page
    page.close()


@pytest.mark.slow
def test_charts_are_drawn_and_nobody_is_asked(wide: Opened) -> None:
    page = wide.page
    assert page.locator("figure .live svg").count() == page.locator("figure").count() == 5
    assert (wide.requests[1:], wide.complaints) == ([], [])


def test_the_filter_leaves_one_components_rows_and_days(wide: Opened) -> None:
    page = wide.page
    bars = "#figure-days .live [role='graphics-symbol']"
    before = page.locator(bars).count()
    assert page.locator("#figure-days .live").get_by_text("▼ anomaly").count() == 1
    page.select_option("select[name=component]", "cto-cron-monitor")
    page.wait_for_function(f'document.querySelectorAll("{bars}").length < {before}')
    rows = page.locator("#where table.filtered tbody tr:visible")
    assert rows.count() == 1
    assert "cto-cron-monitor" in rows.first.inner_text()
    assert page.locator("details.component:visible").count() == 1
    page.select_option("select[name=component]", "")
    page.select_option("select[name=agent]", "cio")
    assert page.locator("details.component:visible").count() == 2
    page.wait_for_function(f'document.querySelectorAll("{bars}").length < {before}')
    days = page.locator("#figure-days .live")
    assert days.get_by_text("$0.25").count() == 1  # two components that cost some 0.26 USD per day, on their own scale
    assert days.get_by_text("▼ anomaly").count() == 0  # it is another agent's
    assert page.locator("#figure-heat .live").get_by_text("cio-").count() == 2
    page.select_option("select[name=agent]", "")
    page.wait_for_function(f'document.querySelectorAll("{bars}").length == {before}')
    assert wide.complaints == []


def test_a_table_sorts_by_keyboard(wide: Opened) -> None:
    page = wide.page
    header = page.locator("#where table.sortable thead th", has_text="Change")
    header.locator("button").focus()
    page.keyboard.press("Enter")
    assert header.get_attribute("aria-sort") == "descending"
    first = page.locator("#where table.sortable tbody tr").first.inner_text()
    assert "cto-cron-monitor" in first  # the drift made it the most expensive change


def test_a_click_on_a_bar_opens_its_components_models(wide: Opened) -> None:
    page = wide.page
    assert page.locator("details.component[open]").count() == 0
    page.locator("#figure-heat .live [role='graphics-symbol']").first.dispatch_event("click")
    assert page.locator("details.component[open]").count() == 1
    assert wide.complaints == []


def test_a_link_opens_the_query_behind_a_figure(wide: Opened) -> None:
    page = wide.page
    page.locator("#why a", has_text="How this was computed").first.click()
    assert page.locator("#query-bridge").get_attribute("open") is not None
    assert "FROM spend_cell" in page.locator("#query-bridge pre").inner_text()


def test_paper_shows_what_is_folded_on_the_screen(wide: Opened) -> None:
    page = wide.page
    page.emulate_media(media="print")
    assert page.locator("details.component:not([open]) table").first.is_visible()
    page.emulate_media(media="screen")
    assert not page.locator("details.component:not([open]) table").first.is_visible()


def test_a_month_without_odd_days_draws_without_complaint(
    browser: Browser, worked_month: Review, tmp_path: Path
) -> None:
    calm = worked_month.model_copy(update={"where": worked_month.where.model_copy(update={"anomalies": []})})
    (tmp_path / "review.html").write_text(render_review(calm), encoding="utf-8")
    seen = opened(browser, tmp_path / "review.html")
    assert seen.complaints == []
    seen.page.close()


def test_everything_is_there_without_scripts(still: Page) -> None:
    page = still
    assert page.locator("figure .static svg:visible").count() == 5
    assert not page.locator("form.filter").is_visible()
    page.locator("details.component summary").first.click()
    assert page.locator("details.component table").first.is_visible()


def test_the_days_are_saved_as_a_csv_without_scripts_too(wide: Opened, still: Page) -> None:
    for page in (wide.page, still):
        with page.expect_download() as saved:
            page.locator("#figure-days a[download]").click()
        rows = saved.value.path().read_text().splitlines()
        assert rows[0].startswith("day,ad-hoc-coding,ceo-heartbeat,")
        assert len(rows) == 1 + 30 + 31


def test_axe_finds_no_barrier_in_a_month_that_is_over(wide: Opened) -> None:
    """The last test of this page: axe gets fewer marks of its charts."""
    assert violations(wide.page) == {"light": [], "dark": []}
