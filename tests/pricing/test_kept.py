"""What the price list answers is kept between runs: the same answers, and never those of another version."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from costsim.pricing import kept as module
from costsim.pricing.book import open_book
from costsim.pricing.kept import kept
from costsim.pricing.rows import as_texts, from_texts


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache folder of its own."""
    monkeypatch.setenv("COSTSIM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "_NEW", {})
    module._opened.cache_clear()
    yield tmp_path / "cache"
    module._opened.cache_clear()


def asked(computed: list[str]) -> str:
    """An answer that notes how often it was computed."""

    def compute() -> str:
        computed.append("computed")
        return "answer"

    return kept("test", ("a", None), compute, str, str)


def end() -> None:
    """As when the process ends and another begins."""
    connection = module._opened()
    if connection:
        module._keep(connection)
    module._opened.cache_clear()


def test_an_answer_is_computed_once_and_read_by_the_next_run(folder: Path) -> None:
    computed: list[str] = []
    assert asked(computed) == "answer"
    end()
    assert asked(computed) == "answer"
    assert computed == ["computed"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700  # nobody else's business


def test_another_version_of_the_list_reads_none_of_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[str] = []
    asked(computed)
    end()
    monkeypatch.setattr(module, "_stamp", lambda: "another")
    asked(computed)
    assert len(computed) == 2
    assert len(list(folder.iterdir())) == 2


def test_a_damaged_file_is_no_fault(folder: Path) -> None:
    asked([])
    end()
    (file,) = folder.iterdir()
    file.write_bytes(b"no database at all" * 100)
    computed: list[str] = []
    assert asked(computed) == "answer"
    assert computed == ["computed"]


def test_nothing_is_kept_where_the_folder_cannot_be_made_or_none_is_wanted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for given in (str(Path(os.devnull) / "cache"), ""):
        monkeypatch.setenv("COSTSIM_CACHE", given)
        module._opened.cache_clear()
        assert asked([]) == "answer"
        end()
    assert not folder.exists()


def test_names_without_end_take_no_more_than_so_much_room(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    for first in (0, 2, 10):  # the first run keeps 0 and 1, the second 2 of its 2 to 6, the third nothing
        for name in range(first, first + (2 if not first else 5)):
            assert kept("test", (str(name),), lambda name=name: str(name), str, str) == str(name)  # type: ignore[misc]
        assert len(module._NEW) <= 3
        end()
    connection = module._opened()
    assert connection
    assert connection.execute("SELECT asked FROM answer ORDER BY asked").fetchall() == [
        ('["0"]',),
        ('["1"]',),
        ('["2"]',),
    ]


def test_rows_come_back_as_they_were() -> None:
    book = open_book()  # dated prices, daily hours, tiers, and levels
    for name in ("claude-opus-4-6", "gpt-4o", "gemini-2.5-pro", "deepseek-chat", "gpt-5-mini", "grok-4"):
        key = book.resolve(name)
        assert key
        assert from_texts(as_texts(book.rows(key))) == book.rows(key)


@pytest.mark.slow
def test_the_list_is_not_loaded_again_for_what_was_asked_before(tmp_path: Path) -> None:
    program = (
        "import sys; from costsim.pricing.book import open_book; book = open_book(); "
        "print(len(book.rows(book.resolve('claude-opus-4-6'))), book.hash[:8], 'genai_prices' in sys.modules)"
    )
    environment = {**os.environ, "COSTSIM_CACHE": str(tmp_path)}
    first, second = (
        subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
        for _ in range(2)
    )
    assert first.stdout.split()[:2] == second.stdout.split()[:2]
    assert [first.stdout.split()[2], second.stdout.split()[2]] == ["True", "False"]
