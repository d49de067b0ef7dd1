"""A projection like that of the article's fleet, made by hand: reports are tested without the simulator."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from math import exp
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from costsim.analysis.architecture.load import read_architecture
from costsim.analysis.budgets.results import BudgetUse
from costsim.analysis.demo import files
from costsim.analysis.demo.calls import fleet_calls
from costsim.analysis.outcomes.outcomes import SuccessRate
from costsim.analysis.outcomes.store import load_outcomes
from costsim.analysis.projection import (
    BookLayer,
    ClaimResult,
    ComponentCost,
    ComponentSaving,
    DayCost,
    HorizonCost,
    PlanResult,
    PriceBookRef,
    Projection,
    Saving,
    Unpriced,
    UsedPrice,
)
from costsim.analysis.review.results import MoveDown, PriceMove, Review
from costsim.analysis.review.review import review
from costsim.analysis.spend.ledger import bring_up_to_date
from costsim.cli.arguments import EXAMPLE
from costsim.pricing.book import open_book
from costsim.usage.attribution import read_attribution
from costsim.usage.load import load
from costsim.usage.store import open_store

if TYPE_CHECKING:
    from playwright.sync_api import Browser

KEPT = Path(tempfile.gettempdir()) / f"costsim-tests-{getattr(os, 'getuid', int)()}"

OPUS, SONNET, HAIKU = "anthropic/claude-opus-4-6", "anthropic/claude-sonnet-4-6", "anthropic/claude-haiku-4-5"
SONNET_45, LOCAL = "anthropic/claude-sonnet-4-5", "in-house/llama-guard"
FIFTH = Decimal("0.2")  # what Haiku costs of Opus, at list prices
HASH = "5f0e9a3c" * 8

# component, agent, task, routed model, runs per day, USD per day at list prices on Opus, then on the routed model
FLEET = [
    ("ceo-heartbeat", "ceo", "strategic_decision", OPUS, "48", "0.5", "0.5"),
    ("coo-morning-brief", "coo", "orchestration", SONNET, "1", "0.166666666667", "0.1"),
    ("coo-heartbeat", "coo", "orchestration", SONNET, "24", "1.25", "0.75"),
    ("cto-sprint-check", "cto", "orchestration", SONNET, "1", "0.166666666667", "0.1"),
    ("cto-cron-monitor", "cto", "monitoring", HAIKU, "48", "0.3125", "0.0625"),
    ("cmo-curation", "cmo", "curation", HAIKU, "3", "0.1875", "0.0375"),
    ("cmo-content-draft", "cmo", "content_creation", SONNET_45, "1", "0.25", "0.15"),
    ("cio-intel-brief", "cio", "research_synthesis", SONNET_45, "2", "0.333333333333", "0.2"),
    ("cio-scanners", "cio", "monitoring", HAIKU, "8", "0.3125", "0.0625"),
    ("ad-hoc-coding", "cto", "code_generation", SONNET, "6", "3.333333333333", "2"),
]  # fmt: skip
UNKNOWN = ("guardrail", "cto", "moderation", LOCAL, "1440", None, None)


def build_fleet(
    *, days: int = 30, thrifty: bool = True, unpriced: bool = True, rename: dict[str, str] | None = None
) -> Projection:
    """Ten components of the article, two or three plans, claims, and a model without a price.

    `rename` puts names (hostile ones) in place of those of the components and of the fleet.
    """
    names = rename or {}
    rows = [(names.get(row[0], row[0]), *row[1:]) for row in FLEET + ([UNKNOWN] if unpriced else [])]
    start = date(2026, 12, 1)
    plans = [
        _plan("naive", f"every task on {OPUS}", rows, OPUS, Decimal(1), start=start, days=days),
        _plan("routed", "the routing of model-routing.json", rows, None, Decimal(1), start=start, days=days),
    ]
    if thrifty:
        plans.append(_plan("all-haiku", f"every task on {HAIKU}", rows, HAIKU, FIFTH, start=start, days=days))
    guardrail = names.get("guardrail", "guardrail")
    missing = [Unpriced(model=LOCAL, plan=plan.name, components=[guardrail], reason="no price") for plan in plans]
    return Projection(
        name=names.get("c-suite", "c-suite"),
        start=start,
        days=days,
        timezone="UTC",
        trials=10_000,
        seed=1,
        plans=plans,
        savings=[_saving(plan, plans[0]) for plan in plans[1:]],
        claims=_claims(),
        price_book=PriceBookRef(
            hash=HASH,
            layers=[
                BookLayer(name="list", hash="ab" * 32, source="genai-prices 0.2.3"),
                BookLayer(name="prices.yaml", hash="cd" * 32, source="examples/c-suite/prices.yaml"),
            ],
        ),
        prices=_prices(),
        unpriced=missing if unpriced else [],
        assumptions=[
            "Days are UTC days. Every run is priced at its own moment.",
            "Expected costs are exact; P10, P50 and P90 are of simulated draws, the same for every plan.",
            "ad-hoc-coding: tokens solved from 1-3 USD per day at article-2026 (calibrated, not measured).",
        ],
        warnings=["price book 'article-2026' is kept for the record; its prices are not current"],
        costsim_version="0.1.0",
    )


FleetRow = tuple[str, str, str, str, str, str | None, str | None]


def _plan(
    name: str, message: str, rows: list[FleetRow], model: str | None, factor: Decimal, *, start: date, days: int
) -> PlanResult:
    components = [_component(row, model, factor) for row in rows]
    mean = sum((c.expected_usd_per_day or Decimal(0) for c in components), Decimal(0))
    daily = [_day(start + timedelta(days=n), mean) for n in range(days)]
    total = sum((day.expected_usd for day in daily), Decimal(0))
    return PlanResult(
        name=name,
        message=message,
        expected_usd_per_day=mean,
        p10_usd_per_day=mean * Decimal("0.71"),
        p50_usd_per_day=mean * Decimal("0.97"),
        p90_usd_per_day=mean * Decimal("1.33"),
        horizon=HorizonCost(
            days=days,
            expected_usd=total,
            p10_usd=total * Decimal("0.8"),
            p50_usd=total,
            p90_usd=total * Decimal("1.2"),
        ),
        components=components,
        days=daily,
    )


def _component(row: FleetRow, model: str | None, factor: Decimal) -> ComponentCost:
    name, agent, task, routed, runs, on_opus, on_routed = row
    known = on_opus if model else on_routed
    mean = None if known is None or (model is None and routed == LOCAL) else Decimal(known) * factor
    low, high = ("0.52", "1.61") if name == "ad-hoc-coding" else ("0.93", "1.08")
    return ComponentCost(
        name=name,
        agent=agent,
        task=task,
        model=LOCAL if routed == LOCAL else model or routed,
        runs_per_day=Decimal(runs),
        expected_usd_per_day=mean,
        p10_usd_per_day=None if mean is None else mean * Decimal(low),
        p50_usd_per_day=mean,
        p90_usd_per_day=None if mean is None else mean * Decimal(high),
        calibrated=routed != LOCAL,
        tokens="stated" if routed == LOCAL else "calibrated",
    )


def _day(day: date, mean: Decimal) -> DayCost:
    expected = mean * (Decimal("0.82") if day.weekday() >= 5 else Decimal("1.07"))
    return DayCost(
        day=day,
        expected_usd=expected,
        p10_usd=expected * Decimal("0.74"),
        p50_usd=expected * Decimal("0.98"),
        p90_usd=expected * Decimal("1.31"),
    )


def _saving(plan: PlanResult, baseline: PlanResult) -> Saving:
    saved = baseline.expected_usd_per_day - plan.expected_usd_per_day
    step = saved / 20
    before = {row.name: row.expected_usd_per_day or Decimal(0) for row in baseline.components}
    parts = [
        ComponentSaving(name=row.name, expected_usd_per_day=before[row.name] - amount)
        for row in plan.components
        if (amount := row.expected_usd_per_day) is not None
    ]
    return Saving(
        plan=plan.name,
        baseline=baseline.name,
        expected_usd_per_day=saved,
        percent=100 * saved / baseline.expected_usd_per_day,
        p10_usd_per_day=saved * Decimal("0.76"),
        p50_usd_per_day=saved * Decimal("0.98"),
        p90_usd_per_day=saved * Decimal("1.27"),
        components=sorted(parts, key=lambda part: -part.expected_usd_per_day),
        histogram=[(step * (10 + Decimal(n) / 2), step * (10 + Decimal(n + 1) / 2), _times(n)) for n in range(40)],
    )


def _times(n: int) -> int:
    return round(900 * exp(-(((n - 19) / 8) ** 2)))


def _claims() -> list[ClaimResult]:
    return [
        ClaimResult(
            message="Opus 4.6 costs ~50x Haiku 4.5", stated="50", computed=Decimal("18.75"), unit="ratio",
            book="article-2026", holds=False,
        ),
        ClaimResult(
            message="Opus 4.6 costs ~50x Haiku 4.5", stated="50", computed=Decimal(5), unit="ratio", book="list",
            holds=False,
        ),
        ClaimResult(
            message="CEO heartbeat on Opus costs $1.50 per day", stated="1.50", computed=Decimal("1.5"),
            unit="usd_per_day", book="article-2026", holds=True,
        ),
        ClaimResult(
            message="The whole C-suite costs ~$4-7 per day", stated="4-7", computed=Decimal("3.9625"),
            unit="usd_per_day", book="list", holds=False,
        ),
        ClaimResult(
            message="Kimi for Coding costs ~0.3x Haiku 4.5", stated="0.3", computed=None, unit="ratio",
            book="list", holds=None, note="something in it has no price at this book",
        ),
    ]  # fmt: skip


def _prices() -> list[UsedPrice]:
    usd_per_mtok = [(OPUS, "5", "25"), (SONNET, "3", "15"), (SONNET_45, "3", "15"), (HAIKU, "1", "5")]
    return [
        UsedPrice(
            model=model,
            token_class=token_class,
            processing="standard",
            min_input_tokens=0,
            valid_from="2025-10-15T00:00:00+00:00" if model == HAIKU else None,
            valid_to=None,
            usd=Decimal(usd),
            per=1_000_000,
            source="genai-prices 0.2.3",
        )
        for model, *both in usd_per_mtok
        for token_class, usd in zip(("input", "output"), both, strict=True)
    ]


@pytest.fixture(scope="session")
def fleet() -> Callable[..., Projection]:
    """Builder of the article's fleet as a finished projection: see `build_fleet`."""
    return build_fleet


@pytest.fixture(autouse=True, scope="session")
def own_cache() -> Iterator[Path]:
    """The scripts' cache of all test sessions, so that no test depends on one of the user's."""
    folder = KEPT / "pages"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Real Chromium; on CI it must be there."""
    program = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("CI must test the report in Chromium, and there is none on the PATH")
        pytest.skip(f"NOT TESTED: the report in a browser; none of {', '.join(CHROMIUMS)} is on the PATH")
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=arguments)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def worked_months(tmp_path_factory: pytest.TempPathFactory) -> tuple[Review, Review]:
    """The reviews of the demo's month, when it is over and on its 21st day."""
    folder = tmp_path_factory.mktemp("demo")
    fleet = read_architecture(EXAMPLE)
    calls = fleet_calls(fleet, 1)
    (folder / "prices.yaml").write_text(files.prices((EXAMPLE.parent / "prices.yaml").read_text()))
    (folder / "architecture.yaml").write_text(files.architecture_file(fleet))
    (folder / "attribution.yaml").write_text(files.attribution(fleet))
    (folder / "outcomes.csv").write_text(files.outcomes(calls, 1))
    (folder / "logs").mkdir()
    book = open_book("list", [folder / "prices.yaml"])
    for name, text in files.log_files(calls, book).items():
        (folder / name).write_text(text)
    architecture = read_architecture(folder / "architecture.yaml")
    with open_store(folder / "costsim.duckdb") as store:
        load(store, [folder / "logs"], attribution=read_attribution(folder / "attribution.yaml"))
        load_outcomes(store, folder / "outcomes.csv")
        bring_up_to_date(store, book)
        given: dict[str, Any] = {"name": "c-suite", "architecture": architecture}
        over = review(store, book, "2026-10", today=date(2026, 11, 1), **given)
        store.execute("DELETE FROM usage_daily WHERE day > DATE '2026-10-20'")
        return over, review(store, book, "2026-10", today=date(2026, 10, 21), **given)


@pytest.fixture(scope="session")
def worked_month(worked_months: tuple[Review, Review]) -> Review:
    """The review of the demo's month, in which a price change, a drift and a runaway are planted."""
    return worked_months[0]


@pytest.fixture(scope="session")
def running_month(worked_months: tuple[Review, Review]) -> Review:
    """The worked month on its 21st day, with all that a review can show: a forecast, budgets, moves, coming prices."""
    known = worked_months[1]
    spent = known.headline.month.usd
    budgets = [
        BudgetUse(name="all", scope="total", limit_usd=Decimal(100), spent_usd=spent, forecast_usd=spent * 2,
                  percent=spent, breached=False),
        BudgetUse(name="coding", scope="agent cto", limit_usd=Decimal(20), spent_usd=Decimal(31), forecast_usd=None,
                  percent=Decimal(155), breached=True),
    ]  # fmt: skip
    parts = {
        "headline": known.headline.model_copy(update={"budgets": budgets}),
        "moves": [_down("orchestration", HAIKU, proven=True), _down("code_generation", SONNET, proven=False)],
        "prices": known.prices.model_copy(update={"moves": [*known.prices.moves, *_coming()]}),
    }
    return known.model_copy(update=parts)


def _down(task: str, to: str, *, proven: bool) -> MoveDown:
    known = SuccessRate(trials=230, successes=227, rate=0.987, low=0.962, high=0.996)
    message = "its interval lies above the floor of 95%" if proven else "tried too seldom: 12 runs"
    return MoveDown(
        task=task, model=OPUS, to=to, calls=1_440, usd=Decimal("22.5"), saving_usd=Decimal("15.25"),
        saving_low_usd=Decimal(12), saving_high_usd=Decimal(18), success=known if proven else None,
        present_success=known, proven=proven, message=message,
    )  # fmt: skip


def _coming() -> list[PriceMove]:
    upcoming = PriceMove(
        kind="upcoming", model=SONNET, token_class="output", processing="standard", at=date(2027, 2, 1),
        before_usd=Decimal(12), after_usd=Decimal(15), in_use=True, worth_usd=Decimal("10.84"), source="prices.yaml",
        message="more expensive from 2027-02-01 on",
    )  # fmt: skip
    rival = {"model": "google/gemini-of-tomorrow", "kind": "rival", "in_use": False, "worth_usd": None}
    return [upcoming, upcoming.model_copy(update=rival | {"before_usd": None, "at": date(2026, 12, 1)})]
