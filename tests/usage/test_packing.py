"""Packed files that are cut or damaged: what counts of them hangs on where the fault is, never on the file's size."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from costsim.errors import UsageLogError
from costsim.usage import packing
from costsim.usage.load import load
from costsim.usage.packing import BrokenOffError, Packing, unpacked
from emptied import open_store

PIECES = (1, 7, 64, 4096, 2**20)
HELICONE = Path(__file__).parents[1] / "data" / "usage" / "helicone" / "requests.json"


def zstd(content: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(content)


def call(number: int) -> bytes:
    counts = {"input_tokens": 100 + number % 7, "output_tokens": 10}
    message = {"id": f"m{number}", "model": "claude-haiku-4-5", "usage": counts}
    stated = {"type": "assistant", "timestamp": "2026-10-05T10:00:00Z", "sessionId": "s", "message": message}
    return json.dumps(stated).encode() + b"\n"


def wrong_checksum(packed: bytes, end: int) -> bytes:
    """The same with another bit in its checksum, whose last byte is so far from the end."""
    place = len(packed) - end
    return packed[:place] + bytes([packed[place] ^ 1]) + packed[place + 1 :]


def loaded(folder: Path, name: str, content: bytes) -> tuple[int, list[str]]:
    """How many calls a file has, and why parts of it are rejected."""
    (folder / name).write_bytes(content)
    with open_store(folder / "costsim.duckdb") as store:
        report = load(store, [folder / name])
        return report.calls, [why for (why,) in store.execute("SELECT reason FROM reject").fetchall()]


@pytest.mark.parametrize("number", [1, 50, pytest.param(20_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("pack", "end"), [(gzip.compress, 5), (gzip.compress, 1), (zstd, 1)])
def test_calls_of_a_file_whose_checksum_is_wrong_count_and_the_fault_is_one_reject(
    tmp_path: Path, pack: Callable[[bytes], bytes], end: int, number: int
) -> None:
    """Of gzip the checksum (4 bytes) or the length (the last 4) at its end."""
    content = wrong_checksum(pack(b"".join(map(call, range(number)))), end)
    calls, reasons = loaded(tmp_path, f"a.jsonl.{'zst' if pack is zstd else 'gz'}", content)
    assert calls == number
    assert len(reasons) == 1
    assert "it is damaged" in reasons[0]
    assert "may be wrong: copy it again" in reasons[0]


def test_a_later_member_whose_checksum_is_wrong_takes_nothing_from_those_before(tmp_path: Path) -> None:
    content = gzip.compress(call(0)) + wrong_checksum(gzip.compress(call(1)), 5) + gzip.compress(call(2))
    calls, reasons = loaded(tmp_path, "a.jsonl.gz", content)
    assert (calls, len(reasons)) == (2, 1)  # the third lies behind the fault


def content_and_fault(file: Path, kind: Packing, size: int) -> tuple[bytes, str]:
    content = b""
    try:
        for piece in unpacked(str(file), kind, size):
            content += piece
    except BrokenOffError as error:
        return content, str(error)
    return content, ""


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "pack"), [("gzip", gzip.compress), ("zstd", zstd)])
def test_what_is_unpacked_before_a_fault_is_the_same_in_pieces_of_every_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Packing, pack: Callable[[bytes], bytes]
) -> None:
    """Cut, or with some bytes of noise, at some bytes: as if the file were larger, so that a piece ended elsewhere."""
    dice = random.Random(17)
    raw = b"".join(map(call, range(300)))
    whole = pack(raw[: len(raw) // 2]) + pack(raw[len(raw) // 2 :])
    file = tmp_path / "a"
    faults = 0
    for place in range(20, len(whole), len(whole) // 12):
        for damaged in (whole[:place], whole[:place] + dice.randbytes(8) + whole[place + 8 :]):
            file.write_bytes(damaged)
            found = set()
            for size in PIECES:
                monkeypatch.setattr(packing, "PIECE_BYTES", size)
                found.add(content_and_fault(file, kind, len(damaged)))
            assert len(found) == 1
            faults += bool(found.pop()[1])
    assert faults > 12


@pytest.mark.slow
def test_the_cut_file_is_a_beginning_of_the_whole_one(tmp_path: Path) -> None:
    raw = b"".join(map(call, range(300)))
    for name, pack in (("gz", gzip.compress), ("zst", zstd)):
        whole = pack(raw)
        (tmp_path / name).mkdir()
        for left in range(30, len(whole), len(whole) // 9):
            (tmp_path / name / f"a.jsonl.{name}").write_bytes(whole[:left])
            with open_store(tmp_path / f"{name}{left}.duckdb") as store:
                report = load(store, [tmp_path / name])  # a folder: without a whole line it is passed over
                reasons = store.execute("SELECT reason FROM reject").fetchall()
            assert 0 <= report.calls < 300
            assert len(reasons) + len(report.passed_over) + len(report.unreadable) == 1


def test_a_whole_document_whose_checksum_is_wrong_counts_to_its_end(tmp_path: Path) -> None:
    calls, reasons = loaded(tmp_path, "a.json.gz", wrong_checksum(gzip.compress(HELICONE.read_bytes()), 5))
    assert (calls, len(reasons)) == (4, 1)
    assert "it is damaged" in reasons[0]


def test_a_file_without_a_whole_line_before_its_fault_is_refused_with_it(tmp_path: Path) -> None:
    content = wrong_checksum(gzip.compress(call(0).rstrip()), 5)
    with pytest.raises(UsageLogError, match=r"cannot be unpacked: it is damaged \(incorrect data check\)"):
        loaded(tmp_path, "a.jsonl.gz", content)
    with open_store(tmp_path / "costsim.duckdb") as store:
        report = load(store, [tmp_path])
    assert list(report.passed_over.values()).count("packed, and cut or damaged: copy it again") == 1


@pytest.mark.parametrize("padding", [1, 512, 10_000])
def test_a_member_may_be_padded_with_zeros_by_any_number(tmp_path: Path, padding: int) -> None:
    content = gzip.compress(call(0)) + bytes(padding) + gzip.compress(call(1)) + bytes(padding)
    assert loaded(tmp_path, "a.jsonl.gz", content) == (2, [])
