"""The list book, and a way to write a price book in a line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from costsim.pricing.book import PriceBook, open_book

WriteBook = Callable[..., Path]


@pytest.fixture(scope="session")
def list_book() -> PriceBook:
    return open_book()


@pytest.fixture
def write_book(tmp_path: Path) -> WriteBook:
    """`write_book("models: [...]")` writes an overlay file, with the head that every book needs."""

    def write(text: str, name: str = "prices.yaml") -> Path:
        file = tmp_path / name
        file.write_text(f"book: {file.stem}\nsource: our contract\n{text}", "utf-8")
        return file

    return write
