"""The HTML report in real Chromium: it draws, asks nobody, runs no name, and fits its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from costsim.analysis.projection import Projection
from costsim.reports.html import render_html
from costsim.shown import shortened_words
from opened import Opened, opened

FleetBuilder = Callable[..., Projection]

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

NAMES = {
    "ceo-heartbeat": "<script>alert(1)</script>",
    "coo-heartbeat": "\"quotes' & ${x} {{ 7*7 }}",
    "ad-hoc-coding": "</script><img src=x onerror=alert(2)>",
    "cto-cron-monitor": "long-" * 60,
    "c-suite": "<b>bold</b>",
    "cio-intel-brief": "😀" * 30,
}


@pytest.fixture(scope="module")
def report(fleet: FleetBuilder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(render_html(fleet(rename=NAMES)), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def phone(browser: Browser, report: Path) -> Iterator[Opened]:
    """The page as a phone opens it: its tests come first."""
    seen = opened(browser, report, width=360)
    yield seen
    seen.page.close()


@pytest.fixture(scope="module")
def wide(phone: Opened) -> Opened:
    """The same page, made wider."""
    phone.page.set_viewport_size({"width": 1280, "height": 900})
    phone.page.wait_for_function("() => document.querySelector('#figure-days .live svg').clientWidth > 600")
    return phone


def test_the_skip_link_is_the_first_stop(phone: Opened) -> None:
    phone.page.keyboard.press("Tab")
    assert phone.page.locator(":focus").inner_text() == "Skip to the figures"


def test_a_phone_gets_charts_that_fit_it(phone: Opened) -> None:
    assert phone.page.evaluate("() => document.documentElement.scrollWidth") == 360
    for svg in phone.page.locator(".live svg").all():
        box = svg.bounding_box()
        assert box
        assert box["x"] + box["width"] <= 360


def test_a_phone_gets_tables_as_stacked_rows_with_their_headings(phone: Opened) -> None:
    wider = "[...document.querySelectorAll('.scroller')].filter(box => box.scrollWidth > box.clientWidth + 1).length"
    assert phone.page.evaluate(wider) == 0
    shown = "getComputedStyle(document.querySelector('td[data-label]'), '::before').content"
    assert phone.page.evaluate(shown) == '"Per day"'


def test_no_label_is_cut_within_a_character(wide: Opened) -> None:
    labels = wide.page.locator(".live svg text").all_text_contents()
    assert [label for label in labels if "😀" in label and label.strip("😀") in ("", "…")]


def test_every_chart_is_drawn_with_its_marks(wide: Opened) -> None:
    assert wide.page.locator("figure").count() == 5
    for figure in wide.page.locator("figure").all():
        assert figure.locator(".live svg").is_visible()
        assert not figure.locator(".static").is_visible()
        assert figure.locator(".live svg [role='graphics-symbol']").count() >= 2


def test_the_page_complains_of_nothing_and_asks_nobody(wide: Opened, report: Path) -> None:
    assert wide.complaints == []
    assert wide.requests == [report.as_uri()]


def test_hostile_names_are_text(wide: Opened) -> None:
    page = wide.page
    assert page.locator("h1").inner_text() == NAMES["c-suite"]
    names = page.locator("#components-caption").locator("xpath=ancestor::table").locator("tbody th").all_inner_texts()
    assert {shortened_words(name) for name in NAMES.values()} - {NAMES["c-suite"]} <= set(names)
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 5 + 2  # the charts' data, the bundle, the page's own


def test_a_tooltip_shows_a_hostile_name_as_text(wide: Opened) -> None:
    bar = wide.page.locator("#figure-components .live [role='graphics-symbol'][aria-roledescription='bar']").first
    bar.hover()
    tooltip = wide.page.locator("#vg-tooltip-element.visible")
    assert NAMES["ad-hoc-coding"] in tooltip.inner_text()
    assert tooltip.locator("img, script").count() == 0
    wide.page.mouse.move(0, 0)


def test_a_header_sorts_its_column_by_the_keyboard(wide: Opened) -> None:
    table = wide.page.locator("table.sortable").first
    header = table.locator("thead tr").last.locator("th").nth(4)  # naive
    header.locator("button").focus()
    wide.page.keyboard.press("Enter")
    assert header.get_attribute("aria-sort") == "descending"
    assert table.locator("tbody th").first.inner_text() == NAMES["ad-hoc-coding"]  # 3.33 per day
    assert table.locator("tbody th").last.inner_text() == "guardrail"  # unpriced stays last
    wide.page.keyboard.press("Enter")
    assert header.get_attribute("aria-sort") == "ascending"
    assert table.locator("tbody th").first.inner_text() == "coo-morning-brief"  # 0.1667, before its equal
    assert table.locator("tbody th").last.inner_text() == "guardrail"


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_the_page_never_scrolls_sideways_and_its_charts_fill_it(wide: Opened, width: int) -> None:
    right = """() => Math.max(...Array.from(document.querySelectorAll('#figure-days .live svg'),
        (svg) => svg.getBoundingClientRect().right))"""
    wide.page.set_viewport_size({"width": width, "height": 900})
    wide.page.wait_for_function(f"() => Math.abs(({right})() - {width}) < 0.06 * {width} + 16")
    assert wide.page.evaluate("() => document.documentElement.scrollWidth") == width


def test_dark_mode_reaches_page_and_charts(wide: Opened) -> None:
    ground = "() => getComputedStyle(document.body).backgroundColor"
    label = "() => getComputedStyle(document.querySelector('#figure-days .live svg text')).fill"
    wide.page.emulate_media(color_scheme="light")
    assert wide.page.evaluate(ground) == "rgb(253, 252, 250)"
    assert wide.page.evaluate(label) == "rgb(87, 92, 99)"
    wide.page.emulate_media(color_scheme="dark")
    assert wide.page.evaluate(ground) == "rgb(21, 24, 28)"
    assert wide.page.evaluate(label) == "rgb(165, 171, 179)"


def test_paper_gets_the_static_charts_in_light_colours(wide: Opened) -> None:
    wide.page.emulate_media(media="print", color_scheme="dark")
    for figure in wide.page.locator("figure").all():
        assert figure.locator(".static svg").is_visible()
        assert not figure.locator(".live svg").is_visible()
    assert wide.page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    wide.page.emulate_media(media="screen", color_scheme="light")


def test_the_page_could_not_reach_the_network_if_it_tried(wide: Opened, report: Path) -> None:
    """The last test of this page, which complains now."""
    blocked = "() => fetch('http://127.0.0.1:9/').then(() => 'reached', (error) => error.message)"
    assert wide.page.evaluate(blocked) == "Failed to fetch"
    assert any("Content Security Policy" in line for line in wide.complaints)
    assert wide.requests == [report.as_uri()]


def test_without_scripts_the_static_charts_stand(browser: Browser, report: Path) -> None:
    seen = opened(browser, report, java_script_enabled=False)
    for figure in seen.page.locator("figure").all():
        assert figure.locator(".static svg").is_visible()
    assert seen.page.locator("th button").count() == 0
    seen.page.close()
