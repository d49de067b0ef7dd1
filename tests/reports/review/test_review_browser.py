"""The review in real Chromium: it filters, sorts and unfolds, without scripts too, and everyone can use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from costsim.analysis.results import Projection
from costsim.analysis.review.results import Review
from costsim.reports.html import render_html
from costsim.reports.review.html import render_review

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
RUN_AXE = "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']})"


@pytest.fixture(scope="module")
def file(worked_month: Review, tmp_path_factory: pytest.TempPathFactory) -> Path:
    written = tmp_path_factory.mktemp("review") / "review.html"
    written.write_text(render_review(worked_month), encoding="utf-8")
    return written


def opened(browser: Browser, file: Path, width: int = 1280, **context: Any) -> tuple[Page, list[str]]:
    """The page once its charts stand, and what it complained of or asked for."""
    page = browser.new_page(viewport={"width": width, "height": 900}, **context)
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url) if request.url != file.as_uri() else None)
    page.on("console", lambda message: seen.append(message.text))
    page.on("pageerror", lambda error: seen.append(str(error)))
    page.goto(file.as_uri())
    if context.get("java_script_enabled", True):
        page.wait_for_selector("html.ready", timeout=20_000)
    return page, seen


@pytest.fixture(scope="module")
def wide(browser: Browser, file: Path) -> Iterator[tuple[Page, list[str]]]:
    page, seen = opened(browser, file, bypass_csp=True)  # axe comes from outside the page
    yield page, seen
    page.close()


def test_charts_are_drawn_and_nobody_is_asked(wide: tuple[Page, list[str]]) -> None:
    page, seen = wide
    assert page.locator("figure .live svg").count() == page.locator("figure").count() == 5
    assert seen == []


def test_the_filter_leaves_one_components_rows_and_days(wide: tuple[Page, list[str]]) -> None:
    page, seen = wide
    bars = "#figure-days .live [role='graphics-symbol']"
    before = page.locator(bars).count()
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
    assert days.get_by_text("odd").count() == 0  # the anomaly is another agent's
    assert page.locator("#figure-heat .live").get_by_text("cio-").count() == 2
    page.select_option("select[name=agent]", "")
    page.wait_for_function(f'document.querySelectorAll("{bars}").length == {before}')
    assert seen == []


def test_a_table_sorts_by_keyboard(wide: tuple[Page, list[str]]) -> None:
    page, _ = wide
    header = page.locator("#where table.sortable thead th", has_text="Change")
    header.locator("button").focus()
    page.keyboard.press("Enter")
    assert header.get_attribute("aria-sort") == "descending"
    first = page.locator("#where table.sortable tbody tr").first.inner_text()
    assert "cto-cron-monitor" in first  # the drift made it the most expensive change


def test_a_click_on_a_bar_opens_its_components_models(wide: tuple[Page, list[str]]) -> None:
    page, seen = wide
    assert page.locator("details.component[open]").count() == 0
    page.locator("#figure-heat .live [role='graphics-symbol']").first.dispatch_event("click")
    assert page.locator("details.component[open]").count() == 1
    assert seen == []


def test_a_link_opens_the_query_behind_a_figure(wide: tuple[Page, list[str]]) -> None:
    page, _ = wide
    page.locator("#why a", has_text="How this was computed").first.click()
    assert page.locator("#query-bridge").get_attribute("open") is not None
    assert "FROM spend_cell" in page.locator("#query-bridge pre").inner_text()


def test_paper_shows_what_is_folded_on_the_screen(wide: tuple[Page, list[str]]) -> None:
    page, _ = wide
    page.emulate_media(media="print")
    assert page.locator("details.component:not([open]) table").first.is_visible()
    page.emulate_media(media="screen")
    assert not page.locator("details.component:not([open]) table").first.is_visible()


def test_a_month_without_odd_days_draws_without_complaint(
    browser: Browser, worked_month: Review, tmp_path: Path
) -> None:
    calm = worked_month.model_copy(update={"where": worked_month.where.model_copy(update={"anomalies": []})})
    (tmp_path / "review.html").write_text(render_review(calm), encoding="utf-8")
    page, seen = opened(browser, tmp_path / "review.html")
    assert seen == []
    page.close()


def test_everything_is_there_without_scripts(browser: Browser, file: Path) -> None:
    page, _ = opened(browser, file, java_script_enabled=False)
    assert page.locator("figure .static svg:visible").count() == 5
    assert not page.locator("form.filter").is_visible()
    page.locator("details.component summary").first.click()
    assert page.locator("details.component table").first.is_visible()
    page.close()


@pytest.mark.parametrize("width", [1920, 360])
def test_the_page_never_scrolls_sideways(wide: tuple[Page, list[str]], width: int) -> None:
    page, _ = wide
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_function(f"document.documentElement.scrollWidth <= {width}")  # its charts follow the width


def violations(page: Page) -> list[str]:
    page.evaluate(AXE)
    found = page.evaluate(RUN_AXE)["violations"]
    return [f"{rule['id']}: {node['html'][:120]} {node['failureSummary']}" for rule in found for node in rule["nodes"]]


def test_axe_finds_no_barrier_in_the_review_light_or_dark(wide: tuple[Page, list[str]]) -> None:
    page, _ = wide
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    page.emulate_media(color_scheme="light")
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_running_month_with_all_that_a_review_can_show_has_no_barrier(
    browser: Browser, running_month: Review, tmp_path: Path, scheme: str
) -> None:
    (tmp_path / "review.html").write_text(render_review(running_month), encoding="utf-8")
    page, seen = opened(browser, tmp_path / "review.html", 360, color_scheme=scheme, bypass_csp=True)
    assert seen == []
    assert page.locator("figure .live svg").count() == 6
    assert page.locator("#figure-outlook .live [role='graphics-symbol']").count() >= 2
    assert page.locator("#moves tbody tr").count() == 2
    assert page.locator("#prices tbody tr").count() == 4
    assert page.get_by_text("of rivals: within 90 days, folded below").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    assert violations(page) == []
    page.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_the_days_are_saved_as_a_csv_without_scripts_too(browser: Browser, file: Path, scripts: bool) -> None:
    page, _ = opened(browser, file, java_script_enabled=scripts)
    with page.expect_download() as saved:
        page.locator("#figure-days a[download]").click()
    rows = saved.value.path().read_text().splitlines()
    assert rows[0].startswith("day,ad-hoc-coding,ceo-heartbeat,")
    assert len(rows) == 1 + 30 + 31
    page.close()


def test_axe_finds_no_barrier_in_the_projection(
    browser: Browser, fleet: Callable[..., Projection], tmp_path: Path
) -> None:
    (tmp_path / "plan.html").write_text(render_html(fleet()), encoding="utf-8")
    page, _ = opened(browser, tmp_path / "plan.html", color_scheme="dark", bypass_csp=True)
    assert violations(page) == []
    page.close()
