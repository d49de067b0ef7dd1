"""What people see at 60 to 160 columns: no line wider than the terminal, every key whole, as the golden files show.

COSTSIM_GOLDEN=1 writes the files anew: read the diff.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import costsim as costsim_package
import pytest
from costsim import open_store
from costsim.usage.readers.mapped import parse_mapping

if TYPE_CHECKING:
    from conftest import Run

GOLDEN = Path(__file__).parents[1] / "golden" / "terminal"
EXAMPLE = Path(costsim_package.__file__).parent / "examples" / "c-suite" / "architecture.yaml"
WIDTHS = (60, 80, 100, 120, 160)
AT = ("--start", "2026-11-02", "--trials", "200", "--book", "article-2026")

COMMANDS = {
    "run": ("run", "fleet.yaml", *AT),
    "run-c-suite": ("run", EXAMPLE, *AT),
    "spend": ("spend",),
    "spend-by-day-and-model": ("spend", "--by", "day,model"),
    "prices-list": ("prices", "list", "--book", "article-2026"),
    "prices-show": ("prices", "show", "anthropic/claude-opus-4-6", "--book", "article-2026"),
    "replay": ("replay", "--model", "anthropic/claude-haiku-4-5", "--book", "article-2026"),
    "check": ("check", "fleet.yaml", "--today", "2026-11-02", "--trials", "200", "--book", "article-2026"),
    "diff": ("diff", "fleet.yaml", "other.yaml", *AT),
    "outcomes": ("outcomes", "--from-usage"),
}
FLEET = """
name: fleet
components:
  - {name: infrastructure-monitor, model: anthropic/claude-haiku-4-5, runs_per_day: %s, tokens: {input: 20000, output: 500}}
  - {name: weekly-market-research-brief, model: anthropic/claude-sonnet-4-6, runs_per_day: 4, tokens: {input: 90000, output: 6000}}
plans:
  opus: {model: anthropic/claude-opus-4-6}
  haiku: {model: anthropic/claude-haiku-4-5}
  kimi: {model: kimi-coding/kimi-for-coding}
budgets:
  - {name: fleet-month, usd: 100}
"""
LOG = """when,model,component,task,input,cached,output,status
2026-10-01T08:00:00Z,anthropic/claude-sonnet-4-6,weekly-market-research-brief,research,90000,40000,6000,ok
2026-10-01T09:00:00Z,anthropic/claude-haiku-4-5,infrastructure-monitor,monitoring,20000,0,500,ok
2026-10-02T09:00:00Z,anthropic/claude-haiku-4-5,infrastructure-monitor,monitoring,20000,0,500,error
2026-10-02T10:00:00Z,anthropic/claude-opus-4-6,infrastructure-monitor,monitoring,21000,0,700,ok
"""
MAP = "ts=when,model=model,component=component,task=task,input=input,cache_read=cached,output=output,status=status"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of the log, made once."""
    folder = tmp_path_factory.mktemp("loaded")
    (folder / "log.csv").write_text(LOG)
    with open_store(folder / "costsim.duckdb") as store:
        store.load([folder / "log.csv"], mapping=parse_mapping(MAP))
    return folder / "costsim.duckdb"


@pytest.fixture
def fleet(loaded: Path, tmp_path: Path) -> Path:
    (tmp_path / "fleet.yaml").write_text(FLEET % 48)
    (tmp_path / "other.yaml").write_text(FLEET % 24)
    shutil.copy(loaded, tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", COMMANDS)
def test_at_every_width_the_keys_are_whole(
    costsim: Run, fleet: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = []
    for width in WIDTHS:
        monkeypatch.setenv("COLUMNS", str(width))
        outcome = costsim(*COMMANDS[name])
        assert outcome.code in (0, 1), outcome.err
        lines = outcome.out.rstrip("\n").split("\n")
        assert max(map(len, lines)) <= width
        shown.append("\n".join([f"== {width} columns", *(line.rstrip() for line in lines)]) + "\n")
    golden, text = GOLDEN / f"{name}.txt", "".join(shown)
    if os.environ.get("COSTSIM_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()
