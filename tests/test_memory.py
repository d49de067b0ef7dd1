"""DuckDB ends the process where it may address too little memory (`ulimit -v`): costsim looks at that before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from costsim.errors import CostsimError
from costsim.memory import MEBIBYTE, check_address_space
from costsim.usage.store import open_store
from costsim.usage.store_faults import said

if TYPE_CHECKING:
    from pathlib import Path

resource = pytest.importorskip("resource", reason="Windows has no such limits")


@pytest.mark.parametrize("mebibytes", [100, 600, 768])
def test_a_store_says_what_it_needs_before_the_engine_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mebibytes: int
) -> None:
    """768 MiB, and 32 more for each of two threads."""
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (mebibytes * MEBIBYTE, -1))
    needs = f"a store needs 832 MiB of address space, and ulimit -v allows {mebibytes}; raise it: ulimit -v 851968"
    with pytest.raises(CostsimError, match=needs), open_store(tmp_path / "costsim.duckdb"):
        pass
    assert not list(tmp_path.iterdir())


def test_where_memory_lacks_the_limit_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import duckdb

    error = duckdb.OutOfMemoryException("Out of Memory Error: x")
    assert "ulimit" not in said(error)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (2**31, -1))
    assert said(error).endswith("; ulimit -v bounds the memory: raise it")


def test_any_command_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    check_address_space()
    monkeypatch.setattr(resource, "getrlimit", lambda _: (100 * MEBIBYTE, -1))
    with pytest.raises(CostsimError, match="costsim needs 192 MiB of address space, and ulimit -v allows 100"):
        check_address_space()
