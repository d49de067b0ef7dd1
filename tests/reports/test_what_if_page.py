"""The what-if in real Chromium: exact sums at once, by keyboard, and a table without scripts."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from costsim.analysis.move_results import WhatIf, WhatIfRow
from costsim.analysis.projection import Projection
from costsim.reports.html import choosable, render_html

if TYPE_CHECKING:
    from playwright.sync_api import Browser

OPUS, HAIKU = "anthropic/claude-opus-4-6", "acme/<b>haiku</b>"
TASK = "</script><img src=x>"
PROTO = "__proto__"
"""A name like any other, that a script may lose."""


def row(name: str, task: str, usd: list[str | None], *, movable: bool = True) -> WhatIfRow:
    known = [None if text is None else Decimal(text) for text in usd]
    return WhatIfRow(component=name, task=task, now=OPUS, now_usd=known[0], usd=known, movable=movable)


CHOICES = WhatIf(
    models=[OPUS, HAIKU],
    rows=[
        row("a", TASK, ["1000.005", "10.01"]),
        row("b", TASK, ["0.1", "0.02"]),
        row("pinned", TASK, ["5", "1"], movable=False),
        row("c", PROTO, ["2", None]),
    ],
    fixed_usd=Decimal(20),
    baseline="naive",
    baseline_usd=Decimal(2000),
    limit="all",
    limit_usd=Decimal(500),
    routing={TASK: OPUS, "fallback": OPUS},
    note="USD of 30 days.",
)


@pytest.fixture(scope="module")
def page(fleet: Callable[..., Projection], tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("what-if") / "plan.html"
    file.write_text(render_html(fleet(), CHOICES), encoding="utf-8")
    return file


def test_only_tasks_that_the_routing_decides_can_be_chosen() -> None:
    assert choosable(CHOICES) == [(TASK, "claude-opus-4-6"), (PROTO, "claude-opus-4-6")]


@pytest.mark.browser
def test_a_choice_shows_total_saving_and_budget_and_gives_the_routing(browser: Browser, page: Path) -> None:
    opened = browser.new_page()
    opened.goto(page.as_uri())
    opened.wait_for_selector("html.ready", timeout=30_000)

    def said(name: str) -> str:
        return opened.locator(f'[data-say="{name}"]').inner_text()

    # 1000.005 + 0.1 + 5 + 2 + 20 fixed = 1027.105; half a cent goes up
    assert (said("total"), said("limit")) == ("$1,027.11", "exceeded by $527.11")
    select = opened.locator("form.what-if select").first
    select.focus()
    opened.keyboard.press("End")
    # 10.01 + 0.02 + 5 (pinned) + 2 + 20 = 37.03; 1027.105 - 37.03 = 990.075; 2000 - 37.03 = 1962.97
    assert (said("total"), said("limit")) == ("$37.03", "within: $462.97 left")
    assert (said("now"), said("baseline")) == ("$990.08 less (96.4%)", "$1,962.97 less (98.1%)")
    routing = json.loads(opened.locator("form.what-if textarea").input_value())
    assert routing == {"model_routing": {TASK: HAIKU, "fallback": OPUS}}
    opened.locator("form.what-if select").nth(1).select_option("1")
    assert said("total") == "$35.03, without c: no price"
    routing = json.loads(opened.locator("form.what-if textarea").input_value())
    assert routing == {"model_routing": {TASK: HAIKU, "fallback": OPUS, PROTO: HAIKU}}
    opened.locator("form.what-if button[type=reset]").click()
    opened.wait_for_function("() => document.querySelector('[data-say=\"total\"]').textContent === '$1,027.11'")
    assert opened.locator("#what-if img, #what-if td b b").count() == 0
    opened.close()


@pytest.mark.browser
def test_without_scripts_the_table_stands(browser: Browser, page: Path) -> None:
    opened = browser.new_page(java_script_enabled=False)
    opened.goto(page.as_uri())
    assert not opened.locator("form.what-if").is_visible()
    assert opened.locator("#what-if tbody tr").count() == 4
    assert "unpriced" in opened.locator("#what-if tbody tr").last.inner_text()
    opened.close()
