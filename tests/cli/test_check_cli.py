"""`costsim check` as CI meets it: exit codes, outputs, one line for bad input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import jsonschema
import pytest
from costsim.analysis.budgets.results import CheckResult
from costsim.cli.arguments import EXAMPLES

if TYPE_CHECKING:
    from conftest import Run

GOLDEN = Path(__file__).parents[1] / "golden"
EXAMPLE = EXAMPLES / "c-suite"
ARCHITECTURE = """\
name: desk
model_routing: {fallback: anthropic/claude-haiku-4-5}
components:
  - {name: monitor, agent: ops, runs_per_day: 10, tokens: {input: 100000}}   # $1 per day
budgets:
  - name: month
    usd: LIMIT
    owner: cfo
"""
JUNE = ("--month", "2026-06", "--today", "2026-06-15")
CALLS = "".join(
    json.dumps({"TIME": f"2026-06-{day:02}T12:00:00Z", "MODEL": "claude-haiku-4-5", "IN": 1_000_000}) + "\n"
    for day in range(1, 31)
)


@pytest.fixture
def desk(costsim: Run, tmp_path: Path) -> Run:
    """A fleet that costs $30 in June, with a budget of that; and tight.yaml, with one of $20."""
    (tmp_path / "architecture.yaml").write_text(ARCHITECTURE.replace("LIMIT", "30"))
    (tmp_path / "tight.yaml").write_text(ARCHITECTURE.replace("LIMIT", "20"))
    return costsim


def test_within_is_exit_code_0(desk: Run) -> None:
    outcome = desk("check", *JUNE)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("desk: 1 budget within; 2 other checks passed\n")
    assert "2026-06; prices" in outcome.out


def test_breached_is_exit_code_1(desk: Run) -> None:
    outcome = desk("check", "tight.yaml", *JUNE)
    assert outcome.code == 1
    assert outcome.out.startswith("desk: 1 of 3 checks failed\n")
    assert "tight.yaml:6 month: everything costs $30 a month at P90, $10 over $20; over from 2026-06-21" in outcome.out
    assert "Run monitor as batch (processing: batch): saves $15 and leaves $15. Owner: cfo." in outcome.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.yaml"], "none.yaml: there is no such file"),
        (["--budgets", "none.yaml"], "none.yaml: there is no such file"),
        (["--budgets", "typo.yaml"], "typo.yaml:2 budgets[0].perod: unknown key 'perod'; did you mean 'period'?"),
        (["--budgets", "scope.yaml"], "scope.yaml:2 budgets[0].scope.agent: there is no agent 'opps'; did you mean 'ops'?"),
        (["--month", "2026-13"], "'2026-13' is not a month"),
        (["--today", "soon"], "'soon' is not a date"),
        (["--usage", "--max-rejected", "few"], "'few' is neither a number of lines"),
        (["--trials", "0"], "trials must be from 1"),
        (["--usage"], "costsim.duckdb: there is no store here; `costsim load` makes one"),
    ],
)  # fmt: skip
def test_bad_input_is_exit_code_2_and_one_line(desk: Run, tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "typo.yaml").write_text("budgets:\n  - {name: b, usd: 1, perod: day}\n")
    (tmp_path / "scope.yaml").write_text("budgets:\n  - {name: b, usd: 1, scope: {agent: opps}}\n")
    outcome = desk("check", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"costsim: {message}")
    assert outcome.err.count("\n") == 1


def test_without_an_architecture_here_nothing_passes(costsim: Run) -> None:
    outcome = costsim("check")
    assert outcome.code == 2
    assert "there is no architecture.yaml here; name the file to check" in outcome.err


def test_json_keeps_the_contract(desk: Run) -> None:
    outcome = desk("check", "tight.yaml", *JUNE, "--format", "json")
    jsonschema.validate(json.loads(outcome.out), CheckResult.model_json_schema(mode="serialization"))
    result = CheckResult.model_validate_json(outcome.out)
    assert (outcome.code, result.exit_code, result.status) == (1, 1, "fail")
    assert json.loads(outcome.out)["budgets"][0]["value_usd"] == "30"  # money is text, exact


@pytest.mark.slow
@pytest.mark.parametrize("sign", ["$", "a", "中", "|"])
def test_a_check_and_a_difference_fit_into_one_comment_whatever_the_names(
    costsim: Run, tmp_path: Path, sign: str
) -> None:
    """GitHub's comments hold 65,536 characters; of 60 budgets and components the first are shown, the rest counted."""
    components = [
        {"name": f"c{n}{sign * 190}", "agent": sign * 190, "runs_per_day": 10, "tokens": {"input": 100_000}}
        for n in range(60)
    ]
    budgets = [{"name": f"b{n}{sign * 190}", "usd": 1, "owner": sign * 190} for n in range(60)]
    fleet = {"name": sign * 190, "model_routing": {"fallback": "anthropic/claude-haiku-4-5"}}
    for name, parts in (("before", components[:1]), ("after", components)):
        text = json.dumps({**fleet, "components": parts, "budgets": budgets})
        (tmp_path / f"{name}.json").write_text(text)
    checked = costsim("check", "after.json", *JUNE, "--format", "markdown").out
    compared = costsim("diff", "before.json", "after.json", "--format", "markdown", "--max-increase", "1").out
    assert "of 62 checks failed" in checked
    assert len((compared + checked).encode()) < 60_000
    assert all("\nand " in text for text in (checked, compared))


def test_markdown_is_a_comment_that_can_be_found_again(desk: Run) -> None:
    text = desk("check", "tight.yaml", *JUNE, "--format", "markdown").out
    assert text.startswith("<!-- costsim:check -->\n### desk: 1 of 3 checks failed\n")
    assert "| month | total | month | projection, P90 | $30.00 | $20.00 | 100% | 2026-06-21 | FAILED |" in text
    assert "<details><summary>What makes them</summary>" in text


def test_github_annotates_the_line_of_the_budget(desk: Run) -> None:
    text = desk("check", "tight.yaml", *JUNE, "--format", "github").out
    assert "::error file=tight.yaml,line=6,title=costsim budget%3A month::everything costs $30" in text


def test_every_form_is_well_formed(desk: Run) -> None:
    forms = {name: desk("check", "tight.yaml", *JUNE, "--format", name).out for name in ("junit", "sarif", "gitlab")}
    suite = ElementTree.fromstring(forms["junit"])
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")
    assert json.loads(forms["sarif"])["version"] == "2.1.0"
    assert json.loads(forms["gitlab"])[0]["check_name"] == "costsim/budget"


FLEET = """\
name: desk
model_routing: {watch: anthropic/claude-haiku-4-5, write: anthropic/claude-sonnet-4-5, fallback: anthropic/claude-haiku-4-5}
components:
  - {name: monitor, agent: ops, task: watch, schedule: "*/30 * * * *", tokens: {input: 9000, output: 400}}
  - name: drafts
    agent: press
    task: write
    tags: {team: growth}
    runs_per_day: {poisson: 20}
    tokens: {input: {p50: 4000, p95: 20000}, output: {low: 300, mode: 800, high: 2000}}
claims:
  - {says: "Sonnet is more expensive than Haiku", stated: 9, severity: warn,
     price_ratio: {model: anthropic/claude-sonnet-4-5, to: anthropic/claude-haiku-4-5}}
budgets:
  - {name: month, usd: 25, owner: cfo}
  - {name: growth, scope: {tag: team=growth}, usd: 12, exceptions: [{until: 2026-06-20, reason: launch week, usd: 40}]}
  - {name: day, period: day, at: p99, usd: 1, severity: warn}
  - {name: one draft, scope: {component: drafts}, period: run, at: p99, usd: 0.50}
  - {name: old, usd: 1, expires: 2026-05-31, exceptions: [{until: 2026-04-30, reason: "<b>migration</b>", raise_percent: 20}]}
"""


@pytest.mark.slow
@pytest.mark.parametrize("format", ["table", "json", "markdown", "github", "junit", "sarif", "gitlab"])
def test_every_form_is_as_it_was(costsim: Run, tmp_path: Path, format: str) -> None:
    """At the article's book, whose prices never change. COSTSIM_GOLDEN=1 writes the files anew: read the diff."""
    (tmp_path / "architecture.yaml").write_text(FLEET)
    outcome = costsim("check", *JUNE, "--book", "article-2026", "--format", format)
    printed = "".join(f"{line.rstrip()}\n" for line in outcome.out.splitlines() if "ersion" not in line)
    golden = GOLDEN / f"check.{format}.txt"
    if os.environ.get("COSTSIM_GOLDEN"):
        golden.write_text(printed)
    assert outcome.code == 1
    assert printed == golden.read_text()


def test_output_writes_a_file_instead(desk: Run, tmp_path: Path) -> None:
    outcome = desk("check", *JUNE, "--format", "json", "--output", "check.json")
    assert (outcome.code, outcome.out) == (0, "")
    assert json.loads((tmp_path / "check.json").read_text())["status"] == "pass"


@pytest.mark.slow
def test_usage_is_compared_with_a_file_of_budgets(costsim: Run, tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text(CALLS + "not json\n")
    (tmp_path / "budgets.yaml").write_text("budgets:\n  - {name: month, usd: 29}\n")
    assert costsim("load", "log.jsonl", "--map", "ts=TIME,model=MODEL,input=IN").code == 0
    held = ("check", "--usage", "--budgets", "budgets.yaml", "--today", "2026-07-01")
    outcome = costsim(*held)
    assert outcome.code == 1
    assert "month (usage): everything has cost $30 a month, $1 over $29; over from 2026-06-30" in outcome.out
    assert "1 of 31 log lines could not be read; 0 may be so" in " ".join(outcome.out.split())
    (tmp_path / "budgets.yaml").write_text("budgets:\n  - {name: month, usd: 30}\n")
    assert costsim(*held, "--max-rejected", "1").code == 0


def test_a_dry_run_shows_what_a_webhook_would_get(desk: Run) -> None:
    outcome = desk("check", "tight.yaml", *JUNE, "--notify", "ALERTS_URL", "--dry-run")
    message = json.loads(outcome.err)
    assert message["text"] == "desk: 1 of 3 checks failed"
    assert "FAILED month: everything costs $30 a month" in message["blocks"][1]["text"]["text"]


@pytest.mark.parametrize("form", ["slack", "json"])
def test_a_dry_run_is_the_whole_of_what_a_webhook_would_get(desk: Run, tmp_path: Path, form: str) -> None:
    """Valid JSON of over 2,000 characters, whatever names hold, and nothing that a terminal or a CI acts upon."""
    names = [f"b{n} {'n' * 150} ##[error] \x1b]52;c;x\x07 \u202e\n::error::x" for n in range(9)]
    budgets = [{"name": name, "usd": 1} for name in names]
    (tmp_path / "many.json").write_text(json.dumps({"budgets": budgets}))
    asked = ("check", "tight.yaml", *JUNE, "--budgets", "many.json", "--notify", "URL", "--dry-run")
    printed = desk(*asked, "--notify-format", form).err
    assert json.loads(printed)
    assert all(f"b{n} " in printed for n in range(9))
    assert printed.replace("\n", "").isprintable()
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in printed.splitlines())


def test_nobody_is_notified_where_all_is_within(desk: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERTS_URL", "http://127.0.0.1:9/hook")  # where nobody listens: it would be an error
    outcome = desk("check", *JUNE, "--notify", "ALERTS_URL")
    assert (outcome.code, outcome.err) == (0, "")


@pytest.mark.parametrize(
    ("url", "said"), [("", "variable ALERTS_URL is not set"), ("ftp://x", "ALERTS_URL holds no http")]
)
def test_a_webhook_that_is_missing_is_said_before_the_day_of_a_breach(
    desk: Run, monkeypatch: pytest.MonkeyPatch, url: str, said: str
) -> None:
    """A pull request from a fork gets no secrets, and is no error for it."""
    monkeypatch.setenv("ALERTS_URL", url)
    outcome = desk("check", *JUNE, "--notify", "ALERTS_URL")
    assert outcome.code == 0
    assert outcome.err.startswith("note: ")
    assert said in outcome.err
    assert "of a breach nobody would be notified" in " ".join(outcome.err.split())


def test_a_breach_stays_a_breach_where_nobody_could_be_notified(desk: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERTS_URL", "http://127.0.0.1:9/hook")
    monkeypatch.setattr("costsim.reports.notify.sleep", lambda _: None)
    outcome = desk("check", "tight.yaml", *JUNE, "--notify", "ALERTS_URL")
    assert outcome.code == 1
    assert "nobody was notified" in outcome.err
    assert "127.0.0.1" not in outcome.err


def test_the_articles_fleet_is_within_its_shipped_budgets(costsim: Run) -> None:
    outcome = costsim(
        "check", EXAMPLE / "architecture.yaml", "--budgets", EXAMPLE / "budgets.yaml", "--month", "2026-11"
    )
    assert outcome.code == 0
    assert "does not hold" in outcome.out  # the article's claims, which only warn


@pytest.mark.slow
def test_a_check_without_usage_opens_no_database(tmp_path: Path) -> None:
    (tmp_path / "architecture.yaml").write_text(ARCHITECTURE.replace("LIMIT", "30"))
    script = """
import sys
from costsim.cli.entry import main
sys.argv = ["costsim", "check", "--month", "2026-06"]
try:
    main()
except SystemExit as stop:
    print(stop.code, sorted({"duckdb", "pandas", "altair", "jinja2", "scipy"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"
