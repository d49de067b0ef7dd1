"""Files of a Delta or Iceberg table are not summed as they lie: the table may have replaced or deleted them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from costsim.errors import UsageLogError
from costsim.usage.engines.named import engine_of
from costsim.usage.load import load
from costsim.usage.parquet import open_calls
from costsim.usage.readers.mapped import parse_mapping
from costsim.usage.store import open_store

CALLS = "SELECT TIMESTAMP '2026-10-05' AS ts, 'claude-haiku-4-5' AS model, {} AS input"
MAPPING = parse_mapping("ts=ts,model=model,input=input")


def write(file: Path, tokens: int = 1000) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    duckdb.connect().execute(f"COPY ({CALLS.format(tokens)}) TO '{file}' (FORMAT parquet)")
    return file


def load_mapped(path: str) -> None:
    with open_store(Path(":memory:")) as store:
        load(store, [path], mapping=MAPPING)


READS: dict[str, Callable[[str], object]] = {
    "rollup": lambda path: engine_of("local", path),
    "--events": lambda path: open_calls([path]).__enter__(),
    "load": load_mapped,
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
@pytest.mark.parametrize(
    ("log", "file", "kind"),
    [
        ("_delta_log/00000000000000000000.json", "day=2026-10-05/part-0.parquet", "Delta"),
        ("metadata/00001-ab.metadata.json", "data/day=2026-10-05/part-0.parquet", "Iceberg"),
    ],
    ids=["Delta", "Iceberg"],
)
def test_files_of_a_table_are_refused(
    tmp_path: Path, read: Callable[[str], object], log: str, file: str, kind: str
) -> None:
    written = write(tmp_path / "lake" / "calls" / file)
    (tmp_path / "lake" / "calls" / log).parent.mkdir()
    (tmp_path / "lake" / "calls" / log).write_text("{}")
    for named in (tmp_path / "lake", tmp_path / "lake" / "calls", written):
        with pytest.raises(UsageLogError, match=f"a table of {kind}, .* costsim rollup {kind.lower()}:FOLDER"):
            read(str(named))


def test_files_beside_a_table_are_read(tmp_path: Path) -> None:
    (tmp_path / "calls" / "_delta_log").mkdir(parents=True)
    (tmp_path / "calls" / "_delta_log" / "0.json").write_text("{}")
    engine = engine_of("local", str(write(tmp_path / "others" / "part-0.parquet")))
    assert list(engine.columns()) == ["ts", "model", "input"]


def test_a_file_with_the_signs_of_a_glob_in_its_name_is_that_file(tmp_path: Path) -> None:
    write(tmp_path / "calls1.parquet", 5000)
    name = str(write(tmp_path / "calls[1].parquet", 1000))
    from costsim.usage.engines.local import Local

    engine = engine_of("local", name)
    assert isinstance(engine, Local)
    assert engine.connection.execute("SELECT input FROM costsim_source").fetchall() == [(1000,)]
    with open_calls([name]) as calls:
        assert calls.connection.execute("SELECT input FROM usage_event").fetchall() == [(1000,)]
