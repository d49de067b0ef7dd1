"""The HTML report as text: complete, small, closed to the network, and safe from the names in it."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from costsim.analysis.projection import ClaimResult, PolicyNote, Projection, UsedPrice, WaterfallStep
from costsim.reports import vega
from costsim.reports.html import computed, figures, render_html, stated, validity, verdict
from costsim.reports.theme import DARK, LIGHT, Theme

FleetBuilder = Callable[..., Projection]

HOSTILE = {
    "ceo-heartbeat": "<script>alert(1)</script>",
    "coo-heartbeat": "\"quotes' & ${x} {{ 7*7 }}",
    "ad-hoc-coding": "</script><img src=x onerror=alert(2)>",
    "c-suite": "<b>bold</b>\u2028",
    "guardrail": "datum['a'];alert(3)",
}


class Outline(HTMLParser):
    """The elements of a page: tags in order, headings, ids and scripts' texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script":
            self.scripts[-1] += data


@pytest.fixture(scope="module")
def page(fleet: FleetBuilder) -> str:
    return render_html(fleet())


@pytest.fixture(scope="module")
def hostile_page(fleet: FleetBuilder) -> str:
    return render_html(fleet(rename=HOSTILE))


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the static drawings out where a test is about something else: they take the time."""
    monkeypatch.setattr("costsim.reports.vega.static_svg", lambda spec, width: "<svg></svg>")


@pytest.mark.slow
def test_the_report_is_under_two_megabytes(page: str) -> None:
    assert len(page.encode()) < 2_000_000


def test_the_report_says_which_prices_it_rests_on(fleet: FleetBuilder, page: str) -> None:
    assert fleet().price_book.hash in page
    assert "genai-prices 0.2.3" in page


def test_unpriced_models_come_before_every_figure(page: str) -> None:
    assert page.index("Unpriced: not in any total") < page.index('class="figure"')
    assert "<b>unpriced</b>" in page


@pytest.mark.usefixtures("undrawn")
def test_a_fully_priced_projection_raises_no_alarm(fleet: FleetBuilder) -> None:
    page = render_html(fleet(unpriced=False))
    assert "Unpriced" not in page
    assert "unpriced</b>" not in page


def test_the_vega_bundle_stands_in_the_report_once(page: str) -> None:
    assert page.count(vega.bundle()) == 1


def test_nothing_in_the_report_points_out_of_the_file(page: str) -> None:
    for tag, attributes in Outline(page).tags:
        assert not {"src", "srcset", "data", "poster", "action"} & set(attributes), tag
        assert (attributes.get("href") or "#").startswith("#")
        assert tag not in {"link", "iframe", "object", "embed", "base", "img"}
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style
    assert "url(" not in style[1]
    assert "@import" not in style[1]


def test_the_content_security_policy_allows_the_page_its_own_two_scripts_alone(page: str) -> None:
    outline = Outline(page)
    policy = next(a["content"] or "" for tag, a in outline.tags if a.get("http-equiv"))
    run = [script for script in outline.scripts if not script.lstrip().startswith("{")]
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in run]
    assert len(run) == 2
    assert re.findall(r"'sha256-([^']+)'", policy) == hashes
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy


@pytest.mark.slow
def test_hostile_names_make_no_element_and_lose_no_letter(page: str, hostile_page: str) -> None:
    def shape(text: str) -> list[str]:
        return sorted(tag for tag, _ in Outline(text).tags if tag not in ("path", "text", "g", "tspan"))

    assert shape(hostile_page) == shape(page)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in hostile_page
    assert "&#34;quotes&#39; &amp; ${x} {{ 7*7 }}" in hostile_page


def test_a_chart_s_data_cannot_end_its_script_element(hostile_page: str) -> None:
    for text in re.findall(r'<script type="application/json">(.*?)</script>', hostile_page, re.DOTALL):
        assert "<" not in text
        assert "\u2028" not in text


def test_every_chart_has_a_drawing_for_paper_and_a_name_for_those_who_cannot_see(page: str) -> None:
    drawings = [attributes for tag, attributes in Outline(page).tags if tag == "svg"]
    specs = re.findall(r'<script type="application/json">\{.*?"description":"[^"]+', page)
    assert len(drawings) == len(specs) == page.count("<figure ") == 5
    assert all(drawing["viewbox"] for drawing in drawings)


def test_headings_descend_without_a_gap(page: str) -> None:
    levels = [int(tag[1]) for tag, _ in Outline(page).tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_every_table_has_a_caption_and_scoped_headers(page: str) -> None:
    tags = Outline(page).tags
    assert sum(tag == "table" for tag, _ in tags) == sum(tag == "caption" for tag, _ in tags) == 5
    assert all(attributes.get("scope") for tag, attributes in tags if tag == "th")


def test_no_id_is_given_twice(page: str) -> None:
    ids = [attributes["id"] for _, attributes in Outline(page).tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_amounts_carry_all_of_their_digits(page: str) -> None:
    assert re.search(r'<td class="n" title="\$0\.166666666667"[^>]*>\$0\.17<', page)


@pytest.mark.usefixtures("undrawn")
def test_a_single_plan_on_a_single_day_makes_a_report(fleet: FleetBuilder) -> None:
    whole = fleet(days=1, thrifty=False, unpriced=False)
    page = render_html(whole.model_copy(update={"plans": whole.plans[:1], "savings": [], "claims": []}))
    assert "What makes the saving" not in page
    assert page.count("<figure ") == 5


@pytest.mark.slow
def test_the_waterfall_is_drawn_and_listed_only_where_there_are_policies(fleet: FleetBuilder, page: str) -> None:
    steps = [
        WaterfallStep(step="naive", expected_usd_per_day=Decimal(10), saved_usd_per_day=Decimal(0)),
        WaterfallStep(step="routing", expected_usd_per_day=Decimal("6.25"), saved_usd_per_day=Decimal("3.75")),
        WaterfallStep(
            step="retry",
            expected_usd_per_day=Decimal("6.5"),
            saved_usd_per_day=Decimal("-0.25"),
            shapley_usd_per_day=Decimal("-0.25"),
        ),
    ]
    note = PolicyNote(component="a<b", policy="retry", message="a<b: 1.04 calls are paid")
    found = render_html(fleet().model_copy(update={"waterfall": steps, "policy_notes": [note]}))
    assert "figure-waterfall" not in page
    assert "waterfall-title" not in page
    assert 'id="figure-waterfall" class="whole"' in found
    table = found[found.index('id="waterfall-caption"') : found.index('class="notes"')]
    cells = re.findall(r"<t[dh][^>]*>([^<]*)</t[dh]>", table)
    assert cells[4:] == [
        "naive", "$10.00", "–", "–", "routing", "$6.25", "$3.75", "–", "retry", "$6.50", "−$0.25", "−$0.25",
        "naive to routed", "$6.50", "$3.50", "",
    ]  # fmt: skip
    assert "<li>a&lt;b: 1.04 calls are paid</li>" in found


@pytest.mark.slow
def test_a_thousand_components_still_fit(fleet: FleetBuilder) -> None:
    whole = fleet(thrifty=False, unpriced=False)
    plans = [
        plan.model_copy(
            update={
                "components": [
                    row.model_copy(update={"name": f"{row.name}-{n}"}) for row in plan.components for n in range(100)
                ]
            }
        )
        for plan in whole.plans
    ]
    assert len(render_html(whole.model_copy(update={"plans": plans})).encode()) < 2_000_000


def test_the_scripts_are_made_once_and_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("costsim.reports.vega.converted", lambda snippet: f"made {snippet}")
    first = vega.bundle()
    monkeypatch.setattr("costsim.reports.vega.converted", lambda snippet: pytest.fail("made twice"))
    assert vega.bundle() == first
    assert len(list((tmp_path / "costsim").iterdir())) == 1


def test_a_cache_folder_that_cannot_be_written_costs_time_but_no_report(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "costsim").write_text("a file where the folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("costsim.reports.vega.converted", lambda snippet: "made anew")
    assert vega.bundle() == "made anew"


@pytest.mark.slow
def test_importing_the_reports_loads_no_chart_library() -> None:
    script = (
        "import costsim.reports.html, costsim.reports.charts, sys;"
        "print({'altair', 'pandas', 'jinja2', 'vl_convert'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def _claim(stated: str, computed: str | None, unit: str, holds: bool | None) -> ClaimResult:
    return ClaimResult.model_validate(
        {"message": "", "stated": stated, "computed": computed, "unit": unit, "book": "list", "holds": holds}
    )


def test_a_claim_is_shown_in_its_unit_with_a_word_for_its_verdict() -> None:
    ratio = _claim("50 ±10%", "18.75", "ratio", False)
    assert (stated(ratio), computed(ratio), verdict(ratio)) == ("50× ±10%", "18.75×", "no")
    total = _claim("4-7", "4.93", "usd_per_day", True)
    assert (stated(total), computed(total), verdict(total)) == ("$4–7", "$4.93", "yes")
    unknown = _claim("0.3", None, "ratio", None)
    assert (computed(unknown), verdict(unknown)) == ("unpriced", "unknown")


@pytest.mark.parametrize(
    ("since", "until", "shown"),
    [
        (None, None, "always"),
        ("2025-10-15T00:00:00+00:00", None, "from 2025-10-15"),
        (None, "2026-01-01T00:00:00+00:00", "until 2026-01-01"),
        ("2025-10-15T16:30:00+00:00", "2026-01-01T00:00:00+00:00", "2025-10-15 16:30 to 2026-01-01"),
    ],
)
def test_validity_names_the_edges_that_there_are(since: str | None, until: str | None, shown: str) -> None:
    price = UsedPrice(
        model="a/b", token_class="input", processing="standard", min_input_tokens=0, valid_from=since,
        valid_to=until, usd=Decimal(1), per=1_000_000, source="test",
    )  # fmt: skip
    assert validity(price) == shown


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_and_marks_stand_out_from_the_page(theme: Theme) -> None:
    for text in (theme.text, theme.muted, theme.accent, theme.good, theme.bad):
        assert min(_contrast(text, theme.surface), _contrast(text, theme.raised)) >= 4.5  # WCAG 2.2, 1.4.3
    for mark in (*theme.plans, *theme.parts, *theme.models, *theme.agents, theme.rest):
        assert _contrast(mark, theme.surface) >= 3  # WCAG 2.2, 1.4.11


def _contrast(one: str, other: str) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_chart_is_drawn_here_where_no_other_process_can(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = {"data": {"values": [{"a": 1}]}, "mark": "bar", "encoding": {"x": {"field": "a", "type": "quantitative"}}}
    apart = vega.static_svg(spec, 100)
    monkeypatch.setattr(vega, "_artist", lambda: None)
    assert vega.static_svg(spec, 100) == apart
    with pytest.raises(ValueError, match="Vega"):
        vega.static_svg({"mark": 1}, 100)


def test_a_drawn_chart_keeps_the_data_of_all_its_layers(fleet: Callable[..., Projection]) -> None:
    drawn = next(of for of in figures(fleet()) if of.id == "components")
    assert "ad-hoc-coding" in drawn.svg  # of the layer with the bars
    assert "$" in drawn.svg  # of the layer with their amounts
    assert len(drawn.spec["datasets"]) > 1
