"""Every command and every snippet of the README and of docs/ does what it says."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from costsim import open_store
from costsim.usage.attribution import read_attribution

from documents import PAGES, TEXT, commands, write_files

if TYPE_CHECKING:
    from conftest import Run

COMMANDS = list(dict.fromkeys(command for page in PAGES if "cookbook" not in page for command in commands(PAGES[page])))
LOGGED = ("spend", "reconcile", "export", "replay", "report", "chart", "decide")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_files(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of the docs' logs, made once: the commands that need it work on a copy."""
    folder = tmp_path_factory.mktemp("loaded")
    write_files(folder)
    with open_store(folder / "costsim.duckdb") as store:
        store.load([folder / "logs"], attribution=read_attribution(folder / "attribution.yaml"))
    return folder / "costsim.duckdb"


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_runs(costsim: Run, folder: Path, loaded: Path, command: str) -> None:
    if command.split()[1] in LOGGED or "usage" in command:
        shutil.copy(loaded, folder)
    if "--index" in command:
        assert costsim("report", "--out", "demo/review.html").code == 2  # no half of it: there is no folder yet
        (folder / "demo").mkdir()
        assert costsim("report", "--out", "demo/review.html").code == 0
    if command.split()[1] == "recommend":
        assert costsim("outcomes", "outcomes.csv").code == 0
    program, *arguments = shlex.split(command, comments=True)
    assert program == "costsim"
    outcome = costsim(*arguments)
    assert outcome.code == 0, outcome.err
    assert outcome.out.strip()


def test_the_readme_is_short_and_links_to_every_page() -> None:
    readme = PAGES["README.md"]
    assert len(readme.splitlines()) < 150
    assert [page for page in PAGES if page not in ("README.md", "docs/index.md") and f"({page})" not in readme] == []


def test_the_overlay_of_the_docs_lies_on_the_list(costsim: Run, folder: Path) -> None:
    file = folder / "architecture.yaml"
    file.write_text("prices: prices.yaml\n" + file.read_text())
    assert "our-contract (contract 2026-03)" in costsim("run", "architecture.yaml", "--trials", "10").out


@pytest.mark.slow
def test_the_python_of_the_docs_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    [snippet] = re.findall(r"```python\n(.*?)```", PAGES["docs/python.md"], re.DOTALL)
    exec(compile(snippet, "python.md", "exec"), {})
    # 1,200 in, 30,000 cached, 400 out at $1, $0.10, $5 and 900 in, 700 out at $5, $25 per million: 0.0062 + 0.022
    assert re.fullmatch(r"\d+\.\d+ \d+\.\d+\n0\.0282 \(\)\n", capsys.readouterr().out)


def test_every_command_has_help_and_stands_in_the_docs(costsim: Run) -> None:
    from costsim.cli.app import app
    from costsim.cli.prices import prices_app
    from costsim.cli.store import store_app

    names = [command.callback.__name__ for command in app.registered_commands if command.callback]
    names += [f"prices {command.callback.__name__}" for command in prices_app.registered_commands if command.callback]
    names += [f"store {command.callback.__name__}" for command in store_app.registered_commands if command.callback]
    for name in names:
        assert f"costsim {name.rstrip('_')}" in TEXT, name
        assert len(costsim(*name.rstrip("_").split(), "--help").out) > 200
