"""The command line as users meet it: the main job, its formats, its promises."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import jsonschema
import pytest

if TYPE_CHECKING:
    from conftest import Run

GOLDEN = Path(__file__).parents[1] / "golden"
NINE = {
    "ceo-heartbeat", "coo-morning-brief", "coo-heartbeat", "cto-sprint-check", "cto-cron-monitor",
    "cmo-curation", "cmo-content-draft", "cio-intel-brief", "cio-scanners",
}  # fmt: skip
AT = ("--start", "2026-12-01")


def run_json(costsim: Run, *arguments: str) -> Any:
    outcome = costsim("run", *AT, "--format", "json", *arguments)
    assert outcome.code == 0, outcome.err
    return json.loads(outcome.out)


def fixed_rows(plan: dict[str, Any]) -> Decimal:
    rows = [row for row in plan["components"] if row["name"] in NINE]
    assert len(rows) == 9
    return sum((Decimal(row["expected_usd_per_day"]) for row in rows), Decimal(0))


def test_the_articles_nine_fixed_rows_at_its_own_prices(costsim: Run) -> None:
    # 1.50 + 0.10 + 0.75 + 0.10 + 0.05 + 0.03 + 0.15 + 0.20 + 0.05 = 2.93
    # on Opus: 1.50 + (0.10 + 0.75 + 0.10 + 0.15 + 0.20) * 15/3 + (0.05 + 0.03 + 0.05) * 15/0.8 = 10.4375
    plans = {plan["name"]: plan for plan in run_json(costsim, "--book", "article-2026")["plans"]}
    assert fixed_rows(plans["routed"]) == Decimal("2.93")
    assert fixed_rows(plans["naive"]) == Decimal("10.4375")


def test_the_same_rows_at_list_prices(costsim: Run) -> None:
    # routed: 1.50 * 5/15 + 1.30 * 3/3 + 0.13 * 1/0.8 = 1.9625
    # on Opus: 0.50 + 1.30 * 5/3 + 0.1625 * 5/1 = 3.479166...
    plans = {plan["name"]: plan for plan in run_json(costsim, "--book", "list")["plans"]}
    assert fixed_rows(plans["routed"]) == Decimal("1.9625")
    assert abs(fixed_rows(plans["naive"]) - Decimal("3.479166666667")) < Decimal("1e-11")


@pytest.mark.slow
def test_the_json_keeps_its_published_schema(costsim: Run) -> None:
    published = json.loads(costsim("schema", "--output").out)
    result = run_json(costsim, "--trials", "100")
    jsonschema.validate(result, published)
    saving = result["savings"][0]
    assert (saving["plan"], saving["baseline"]) == ("routed", "naive")
    assert isinstance(saving["expected_usd_per_day"], str), "money is a decimal string"
    assert {"name", "expected_usd", "p10_usd", "days"} >= set(result["plans"][0]["horizon"]) - {
        "p50_usd",
        "p90_usd",
    }
    assert result["unpriced"] == []
    assert len(result["price_book"]["hash"]) == 64


def test_the_articles_claims_are_checked_at_both_books(costsim: Run) -> None:
    claims = {(c["message"], c["book"]): c for c in run_json(costsim, "--trials", "10")["claims"]}
    opus = "Opus 4.6 costs ~50x Haiku 4.5"
    assert claims[opus, "article-2026"]["computed"] == "18.75"  # 15/0.80 = 75/4
    assert claims[opus, "list"]["computed"] == "5"  # 5/1 = 25/5
    monitor = "A 30-minute monitor costs ~167x more per day on Opus than on Haiku"
    assert not claims[monitor, "article-2026"]["holds"]
    total = claims["The whole C-suite costs ~$4-7 per day", "article-2026"]
    assert (total["computed"], total["holds"]) == ("4.93", True)  # 2.93 + the mean of 1 to 3


@pytest.mark.slow
def test_the_same_seed_gives_the_same_result_and_another_one_other_ranges(costsim: Run) -> None:
    first, again, other = (run_json(costsim, "--seed", seed, "--trials", "500") for seed in ("7", "7", "8"))
    assert first == again
    assert first["plans"][1]["expected_usd_per_day"] == other["plans"][1]["expected_usd_per_day"]
    assert first["plans"][1]["p90_usd_per_day"] != other["plans"][1]["p90_usd_per_day"]


@pytest.mark.parametrize(("name", "format"), [("c-suite.txt", "table"), ("c-suite.md", "markdown")])
def test_what_people_read_is_as_it_was(costsim: Run, name: str, format: str) -> None:
    """At the article's book, whose prices never change. COSTSIM_GOLDEN=1 writes the files anew: read the diff."""
    printed = costsim("run", *AT, "--book", "article-2026", "--format", format).out
    golden = GOLDEN / name
    if os.environ.get("COSTSIM_GOLDEN"):
        golden.write_text(_without_list_prices(printed))
    assert _without_list_prices(printed) == golden.read_text()


def _without_list_prices(printed: str) -> str:
    """Claims at list prices follow the installed price snapshot, so they are no part of the golden file."""
    return (
        "\n".join(line.rstrip() for line in printed.splitlines() if "│ list" not in line and "| list |" not in line)
        + "\n"
    )


def test_csv_has_a_row_per_plan_and_component(costsim: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(costsim("run", *AT, "--format", "csv", "--trials", "10").out)))
    assert len(rows) == 2 * 10
    assert rows[0]["component"] == "ceo-heartbeat"
    assert Decimal(rows[0]["expected_usd_per_day"]) > 0


@pytest.mark.slow
def test_the_store_holds_every_day_of_every_component(costsim: Run, tmp_path: Path) -> None:
    for _ in range(2):  # the same run again replaces itself
        assert costsim("run", *AT, "--trials", "50", "--db", "plans.duckdb", "--book", "article-2026").code == 0
    with duckdb.connect(str(tmp_path / "plans.duckdb")) as connection:
        found = connection.sql("""
            SELECT plan, count(*), sum(expected_usd) FROM projection
            WHERE component <> 'ad-hoc-coding' GROUP BY plan ORDER BY plan
        """).fetchall()
    # 30 days x 9 components; 30 x 10.4375 and 30 x 2.93
    assert [(plan, rows) for plan, rows, _ in found] == [("naive", 270), ("routed", 270)]
    assert found[0][2] == Decimal("313.125")
    assert found[1][2] == Decimal("87.9")


def test_an_unpriced_model_is_shown_first_and_is_no_success(costsim: Run) -> None:
    outcome = costsim("run", *AT, "--trials", "10", "--naive", "acme/unheard-of")
    assert outcome.code == 2
    assert "no price for 'acme/unheard-of'" in outcome.err
    assert "UNPRICED" in outcome.out
    assert "$0 + unpriced" in outcome.out
    result = json.loads(costsim("run", *AT, "--trials", "10", "--naive", "acme/unheard-of", "-f", "json").out)
    assert result["unpriced"][0]["model"] == "acme/unheard-of"
    assert result["plans"][0]["components"][0]["expected_usd_per_day"] is None


@pytest.mark.slow
def test_a_real_hour_of_code_completion(costsim: Run) -> None:
    import pandas as pd
    from costsim.cli.arguments import EXAMPLES

    folder = EXAMPLES / "azure-code-completion"
    log = pd.read_csv(folder / "AzureLLMInferenceTrace_code.csv")
    result = run_json(costsim, str(folder / "architecture.yaml"), "--trials", "200")
    rows = {row["name"]: row for plan in result["plans"] if plan["name"] == "routed" for row in plan["components"]}
    # Haiku 4.5 at list: 1 and 5 USD per million; 8 such hours on each of December's first 22 working days of 30
    tokens = log[["ContextTokens", "GeneratedTokens"]].sum()
    hour = (Decimal(int(tokens.iloc[0])) * 1 + Decimal(int(tokens.iloc[1])) * 5) / 1_000_000
    assert abs(Decimal(rows["code-completion"]["expected_usd_per_day"]) - hour * 8 * 22 / 30) < Decimal("1e-11")
    assert rows["code-completion"]["tokens"] == "measured"


def test_help_teaches(costsim: Run) -> None:
    outcome = costsim("--help")
    assert outcome.code == 0
    for word in ("run", "prices", "schema", "costsim run"):
        assert word in outcome.out
    for command in ("run", "schema", "prices"):
        assert costsim(command, "--help").out.strip()


@pytest.mark.slow
def test_the_schema_of_the_architecture_accepts_the_example(costsim: Run) -> None:
    import yaml
    from costsim.cli.arguments import EXAMPLE

    jsonschema.validate(yaml.safe_load(EXAMPLE.read_text()), json.loads(costsim("schema").out))


@pytest.mark.slow
def test_help_loads_no_heavy_library() -> None:
    code = (
        "import sys; sys.argv=['costsim','--help']\n"
        "from costsim.cli.entry import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print([m for m in ('pandas','altair','duckdb','numpy','pydantic','genai_prices') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.slow
def test_a_run_loads_neither_pandas_nor_altair() -> None:
    code = (
        "import sys; sys.argv=['costsim','run','--trials','10']\n"
        "from costsim.cli.app import app\n"
        "app(standalone_mode=False)\n"
        "print([m for m in ('pandas','altair','duckdb','jinja2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.slow
def test_a_closed_pipe_is_no_traceback(tmp_path: Path) -> None:
    command = f"{sys.executable} -m costsim run --trials 10 --format csv | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.startswith("plan,component")
    assert "Traceback" not in done.stderr
