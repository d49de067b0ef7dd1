"""What people see at 60 to 160 columns: no line wider than the terminal, every key whole, as the golden files show.

Every command that prints a table is here. Its result is computed once and printed at each width.
COSTSIM_GOLDEN=1 writes the files anew: read the diff.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import costsim as costsim_package
import pytest
from costsim import open_store
from costsim.analysis.outcomes.store import load_outcomes
from costsim.cli import output
from costsim.cli.app import COMMANDS as MODULES
from costsim.cli.app import FAMILIES
from costsim.usage.readers.mapped import parse_mapping
from costsim.usage.store import open_store as open_tables
from witnessed import claude_log, truth, usage_page, written

if TYPE_CHECKING:
    from conftest import Run

GOLDEN = Path(__file__).parents[1] / "golden" / "terminal"
EXAMPLES = Path(costsim_package.__file__).parent / "examples"
WIDTHS = (60, 80, 100, 120, 160)
BOOK = ("--book", "article-2026")
REVIEW = ("--month", "2026-10", "--today", "2026-11-02", "--architecture", "fleet.yaml", *BOOK)
AT = ("--start", "2026-11-02", "--trials", "200", *BOOK)

COMMANDS: dict[str, tuple[str | Path, ...]] = {
    "run": ("run", "fleet.yaml", *AT),
    "run-c-suite": ("run", EXAMPLES / "c-suite" / "architecture.yaml", *AT),
    "run-details": ("run", EXAMPLES / "c-suite" / "policies.yaml", *AT, "--details"),
    "run-sessions": ("run", EXAMPLES / "agent-fleet" / "architecture.yaml", "--days", "7", *AT),
    "run-subscriptions": ("run", "seated.yaml", *AT),
    "run-moves": ("run", "fleet.yaml", *AT, "--moves"),
    "run-unpriced": ("run", "unpriced.yaml", *AT, "--baseline", "opus"),
    "check": ("check", "fleet.yaml", "--today", "2026-11-02", "--trials", "200", *BOOK),
    "check-usage": ("check", "fleet.yaml", "--usage", "--today", "2026-10-20", "--trials", "200", *BOOK),
    "diff": ("diff", "fleet.yaml", "other.yaml", *AT),
    "spend": ("spend",),
    "spend-by-day-and-model": ("spend", "--by", "day,model"),
    "spend-by-owners": ("spend", "--by", "session,user,project,branch", "--top", "3"),
    "spend-by-class-and-model": ("spend", "--by", "class,model"),
    "spend-per-session": ("spend", "--per", "session"),
    "spend-per-pull-request": ("spend", "--per", "merged.csv"),
    "reconcile": ("reconcile", "--db", "witnessed.duckdb", "--by", "day,model"),
    "profile": ("profile",),
    "report": ("report", *REVIEW, "--format", "table"),
    "decide-list": ("decide", "--list", *REVIEW),
    "outcomes": ("outcomes",),
    "outcomes-from-usage": ("outcomes", "--from-usage"),
    "recommend": ("recommend", "fleet.yaml", *BOOK),
    "recommend-for-a-budget": ("recommend", "fleet.yaml", "--budget", "100", *BOOK),
    "replay": ("replay", "--model", "anthropic/claude-haiku-4-5", *BOOK),
    "evaluate": ("evaluate",),
    "prices-list": ("prices", "list", *BOOK),
    "prices-show": ("prices", "show", "anthropic/claude-opus-4-6", *BOOK),
    "prices-diff": ("prices", "diff", "article-2026", "overlay.yaml", "--model", "anthropic/claude-opus-4-6"),
}
LINES = {
    "init", "demo", "load", "export", "rollup", "chart", "route", "lint", "schema", "store",
}  # fmt: skip
"""Commands that print lines of their own length: paths, findings as compilers print them, code."""

FLEET = """
name: fleet
components:
  - {name: infrastructure-monitor, agent: platform-operations, task: infrastructure_monitoring,
     runs_per_day: %s, tokens: {input: 20000, output: 500}}
  - {name: weekly-market-research-brief, agent: market-intelligence, task: research_synthesis,
     runs_per_day: 4, tokens: {input: 90000, output: 6000}}
model_routing:
  infrastructure_monitoring: anthropic/claude-haiku-4-5
  research_synthesis: anthropic/claude-sonnet-4-6
  fallback: anthropic/claude-sonnet-4-6
plans:
  opus: {model: anthropic/claude-opus-4-6}
  haiku: {model: anthropic/claude-haiku-4-5}
  kimi: {model: kimi-coding/kimi-for-coding}
budgets:
  - {name: fleet-month, usd: 100}
  - {name: market-intelligence-month, usd: 30, scope: {agent: market-intelligence}}
"""
GUARD = """components:
  - {name: guardrail-of-every-answer, model: in-house/llama-guard-3-8b-instruct, runs_per_day: 1440,
     tokens: {input: 800, output: 9}}"""
LOG = """when,model,component,agent,task,user,session,project,branch,input,cached,output,status
2026-09-03T08:00:00Z,anthropic/claude-sonnet-4-6,weekly-market-research-brief,market-intelligence,research_synthesis,ana.lima@example.com,5f0e9a3c-1b2d-4c3e-9f00-00000000000a,market-intelligence-portal,main,80000,40000,5000,ok
2026-09-12T09:00:00Z,anthropic/claude-haiku-4-5,infrastructure-monitor,platform-operations,infrastructure_monitoring,ci,5f0e9a3c-1b2d-4c3e-9f00-00000000000b,platform,feature/one-heartbeat-for-all-regions,20000,0,500,ok
2026-10-01T08:00:00Z,anthropic/claude-sonnet-4-6,weekly-market-research-brief,market-intelligence,research_synthesis,ana.lima@example.com,5f0e9a3c-1b2d-4c3e-9f00-000000000001,market-intelligence-portal,main,90000,40000,6000,ok
2026-10-01T09:00:00Z,anthropic/claude-haiku-4-5,infrastructure-monitor,platform-operations,infrastructure_monitoring,ci,5f0e9a3c-1b2d-4c3e-9f00-000000000002,platform,feature/one-heartbeat-for-all-regions,20000,0,500,ok
2026-10-02T09:00:00Z,anthropic/claude-haiku-4-5,infrastructure-monitor,platform-operations,infrastructure_monitoring,ci,5f0e9a3c-1b2d-4c3e-9f00-000000000003,platform,feature/one-heartbeat-for-all-regions,20000,0,500,error
2026-10-02T10:00:00Z,anthropic/claude-opus-4-6,infrastructure-monitor,platform-operations,infrastructure_monitoring,ci,5f0e9a3c-1b2d-4c3e-9f00-000000000003,platform,main,121000,0,700,ok
2026-10-02T11:00:00Z,anthropic/claude-opus-4-6,infrastructure-monitor,platform-operations,infrastructure_monitoring,bo,5f0e9a3c-1b2d-4c3e-9f00-000000000004,platform,main,131000,0,900,ok
"""
COLUMNS = ("model", "component", "agent", "task", "user", "session", "project", "branch", "input", "output", "status")
MAP = "ts=when,cache_read=cached," + ",".join(f"{name}={name}" for name in COLUMNS)
OUTCOMES = [
    (month, "infrastructure_monitoring", f"anthropic/claude-{model}", runs, solved)
    for month, model, runs, solved in (
        ("2026-09", "haiku-4-5", 60, 60), ("2026-10", "haiku-4-5", 300, 298), ("2026-10", "opus-4-6", 120, 120),
    )
]  # fmt: skip
MERGED = "branch,pull_request,story_points\nmain,1,3\nfeature/one-heartbeat-for-all-regions,2,5\n"
OVERLAY = """
book: overlay
source: a contract
models:
  - {model: anthropic/claude-haiku-4-5, usd_per_mtok: {input: 1, output: 5}}
  - {model: in-house/llama-guard-3-8b-instruct, usd_per_mtok: {input: 0.13, output: 0.13}}
"""
SEATS = """
book: seats
source: a contract
subscriptions:
  - {name: coding-plan, models: [anthropic/claude-haiku-4-5], usd_per_month: 5, seats: 2, included: {credits: 1000},
     overage: {usd_per_credit: 0.012}}
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with architectures and stores, made once."""
    folder = tmp_path_factory.mktemp("workspace")
    texts = {
        "fleet.yaml": FLEET % 48, "other.yaml": FLEET % 24, "seats.yaml": SEATS, "seated.yaml": "prices: seats.yaml" + FLEET % 48, "unpriced.yaml": (FLEET % 48).replace("components:", GUARD),
        "log.csv": LOG, "merged.csv": MERGED, "overlay.yaml": OVERLAY,
        "outcomes.csv": "\n".join(["ts,task,model,success", *(
            f"{month}-05,{task},{model},{'true' if n < solved else 'false'}"
            for month, task, model, runs, solved in OUTCOMES for n in range(runs)
        ), ""]),
    }  # fmt: skip
    for name, text in texts.items():
        (folder / name).write_text(text)
    with open_store(folder / "costsim.duckdb") as store:
        store.load([folder / "log.csv"], mapping=parse_mapping(MAP))
    with open_tables(folder / "costsim.duckdb") as tables:
        load_outcomes(tables, folder / "outcomes.csv")
    with open_store(folder / "witnessed.duckdb") as store:
        store.load(written(folder, log=claude_log(truth()[1:]), page=usage_page(truth())))
    return folder


@pytest.fixture
def printed(costsim: Run, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[int, list[str]]]:
    """What a command prints at each width: its result is computed once, and goes to every console in turn."""
    monkeypatch.chdir(workspace)
    emit = output.emit

    def emit_at_every_width(result: Any, out: Path | None) -> None:
        for width in WIDTHS:
            monkeypatch.setenv("COLUMNS", str(width))
            print(f"== {width} columns")
            emit(result, out)

    for name in {*MODULES.values(), *FAMILIES.values()}:
        module = import_module(f"costsim.cli.{name}")
        if hasattr(module, "emit"):
            monkeypatch.setattr(module, "emit", emit_at_every_width)

    def run(*arguments: str | Path) -> dict[int, list[str]]:
        outcome = costsim(*arguments)
        parts = outcome.out.split("== ")[1:]
        assert len(parts) == len(WIDTHS), outcome.err
        return {width: part.rstrip("\n").split("\n")[1:] for width, part in zip(WIDTHS, parts, strict=True)}

    return run


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_at_every_width_the_keys_are_whole(printed: Callable[..., dict[int, list[str]]], name: str) -> None:
    shown = printed(*COMMANDS[name])
    for width, lines in shown.items():
        assert max(map(len, lines)) <= width
    blocks = ["\n".join([f"== {width} columns", *map(str.rstrip, lines)]) + "\n" for width, lines in shown.items()]
    golden, text = GOLDEN / f"{name}.txt", re.sub(r"(?<=rices )[0-9a-f]{12}", "0" * 12, "".join(blocks))
    if os.environ.get("COSTSIM_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()


def test_every_command_that_prints_a_table_is_here() -> None:
    assert {command[0] for command in COMMANDS.values()} | LINES == {*MODULES, *FAMILIES}
