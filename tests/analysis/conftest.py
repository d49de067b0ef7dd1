"""Architectures from plain data: written to a file, read as costsim reads it, projected."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from costsim.analysis.architecture.load import read_architecture
from costsim.analysis.architecture.model import Architecture
from costsim.analysis.projection import Projection
from costsim.analysis.simulation.run import project
from costsim.analysis.simulation.settings import Settings
from costsim.pricing.book import PriceBook, open_book

START = date(2026, 6, 1)  # a Monday; 30 days without a change of clocks


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Write an architecture (data, or text) to a folder of its own; `beside` are further files in it."""
    folder, number = tmp_path_factory.mktemp("architectures"), count()

    def write(content: Any, beside: dict[str, Any] | None = None, name: str = "architecture.yaml") -> Path:
        own = folder / str(next(number))
        own.mkdir()
        for file, text in {**(beside or {}), name: content}.items():
            (own / file).parent.mkdir(parents=True, exist_ok=True)
            (own / file).write_text(text if isinstance(text, str) else json.dumps(text, default=str))
        return own / name

    return write


@pytest.fixture(scope="session")
def read(written: Callable[..., Path]) -> Callable[..., Architecture]:
    """Read an architecture given as data or text."""
    return lambda *given, **more: read_architecture(written(*given, **more))


@pytest.fixture(scope="session")
def projected(read: Callable[..., Architecture]) -> Callable[..., Projection]:
    """Project an architecture given as data or text: 30 days of June 2026, 2,000 trials, unless stated otherwise."""

    def run(content: Any, beside: dict[str, Any] | None = None, **settings: Any) -> Projection:
        return project(read(content, beside), Settings(**{"start": START, "trials": 2000, **settings}))

    return run


@pytest.fixture(scope="session")
def book() -> PriceBook:
    """The price list of today, without files of a user."""
    return open_book()
