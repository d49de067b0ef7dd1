"""Zero bytes before lines: what a writer without O_APPEND leaves after copytruncate, or a power loss."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
from costsim.usage import zeros
from costsim.usage.load import load
from costsim.usage.readers.mapped import parse_mapping
from costsim.usage.zeros import HERE
from emptied import open_store

DATA = Path(__file__).parent.parent / "data" / "usage"
LINES = sorted(DATA.glob("*/*.jsonl"))
TEXTS = [file for file in sorted(DATA.glob("*/*")) if file.suffix in (".json", ".csv", ".prom")]
CALLS = "SELECT * EXCLUDE (file_id) FROM usage_event ORDER BY ALL"


def name_of(file: Path) -> str:
    return f"{file.parent.name}/{file.name}"


def loaded(file: Path, content: bytes) -> tuple[list[Any], list[Any]]:
    """The calls of a file with this content, and its rejects."""
    file.parent.mkdir(exist_ok=True, parents=True)
    file.write_bytes(content)
    os.utime(file, (1_790_000_000, 1_790_000_000))  # some logs have no other time
    with open_store(file.with_name(f"{abs(hash(content))}.duckdb")) as store:
        load(store, [file])
        rejects = store.execute("SELECT line, reason FROM reject ORDER BY ALL").fetchall()
        return store.execute(CALLS).fetchall(), rejects


@pytest.mark.slow
@pytest.mark.parametrize("log", [*LINES, *TEXTS], ids=name_of)
def test_zeros_before_a_log_of_any_format_and_before_its_lines_cost_no_call(tmp_path: Path, log: Path) -> None:
    """Before the log there are more than a file is looked at for its format at first: they are no news."""
    content = log.read_bytes()
    whole, rejects = loaded(tmp_path / log.name, content)
    lines = content.splitlines(keepends=True)
    found, named = loaded(tmp_path / log.name, bytes(300_000) + bytes(9).join(lines))
    assert found == whole
    assert named == sorted([*rejects, *[(2, HERE)][: len(lines) - 1]], key=lambda reject: (reject[0] or 1e9, reject[1]))


@pytest.mark.parametrize("name", ["helicone/requests.json", "cursor/usage-events.csv", "vertex/request-response.jsonl"])
def test_zeros_before_a_log_change_nothing_packed_or_not(tmp_path: Path, name: str) -> None:
    content = (DATA / name).read_bytes()
    whole = loaded(tmp_path / Path(name).name, content)
    assert loaded(tmp_path / Path(name).name, bytes(5000) + content) == whole
    assert len(loaded(tmp_path / f"{Path(name).name}.gz", gzip.compress(bytes(5000) + content))[0]) == len(whole[0])


MAPPING = parse_mapping("ts=ts,input=input,output=output,model=:gpt-4o")


def call(number: int) -> bytes:
    return json.dumps({"ts": "2026-10-05T10:00:00Z", "input": number, "output": 2}).encode() + b"\n"


def mapped(file: Path) -> tuple[list[int], list[tuple[int | None, str]]]:
    """The inputs of the calls of a file, and its rejects."""
    with open_store(file.with_name("costsim.duckdb")) as store:
        load(store, [file], mapping=MAPPING)
        inputs = [count for (count,) in store.execute("SELECT input FROM usage_event ORDER BY 1").fetchall()]
        return inputs, store.execute("SELECT line, reason FROM reject ORDER BY ALL").fetchall()


def test_a_whole_line_after_one_that_zeros_tore_counts(tmp_path: Path) -> None:
    """The disk lost power while line 2 was written; the tool went on behind what the disk had made room for."""
    file = tmp_path / "a.jsonl"
    file.write_bytes(call(1) + call(2)[:20] + bytes(4096) + call(3) + call(4))
    assert mapped(file) == ([1, 3, 4], [(2, "not JSON"), (2, HERE)])


@pytest.mark.parametrize("place", [0, 1])
def test_more_zeros_than_a_line_may_have_bytes_are_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    monkeypatch.setenv("COSTSIM_MAX_LINE", "1KiB")
    file = tmp_path / "a.jsonl"
    file.write_bytes(call(1) * place + bytes(10_000) + call(2) + call(3))
    assert mapped(file)[0] == [1, 2, 3][1 - place :]
    assert mapped(file)[1] == [(2, HERE)] * place


@pytest.mark.parametrize("piece", [1, 2, 3, 1000])
def test_zeros_are_found_wherever_a_piece_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    monkeypatch.setattr(zeros, "CHUNK_BYTES", piece)
    monkeypatch.setattr(zeros.after_zeros, "__defaults__", (piece,))
    file = tmp_path / "a.csv"
    rows = [b"2026-10-05T10:00:00Z,%d,2\n" % number for number in range(4)]
    file.write_bytes(bytes(5) + b"ts,input,output\n" + rows[1] + bytes(3) + rows[2] + bytes(1) + rows[3])
    assert mapped(file) == ([1, 2, 3], [(3, HERE)])


def test_what_a_log_grows_by_after_zeros_counts_at_the_next_load(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(bytes(4096) + call(1) + call(2) + call(3))
    assert mapped(file) == ([1, 2, 3], [])
    with file.open("ab") as log:
        log.write(call(4) + bytes(100) + call(5))
    assert mapped(file) == ([1, 2, 3, 4, 5], [(5, HERE)])


def test_a_log_of_any_name_that_begins_with_zeros_is_found_in_a_folder(tmp_path: Path) -> None:
    log = DATA / "claude-code" / "claude_beta_chat.jsonl"
    (tmp_path / "app.log").write_bytes(bytes(100_000) + log.read_bytes())
    (tmp_path / "disk.img").write_bytes(bytes(100_000))
    (tmp_path / "font").write_bytes(b"\0\1\0\0\0\x0c\0\x80")
    with open_store() as store:
        report = load(store, [tmp_path])
    assert report.calls == 2
    assert sorted(report.passed_over.values()) == ["binary", "empty"]
