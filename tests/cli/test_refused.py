"""What is named is read, or refused in one line: a file, a store or a choice that a command passes over helps nobody."""

from __future__ import annotations

import shutil
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
import typer
from costsim.cli.app import app
from costsim.cli.arguments import EXAMPLES
from costsim.cli.chart import ChartOptions
from costsim.cli.check import CheckOptions
from costsim.cli.decide import DecideOptions
from costsim.cli.plan_options import RunOptions
from costsim.cli.refused import refusals_of
from costsim.cli.review import ReportOptions
from costsim.cli.rollup import RollupOptions
from costsim.cli.spend import SpendOptions

if TYPE_CHECKING:
    from conftest import Run

NONE = "nowhere.yaml"
DATA = Path(__file__).parents[1] / "data" / "usage"

IGNORED: list[tuple[str, list[str]]] = [
    ("--db", ["check", "a.yaml", "--db", NONE]),
    ("--db", ["check", "a.yaml", "--db", "costsim.duckdb"]),  # the default, and named all the same
    ("--max-rejected", ["check", "a.yaml", "--max-rejected", "0"]),
    ("--dry-run", ["check", "a.yaml", "--dry-run"]),
    ("--notify-format", ["check", "a.yaml", "--notify-format", "json"]),
    ("--map", ["load", "--map", NONE]),
    ("--log-format", ["load", "--log-format", "nothing"]),
    ("--role", ["load", "--role", "bill"]),
    ("--strict", ["load", "--strict"]),
    ("--costs", ["spend", "--per", "session", "--costs", "recorded"]),
    ("--rates", ["spend", "--per", "session", "--currency", "EUR", "--rates", NONE]),
    ("--by", ["spend", "--per", "session", "--by", "model"]),
    ("--costs", ["spend", "--costs", "recorded", "--format", "csv"]),
    ("--costs", ["spend", "--costs", "computed", "--out", "x.json"]),
    ("--db", ["spend", "--events", NONE, "--db", NONE]),
    ("--prices", ["report", "--index", ".", "--prices", NONE]),
    ("--month", ["report", "--index", ".", "--month", "2026-10"]),
    ("--out", ["report", "--index", ".", "--out", "x.html"]),
    ("--config", ["chart", "plans", "a.yaml", "--config", NONE]),
    ("--decisions", ["chart", "plans", "a.yaml", "--decisions", NONE]),
    ("--db", ["chart", "plans", "a.yaml", "--db", NONE]),
    ("--month", ["chart", "days", "a.yaml", "--month", "2026-10"]),
    ("--architecture", ["chart", "plans", "a.yaml", "--architecture", NONE]),
    ("--days", ["chart", "days", "--month", "2026-10", "--days", "5"]),
    ("--start", ["chart", "bridge", "--start", "2026-10-05"]),
    ("--baseline", ["chart", "bridge", "--baseline", "nobody"]),
    ("--theme", ["chart", "--theme", "dark"]),
    ("--config", ["lint", "a.yaml", "--config", NONE]),
    ("--exclude", ["lint", "a.yaml", "--exclude", "x"]),
    ("--prices", ["lint", "a.yaml", "--prices", NONE]),
    ("--config", ["lint", "--config", NONE]),
    ("--architecture", ["replay", "--model", "openai/gpt-4o", "--architecture", NONE]),
    ("--min-success", ["outcomes", "--from-usage", "--min-success", "0.5"]),
    ("--file", ["diff", "a.yaml", "a.yaml", "--file", NONE]),
    ("--who", ["decide", "--list", "--who", "Ana"]),
    ("--note", ["decide", "--list", "--note", "why"]),
    ("--date", ["decide", "--list", "--date", "2026-10-05"]),
    ("--out", ["decide", "move-1", "--accept", "--out", "x.json"]),
    ("--engine", ["rollup", "calls", "--print-sql", "--engine", "nonsense://x"]),
    ("--dialect", ["rollup", "calls", "--dialect", "bigquery"]),
    ("--save", ["run", "a.yaml", "--save", "x.yaml"]),
    ("--month", ["run", "a.yaml", "--month", "2026-10"]),
    ("--report", ["run", "a.yaml", "--moves", "--report", "x.html"]),
    ("--details", ["run", "a.yaml", "--moves", "--details"]),
]


def starter(folder: Path) -> None:
    """An architecture, a.yaml, in a folder without a store."""
    for name in ("architecture.yaml", "prices.yaml"):
        shutil.copy(EXAMPLES / "starter" / name, folder / name.replace("architecture", "a"))


@pytest.mark.parametrize(("option", "words"), IGNORED, ids=[" ".join(words) for _, words in IGNORED])
def test_what_would_be_ignored_is_refused_in_one_line(
    costsim: Run, tmp_path: Path, option: str, words: list[str]
) -> None:
    starter(tmp_path)
    before = {*tmp_path.iterdir()}
    outcome = costsim(*words)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert option in outcome.err.partition(": ")[2]
    assert {*tmp_path.iterdir()} == before  # nothing is made


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["load", "--attribution", NONE], f"{NONE}: there is no such file"),
        (["load", "--acknowledge", "usage.seconds"], "there is no store here"),
        (["load", "--role", "litellm=bill", "--db", "x.duckdb"], "x.duckdb: there is no store here"),
        (["decide", "--list", "--db", "x.duckdb"], "x.duckdb: there is no store here"),
        (["decide", "--list", "--decisions", NONE], f"{NONE}: there is no such file"),
    ],
)
def test_a_file_or_store_that_is_named_and_not_there_is_one_line(costsim: Run, words: list[str], line: str) -> None:
    outcome = costsim(*words)
    assert (outcome.code, outcome.out) == (2, "")
    assert line in outcome.err


@pytest.mark.slow
def test_rules_and_acknowledged_fields_count_for_what_was_loaded_before(costsim: Run, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text('attribution: [{match: {model: "*"}, component: big}]')
    call = (DATA / "litellm" / "spend_logs.jsonl").read_text().splitlines()[0]
    assert call[-1] == "}"
    (tmp_path / "a.jsonl").write_text(f'{call[:-1]}, "my_new_tokens": 5}}\n')
    assert "my_new_tokens" in costsim("load", "a.jsonl").out
    assert "my_new_tokens" not in costsim("load", "--acknowledge", "my_new_tokens").out
    assert "1 call attributed by the rules" in costsim("load", "--attribution", "rules.yaml").out
    assert costsim("spend", "--by", "component", "--format", "csv").out.splitlines()[1].startswith("big,")
    assert "my_new_tokens" not in costsim("spend").out


def test_the_words_that_load_proposes_name_the_store_that_was_named(
    costsim: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / ".claude" / "projects" / "x"
    folder.mkdir(parents=True)
    shutil.copy(sorted((DATA / "claude-code").glob("p*.jsonl"))[0], folder)
    assert "costsim load --all --db 'my store.duckdb'" in costsim("load", "--db", "my store.duckdb").out


MODES: list[tuple[Any, list[str]]] = [
    (CheckOptions, ["check", "a.yaml"]),
    (CheckOptions, ["check", "a.yaml", "--usage"]),
    (RunOptions, ["run", "a.yaml", "--trials", "100"]),
    (RunOptions, ["run", "a.yaml", "--moves"]),
    (RunOptions, ["run", "--from-usage"]),
    (ChartOptions, ["chart"]),
    (ChartOptions, ["chart", "plans", "a.yaml"]),
    (ChartOptions, ["chart", "bridge"]),
    (DecideOptions, ["decide", "--list"]),
    (DecideOptions, ["decide", "none-1", "--accept"]),
    (ReportOptions, ["report", "--index", "."]),
    (ReportOptions, ["report", "--format", "json"]),
    (RollupOptions, ["rollup", "calls", "--print-sql"]),
    (RollupOptions, ["rollup", "costsim.duckdb", "--out", "r.parquet"]),
    (SpendOptions, ["spend"]),
    (SpendOptions, ["spend", "--per", "session"]),
    (SpendOptions, ["spend", "--events", "calls.parquet"]),
]
ASKED_ELSEWHERE = {"index", "print_sql", "events", "moves", "from_usage", "accept", "id", "plan"}
"""What makes a mode: the others look no further once it is not asked for."""
ONLY_BY_NAME = {
    # what a mode reads only where something else is given too, which is not in these words
    "check a.yaml": {"notify_format", "dry_run"},
    "check a.yaml --usage": {"notify_format", "dry_run"},
}


@cache
def command_of(name: str) -> Any:
    return typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.parametrize(("options", "words"), MODES, ids=[" ".join(words) for _, words in MODES])
def test_every_option_of_a_mode_is_read_or_refused(
    sessions: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: Any, words: list[str]
) -> None:
    """Which fields of its options a command looks at is noted; of the others, each has a case that refuses it."""
    starter(tmp_path)
    rows = "SELECT TIMESTAMP '2026-10-05' AS ts, 'openai/gpt-4o' AS model, 1000 AS input"
    duckdb.execute(f"COPY ({rows}) TO '{tmp_path / 'calls.parquet'}'")
    known = {field.name for field in fields(options)}
    asked: dict[str, Any] = {}
    read: set[str] = set()
    made, plain = options.__init__, options.__getattribute__

    class Noted(dict[str, Any]):
        def __getitem__(self, name: str) -> Any:
            read.add(name)
            return super().__getitem__(name)

    def kept(self: Any, **given: Any) -> None:
        made(self, **given)
        asked.update(given)

    def noted(self: Any, name: str) -> Any:
        if name in known:
            read.add(name)
        return Noted(plain(self, name)) if name == "__dict__" else plain(self, name)

    monkeypatch.setattr(options, "__getattribute__", noted)
    monkeypatch.setattr(options, "__init__", kept)
    sessions(*words)
    assert asked
    refused = {
        name
        for case in refusals_of(command_of(words[0]).callback)
        for name in known
        if case.has(name) and case.case(asked)
    }
    passed_over = known - read - refused - ASKED_ELSEWHERE - ONLY_BY_NAME.get(" ".join(words), set())
    assert passed_over == set()
    assert read
