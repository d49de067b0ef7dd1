"""docs/formats.md says of every format what its reader declares, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from costsim.usage.formats_page import page
from costsim.usage.reader import Reader
from costsim.usage.readers import READERS

PAGE = Path(__file__).parents[2] / "docs" / "formats.md"


def test_the_page_is_up_to_date() -> None:
    """COSTSIM_GOLDEN=1 writes it anew."""
    if os.environ.get("COSTSIM_GOLDEN"):
        PAGE.write_text(page())
    assert PAGE.read_text() == page()


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_every_reader_declares_what_the_page_needs(reader: Reader) -> None:
    assert reader.doc.startswith("https://")
    assert reader.kept_at
    assert reader.unique_by
    assert reader.counted
    assert reader.sample.startswith(("real: ", "made: "))
