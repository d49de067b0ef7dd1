"""Machines that are odd in what they allow, name or interrupt: a result, or one clear line; never a fault."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import Run
from costsim.cli import entry, screen

ODD = b"folder \xff\xfe"


@pytest.fixture
def odd_folder(tmp_path: Path) -> Iterator[Path]:
    """The working folder is one whose name is not UTF-8, where the file system takes such a name."""
    folder = Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), ODD)))
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this file system takes no such name")
    os.chdir(folder)
    yield folder
    os.chdir(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ["load", "calls.csv", "--map", "ts=ts,model=model,input=input"],
        ["spend"],
        ["report"],
        ["demo", "--out", "demo"],
        ["run", "--db", "plan.duckdb", "--trials", "10"],
        *(["store", what] for what in ("verify", "repair", "compact")),
    ],
    ids=" ".join,
)
def test_a_store_in_a_folder_that_is_no_utf8_is_refused_in_one_line(
    costsim: Run, odd_folder: Path, words: list[str]
) -> None:
    Path("calls.csv").write_text("ts,model,input\n2026-10-01T00:00:00Z,gpt-5,1\n")
    if words[0] not in ("load", "demo", "run"):
        Path("costsim.duckdb").write_bytes(b"")
    done = costsim(*words)
    assert (done.code, done.err.count("\n")) == (2, 1), done.err
    assert "is not UTF-8 text; name another file for the store" in done.err


@pytest.mark.slow
@pytest.mark.parametrize("words", [["spend", "--out", "x.parquet"], ["export", "--out", "x.csv"]], ids=" ".join)
def test_what_duckdb_writes_to_such_a_folder_is_refused_in_one_line(
    sessions: Run, odd_folder: Path, tmp_path: Path, words: list[str]
) -> None:
    done = sessions(*words, "--db", tmp_path / "costsim.duckdb")
    assert (done.code, done.err.count("\n")) == (2, 1), done.err
    assert "the name is not UTF-8 text, so no such file can be written there" in done.err
    assert list(odd_folder.iterdir()) == []


def test_what_needs_no_database_works_in_such_a_folder(costsim: Run, odd_folder: Path) -> None:
    assert costsim("route", "monitoring").code == 0


@pytest.mark.parametrize("db", [".", "/"])
@pytest.mark.parametrize("what", ["verify", "repair", "compact"])
def test_a_folder_is_no_store_to_look_after(costsim: Run, what: str, db: str) -> None:
    done = costsim("store", what, "--db", db)
    assert (done.code, done.err) == (2, f"costsim: {db}: this is a folder; name a file for the store\n")


@pytest.mark.parametrize(
    ("columns", "width"), [("0", 160), ("-5", 160), ("²", 160), ("x", 160), ("", 160), ("20", 20), ("0080", 80)]
)
def test_a_terminal_without_a_width_gets_one(monkeypatch: pytest.MonkeyPatch, columns: str, width: int) -> None:
    """A pseudo-terminal without a size has COLUMNS=0: nothing would be printed, with exit code 0."""
    monkeypatch.setenv("COLUMNS", columns)
    assert screen.console().width == width


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (RuntimeError("Query interrupted"), 130, ""),
        (OSError(errno.EMFILE, "Too many open files", "a.jsonl"), 2, "costsim: a.jsonl: Too many open files\n"),
        (
            FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']"),
            2,
            "costsim: no folder for temporary files can be written to; name one: TMPDIR=FOLDER\n",
        ),
    ],
    ids=["ctrl-c in a query", "no file can be opened", "no temporary folder"],
)
def test_what_the_machine_does_is_no_fault(
    costsim: Run, monkeypatch: pytest.MonkeyPatch, error: Exception, code: int, line: str
) -> None:
    def ended() -> int:
        raise error

    monkeypatch.setattr(entry, "_ended", ended)
    done = costsim("run")
    assert (done.code, done.err) == (code, line)


def test_an_error_is_printed_where_no_module_can_be_opened_any_more(
    costsim: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoFiles:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "costsim.reports.escaping":
                raise OSError(errno.EMFILE, "Too many open files", "escaping.py")

    monkeypatch.delitem(sys.modules, "costsim.reports.escaping", raising=False)
    monkeypatch.setattr(sys, "meta_path", [NoFiles(), *sys.meta_path])
    done = costsim("route", "--config", "##[x].json")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "##[" not in done.err


def test_charts_without_the_texts_that_python_oo_leaves_out_are_one_line(
    costsim: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended() -> int:
        raise AttributeError("Found no doc for _MarkDef")

    monkeypatch.setattr(entry, "_ended", ended)
    monkeypatch.setattr(entry, "sys", SimpleNamespace(**{**vars(sys), "flags": SimpleNamespace(optimize=2)}))
    done = costsim("report")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "python -OO" in done.err


@pytest.mark.parametrize("option", [["--context-tokens", "5"], ["--config", "a.json"]], ids=" ".join)
def test_an_option_of_route_that_is_given_twice_is_refused(costsim: Run, option: list[str]) -> None:
    done = costsim("route", "monitoring", *option, *option)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert f"{option[0]} is given twice, and takes one value; give it once" in done.err


@pytest.mark.slow
def test_without_a_temporary_folder_a_load_says_so(costsim: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")

    Path("calls.csv").write_text("ts,model,input\n2026-10-01T00:00:00Z,gpt-5,1\n")
    monkeypatch.setattr(tempfile, "gettempdir", none)
    done = costsim("load", "calls.csv", "--map", "ts=ts,model=model,input=input")
    assert (done.code, done.err.count("\n")) == (2, 1), done.err
    assert "TMPDIR=FOLDER" in done.err
