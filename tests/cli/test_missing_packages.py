"""Where a package or a program is missing, a command says in one line what to install; it never fails as a bug."""

from __future__ import annotations

import importlib
import re
import shutil
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from costsim.cli.entry import EXTRAS

from documents import FILES

if TYPE_CHECKING:
    from conftest import Run

ROOT = Path(__file__).parents[2]
LAZY = ("altair", "jinja2", "pandas", "scipy", "vl_convert", "zstandard")
"""The packages that costsim imports only where it needs them: any of them may be found missing late."""

EVERY_COMMAND = """
init --out fleet
run architecture.yaml --trials 10
schema
check architecture.yaml --trials 10
diff architecture.yaml cheaper.yaml --trials 10
load logs
profile
spend
export --output focus.csv
report --format markdown
report --out review.html
chart
chart days
decide --list
demo --out demo
route code_generation
lint
outcomes outcomes.csv
recommend architecture.yaml
recommend architecture.yaml --budget 140
replay --model anthropic/claude-haiku-4-5
evaluate
prices list --model haiku
prices show claude-haiku-4-5
prices diff article-2026 list --model haiku
reconcile
rollup costsim.duckdb --out sums.parquet
store verify
store repair
store compact
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, "utf-8")
    return tmp_path


def hide(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    """Let imports of these packages fail, as where they are not installed."""
    for name in [*sys.modules]:
        if name.partition(".")[0] in packages:
            monkeypatch.delitem(sys.modules, name)
    for name in packages:
        monkeypatch.setitem(sys.modules, name, None)
    if "vl_convert" in packages:  # the process that draws has none either
        monkeypatch.setattr("costsim.reports.vega._artist", lambda: None)


@pytest.mark.slow
def test_every_command_runs_or_says_what_to_install(
    costsim: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide(monkeypatch, *LAZY)
    refused = []
    for command in EVERY_COMMAND.strip().splitlines():
        outcome = costsim(*command.split())
        assert outcome.code in (0, 2), (command, outcome.err)
        if outcome.code == 2:
            refused.append(command)
            assert re.fullmatch(r"costsim: .*: pip install \S+\n", outcome.err), (command, outcome.err)
    pages = ["report --out review.html", "chart days", "demo --out demo"]
    assert refused == pages


def test_every_command_is_asked(costsim: Run) -> None:
    from costsim.cli.app import app

    names = {command.callback.__name__ for command in app.registered_commands if command.callback}
    assert names | {"prices", "store"} == {command.split()[0] for command in EVERY_COMMAND.strip().splitlines()}


@pytest.mark.slow
def test_a_budget_too_hard_to_search_names_the_extra_with_scipy(
    costsim: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide(monkeypatch, "scipy")
    monkeypatch.setattr("costsim.analysis.recommend.allocation._search", lambda *_: (None, 0))
    costsim("outcomes", "outcomes.csv")
    outcome = costsim("recommend", "architecture.yaml", "--budget", "140")
    assert outcome.code == 2
    assert outcome.err == "costsim: this --budget needs SciPy: pip install 'costsim[recommend]'\n"


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        ("load postgresql://host/base", "postgres"),
        ("rollup table --engine postgresql://host/base --out sums.parquet", "postgres"),
        ("rollup table --engine clickhouse://host/base --out sums.parquet", "clickhouse"),
        ("rollup table --engine spark --out sums.parquet", "spark"),
    ],
)
def test_a_client_of_an_engine_is_installed_by_its_extra(
    costsim: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, words: str, extra: str
) -> None:
    hide(monkeypatch, *EXTRAS)
    outcome = costsim(*words.split())
    assert outcome.code == 2
    assert re.fullmatch(rf"costsim: .* needs .*: pip install 'costsim\[{extra}\]'\n", outcome.err), outcome.err


def test_a_package_of_an_extra_is_named_by_the_extra_wherever_it_is_missing(
    costsim: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the import, it is the extra that pins the version; each is one that pyproject.toml has."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for package, extra in EXTRAS.items():
        assert extras[extra][0].startswith(package.replace("_", "-"))
        hide(monkeypatch, package)
        monkeypatch.setattr(
            "costsim.usage.load.find_files", lambda *_, package=package: importlib.import_module(package)
        )
        outcome = costsim("load", "logs")
        assert outcome.code == 2
        assert outcome.err == f"costsim: {package} is not installed; install it: pip install 'costsim[{extra}]'\n"


@pytest.mark.parametrize("package", ["altair", "jinja2", "vl_convert"])
def test_a_report_without_a_package_names_it(
    costsim: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    hide(monkeypatch, package)
    outcome = costsim("run", "architecture.yaml", "--trials", "10", "--report", "plan.html")
    assert outcome.code == 2
    assert (
        outcome.err
        == f"costsim: {package} is not installed; install it: pip install {package.replace('vl_convert', 'vl-convert-python')}\n"
    )
    assert not (folder / "plan.html").exists()


def test_a_packed_log_without_zstandard_names_it(costsim: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import zstandard

    text = FILES["logs/session.jsonl"].encode()
    (folder / "session.jsonl.zst").write_bytes(zstandard.ZstdCompressor().compress(text))
    hide(monkeypatch, "zstandard")
    outcome = costsim("load", "session.jsonl.zst")
    assert outcome.code == 2
    assert outcome.err == "costsim: zstandard is not installed; install it: pip install zstandard\n"


@pytest.mark.slow
def test_a_pdf_without_a_browser_says_what_to_install(
    costsim: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, *_: None)
    costsim("load", "logs")
    outcome = costsim("report", "--out", "review.pdf")
    assert outcome.code == 2
    assert re.fullmatch(r"costsim: a PDF needs Chromium or Chrome.*install one .*\n", outcome.err)


def test_revisions_without_git_are_refused_in_one_line(
    costsim: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    outcome = costsim("diff", "main..HEAD")
    assert outcome.code == 2
    assert outcome.err == "costsim: git is not installed; name two files to compare\n"


def test_a_fault_of_our_own_is_still_reported_as_one(
    costsim: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "costsim.analysis.spend.spend", None)
    outcome = costsim("spend")
    assert outcome.code == 3
    assert "a fault in costsim itself" in outcome.err
