"""`costsim load`, `spend` and `export` as users meet them."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

if TYPE_CHECKING:
    from conftest import Run

pytestmark = pytest.mark.slow

DATA = Path(__file__).parents[1] / "data" / "usage"
SESSIONS = sorted(map(str, (DATA / "claude-code").glob("p*.jsonl")))


def test_load_says_what_it_did(costsim: Run) -> None:
    outcome = costsim("load", *SESSIONS)
    assert outcome.out.splitlines() == [
        "2 files read (claude-code)",
        "170 calls (365 log entries; streaming repeats merged), 10 to 11 Feb 2026, $11.98",
        "models: anthropic/claude-opus-4-6 $11.85, anthropic/claude-haiku-4-5 $0.13",
    ]
    assert costsim("load", *SESSIONS).out.splitlines()[0] == "no new file, 2 unchanged"


def test_sums_are_no_calls(costsim: Run, tmp_path: Path) -> None:
    """13 calls of 11 days are 11 sums."""
    header, call = "ts,id,input,output,model\n", "2026-10-{:02}T10:00:00Z,{},100,10,gpt-4o\n"
    rows = "".join(call.format(1 + n % 11, n) for n in range(13))
    named = "ts=ts,id=id,input=input,output=output,model=model"
    (tmp_path / "calls.csv").write_text(header + rows)
    costsim("load", "calls.csv", "--map", named, "--db", "calls.duckdb")
    costsim("rollup", "calls.duckdb", "--out", "rollup.parquet")
    # 13 calls of 100 and 10 tokens at $2.50 and $10 per million: 13 x $0.00035
    assert costsim("load", "rollup.parquet").out.splitlines()[1] == "11 sums of 13 calls, 1 to 11 Oct 2026, $0.0046"
    (tmp_path / "rollup.parquet").rename(tmp_path / "again.parquet")
    again = costsim("load", "again.parquet").out.splitlines()[1]  # whose cost is named is a matter of the files' paths
    assert again.startswith("0 new sums, 11 sums were counted already, of 13 calls in all")


def test_calls_that_a_file_states_otherwise_by_now_are_updated(costsim: Run, tmp_path: Path) -> None:
    """A mapping that took the day for both counts of two calls is corrected; a second corrects nothing."""
    (tmp_path / "calls.csv").write_text("day,id,in,out\n2026-10-05,a,100,7\n2026-10-05,b,200,9\n")
    wrong, right = "ts=day,id=id,input=out,output=out,model=:gpt-4o", "ts=day,id=id,input=in,output=out,model=:gpt-4o"
    costsim("load", "calls.csv", "--map", wrong)
    assert (
        costsim("load", "calls.csv", "--map", right)
        .out.splitlines()[1]
        .startswith("0 new calls, 2 calls were counted already (2 updated); all of these files: ")
    )
    (tmp_path / "calls.csv").rename(tmp_path / "again.csv")
    again = costsim("load", "again.csv", "--map", right).out.splitlines()[1]
    assert again.startswith("0 new calls, 2 calls were counted already")  # whose cost it is hangs on the names
    assert "updated" not in again


def test_a_cost_that_is_recorded_only_is_on_the_line_of_the_calls(costsim: Run) -> None:
    assert costsim("load", str(DATA / "crush")).out.splitlines()[1:3] == [
        "2 sums, 5 to 6 Oct 2026, $0.21 only recorded",
        "models: anthropic/claude-sonnet-4-6 $0.19 only recorded, openai/gpt-5.5 $0.02 only recorded",
    ]
    both = costsim("load", str(DATA / "crush"), *SESSIONS, "--db", "both.duckdb").out.splitlines()
    assert both[1].endswith(
        "172 calls (367 log entries; streaming repeats merged), of them 2 sums, 10 Feb to 6 Oct 2026, "
        "$11.98 computed and $0.21 only recorded"
    )


def test_a_standard_input_that_is_named_twice_is_refused(costsim: Run) -> None:
    outcome = costsim("load", "-", "-")
    assert (outcome.code, outcome.err) == (
        2, "costsim: the standard input (-) is named twice, and can be read once; name it once\n",
    )  # fmt: skip


@pytest.mark.slow
def test_spend_is_exact_in_every_format(sessions: Run) -> None:
    assert json.loads(sessions("spend", "-f", "json").out)["total"]["computed_usd"] == "11.9789443"
    rows = list(csv.DictReader(io.StringIO(sessions("spend", "--by", "model", "-f", "csv").out)))
    assert sum(Decimal(row["computed_usd"]) for row in rows) == Decimal("11.9789443")
    assert "| **total** |" in sessions("spend", "--by", "model", "-f", "markdown").out
    assert "$11.98" in sessions("spend").out
    assert sessions("spend", "--by", "model", "-f", "parquet", "-o", "spend.parquet").code == 0
    assert duckdb.sql("SELECT sum(computed_usd) FROM 'spend.parquet'").fetchall() == [(Decimal("11.9789443"),)]  # type: ignore[union-attr]


@pytest.mark.slow
def test_spend_chooses_days(sessions: Run) -> None:
    days = [json.loads(sessions("spend", *days, "-f", "json").out)["total"]["calls"] for days in (
        ("--month", "2026-02"), ("--since", "2026-02-11"), ("--until", "2026-02-10"), ("--month", "2026-03"),
    )]  # fmt: skip
    assert days[0] == 170
    assert days[1] + days[2] == 170
    assert days[3] == 0


def test_repricing_shows_both_costs(sessions: Run) -> None:
    outcome = sessions("spend", "--by", "model", "--reprice", "2026-11-01")
    assert "at prices of 2026-11-01" in outcome.out


@pytest.mark.slow
def test_an_unpriced_model_is_loud_and_no_success(costsim: Run, tmp_path: Path) -> None:
    line = {
        "timestamp": "2026-10-01T00:00:00Z", "sessionId": "s", "requestId": "r", "type": "assistant",
        "message": {"id": "m", "model": "claude-nonesuch", "usage": {"input_tokens": 5, "output_tokens": 1}},
    }  # fmt: skip
    (tmp_path / "a.jsonl").write_text(json.dumps(line) + "\n")
    costsim("load", "a.jsonl")
    outcome = costsim("spend")
    assert outcome.code == 2
    assert "no price for 'anthropic/claude-nonesuch'" in outcome.err
    assert "UNPRICED" in outcome.out
    assert costsim("export", "--output", "focus.csv").code == 2
    assert not (tmp_path / "focus.csv").exists()


def test_a_focus_file_adds_up(sessions: Run, tmp_path: Path) -> None:
    assert sessions("export", "--output", "focus.csv", "--account", "acme").code == 0
    rows = list(csv.DictReader(io.StringIO((tmp_path / "focus.csv").read_text())))
    assert sum(Decimal(row["BilledCost"]) for row in rows) == Decimal("11.9789443")
    assert {row["BillingAccountId"] for row in rows} == {"acme"}


@pytest.mark.slow
def test_a_projection_starts_from_the_logs(sessions: Run, tmp_path: Path) -> None:
    outcome = sessions(
        "run", "--from-usage", "--save", "observed.yaml", "--start", "2026-12-01", "--trials", "50", "-f", "json"
    )
    assert outcome.code == 0, outcome.err
    plan = json.loads(outcome.out)["plans"][1]
    assert {row["tokens"] for row in plan["components"]} == {"measured"}
    assert (tmp_path / "observed.yaml").exists()
    again = sessions("run", "observed.yaml", "--start", "2026-12-01", "--trials", "50", "-f", "json")
    assert json.loads(again.out)["plans"] == json.loads(outcome.out)["plans"]
    assert sessions("run", "--from-usage", "--save", "observed.yaml").code == 2


IN_HOUSE = {"model": "in-house/guard", "usd_per_mtok": {"input": 1}}
TRIED = ("run", "--from-usage", "--prices", "prices.yaml", "--trials", "50", "-f", "json")


def log_days(costsim: Run, tmp_path: Path, models: list[str]) -> None:
    """Ten calls a day of 1,000 tokens, each day all of them to that day's model, from 2026-10-05, a Monday."""
    rows = [
        f"2026-10-{5 + n:02}T{hour:02}:00:00Z,1000,{model}\n" for n, model in enumerate(models) for hour in range(10)
    ]
    (tmp_path / "log.csv").write_text("ts,input,model\n" + "".join(rows))
    (tmp_path / "prices.yaml").write_text(json.dumps({"book": "mine", "source": "x", "models": [IN_HOUSE]}))
    costsim("load", "log.csv", "--map", "ts=ts,input=input,model=model")


@pytest.mark.slow
def test_logs_that_only_prices_to_try_price_are_projected_at_these(costsim: Run, tmp_path: Path) -> None:
    """10,000 tokens a day at $1 per million: $0.01 a day, on the days that are logged too."""
    log_days(costsim, tmp_path, ["in-house/guard"] * 14)
    unknown = costsim(*TRIED)
    assert unknown.code == 2
    assert "no logged call has a price, so there is nothing to forecast from; add prices to an overlay" in unknown.err
    for start in ("2026-10-05", "2026-10-19"):
        outcome = costsim(*TRIED, "--baseline", "in-house/guard", "--start", start, "--days", "7")
        assert float(json.loads(outcome.out)["plans"][0]["expected_usd_per_day"]) == pytest.approx(0.01, rel=0.02)


@pytest.mark.slow
def test_logs_that_prices_to_try_price_in_part_are_projected_at_these(costsim: Run, tmp_path: Path) -> None:
    """In the second week all calls went to a model that only the overlay prices: that week cost $0.07, not nothing."""
    log_days(costsim, tmp_path, ["anthropic/claude-haiku-4-5"] * 7 + ["in-house/guard"] * 7)
    asked = (*TRIED, "--baseline", "routed", "--start", "2026-10-12", "--days", "7")
    outcome = costsim(*asked)
    assert float(json.loads(outcome.out)["plans"][0]["horizon"]["expected_usd"]) == pytest.approx(0.07)


@pytest.mark.slow
def test_a_projection_may_start_from_some_of_the_logs_days(sessions: Run, tmp_path: Path) -> None:
    options = ("--from-usage", "--trials", "50", "--days", "7", "-f", "json")
    outcome = sessions("run", *options, "--until", "2026-02-10", "--save", "day.yaml")
    plan = json.loads(outcome.out)["plans"][1]
    # one session of 18 calls on the 10th, a Tuesday; weekdays that were not seen are not idle: more than one in a week
    assert 1 < 7 * sum(Decimal(row["runs_per_day"]) for row in plan["components"]) < 10 * 7
    assert {Decimal(row["session"]["turns"]) for row in plan["components"]} == {18}
    assert "until: '2026-02-10'" in (tmp_path / "day.yaml").read_text()
    assert "the store has 2026-02-10 to 2026-02-11" in sessions("run", *options, "--month", "2026-03").err
    assert sessions("run", "--month", "2026-02").code == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["load", "gone.jsonl"], "gone.jsonl: there is no such file"),
        (["load", "--format", "claude", SESSIONS[0]], "did you mean 'claude-code'"),
        (["load", SESSIONS[0], "--map", "input=x"], "say which column holds the time"),
        (["spend", "--by", "modle"], "cannot group by 'modle'; did you mean 'model'"),
        (["spend", "--month", "2026-13"], "'2026-13' is not a month"),
        (["spend", "--month", "2026-2"], "'2026-2' is not a month"),
        (["spend", "--month", "２０２６-02"], "'２０２６-02' is not a month"),
        (["spend", "--month", "2026-10", "--since", "2026-10-01"], "give either --month"),
        (["spend", "-f", "parquet"], "parquet goes to a file"),
        (["load", SESSIONS[0], "--attribution", "gone.yaml"], "gone.yaml: there is no such file"),
    ],
)
def test_bad_input_is_one_line(costsim: Run, arguments: list[str], message: str) -> None:
    outcome = costsim(*arguments)
    assert outcome.code == 2
    assert message in outcome.err
    assert outcome.err.count("\n") == 1


@pytest.mark.slow
def test_a_review_of_usage_without_a_price_is_written_says_so_and_is_no_success(costsim: Run, tmp_path: Path) -> None:
    usage = {"input_tokens": 1200, "output_tokens": 400}
    message = {"id": "m", "model": "claude-nonesuch", "usage": usage}
    entry = {
        "type": "assistant",
        "timestamp": "2026-10-05T10:00:00Z",
        "sessionId": "s",
        "requestId": "r",
        "message": message,
    }
    (tmp_path / "log.jsonl").write_text(json.dumps(entry))
    assert costsim("load", "log.jsonl").code == 0
    outcome = costsim("report", "--format", "markdown")
    assert outcome.code == 2
    assert "without 1,600 tokens that have no price" in outcome.out
    assert "claude-nonesuch" in outcome.err
