"""Every line of a shell block in the README, docs/ and CONTRIBUTING.md runs here, or says why it cannot."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import costsim as costsim_package
import pictures
import pytest
from costsim import open_store

from documents import PAGES, ROOT, write_files

if TYPE_CHECKING:
    from conftest import Run

EXAMPLES = Path(costsim_package.__file__).parent / "examples"
TEXTS = {**PAGES, "CONTRIBUTING.md": (ROOT / "CONTRIBUTING.md").read_text("utf-8")}
NOT_RUN = {
    "python3 -m venv": "installs from a package index; .ci/run does so",
    "tests/run": "is the run of these tests",
    "COSTSIM_THOROUGH=1 tests/run": "is the run of these tests",
    ".ci/run": "runs these tests on the built wheel",
    "CLICKHOUSE_PASSWORD=": "needs a ClickHouse server; tests/usage/engines runs the client over chDB",
    "printf": "makes the file for spark-submit",
    "spark-submit": "needs Spark; was run by hand, see docs/scale.md",
    "costsim rollup lake/calls --engine spark": "needs Spark; tests/usage/engines runs it where it is installed",
    "bq query": "needs Google BigQuery",
    "costsim load rollup.json": "needs what BigQuery wrote; tests/usage/engines loads such a file",
    "PGPASSWORD=": "needs a Postgres server; tests/usage/test_postgres.py has one where it is installed",
}
BLOCKS = [
    pytest.param(block, id=f"{page}-{number}")
    for page, text in TEXTS.items()
    for number, block in enumerate(re.findall(r"```sh\n(.*?)```", text, re.DOTALL), 1)
]


def lines_of(block: str) -> list[str]:
    """The commands of a block, continued lines joined."""
    return [line for line in block.replace("\\\n", " ").splitlines() if line.strip()]


def prepared(folder: Path) -> None:
    """What the blocks speak of: the files of the docs, fleets with budgets, a store, a lake of its calls."""
    write_files(folder)
    shutil.copytree(EXAMPLES / "c-suite", folder, dirs_exist_ok=True)
    shutil.copy(folder / "architecture.yaml", folder / "fleet.yaml")
    shutil.copy(folder / "prices.yaml", folder / "negotiated.yaml")
    shutil.copy(EXAMPLES / "agent-fleet" / "architecture.yaml", folder)
    (folder / "budgets.yaml").write_text("budgets:\n  - {name: month, usd: 500}\n")
    (folder / "lake" / "calls").mkdir(parents=True)
    with open_store(folder / "costsim.duckdb") as store:
        store.load([folder / "logs", ROOT / "tests" / "data" / "sessions" / "claude-code.jsonl.gz"])
        store.connection.execute("COPY usage_event TO 'lake/calls/part.parquet' (FORMAT parquet)")


@pytest.mark.slow
@pytest.mark.parametrize("block", BLOCKS)
def test_every_line_of_a_shell_block_runs_or_says_why_not(costsim: Run, tmp_path: Path, block: str) -> None:
    lines = [line for line in lines_of(block) if not line.startswith(tuple(NOT_RUN))]
    if lines:
        prepared(tmp_path)
    for line in lines:
        program, command, *arguments = shlex.split(line, comments=True)
        assert program == "costsim"
        fewer = ["--trials", "20"] if command in ("run", "check") else []
        outcome = costsim(command, *arguments, *fewer)
        assert outcome.code == 0 or (command == "check" and outcome.code == 1), outcome.err  # 1: over a budget


def test_what_is_not_run_stands_in_the_docs() -> None:
    every = [line for text in TEXTS.values() for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
             for line in lines_of(block)]  # fmt: skip
    assert [start for start in NOT_RUN if not any(line.startswith(start) for line in every)] == []


def test_the_script_of_the_pictures_makes_those_that_the_pages_show(capsys: pytest.CaptureFixture[str]) -> None:
    assert pictures.main(["--dry"]) == 0
    made = re.findall(r"^docs/(\S+): costsim ", capsys.readouterr().out, re.MULTILINE)
    shown = set(re.findall(r"!\[[^\]]*\]\((?:docs/)?([^)]+\.png)\)", "\n".join(PAGES.values())))
    assert sorted(made) == sorted(shown) == sorted(path.name for path in (ROOT / "docs").glob("*.png"))
