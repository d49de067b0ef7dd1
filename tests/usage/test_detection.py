"""Which reader reads a file is decided by its content alone, and only one reader takes a file for its own."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
import zstandard
from costsim.errors import UsageLogError
from costsim.usage import files, listing
from costsim.usage.careful import Careful
from costsim.usage.load import load
from costsim.usage.readers import READERS
from costsim.usage.readers.mapped import parse_mapping
from costsim.usage.report import LoadReport
from costsim.usage.source import Source
from costsim.usage.store import scalar
from emptied import open_store

DATA = Path(__file__).parent.parent / "data" / "usage"
NAMES = {reader.name for reader in READERS}
SAMPLES = sorted(file for file in DATA.rglob("*") if file.is_file() and file.parent.name in NAMES)
LINES = [file for file in SAMPLES if file.suffix == ".jsonl"]
DOCUMENTS = [file for file in SAMPLES if file.suffix == ".json"]
PACKABLE = [file for file in SAMPLES if file.suffix not in (".db", ".parquet")]
TABLES = [file for file in SAMPLES if file.suffix == ".csv"]


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    """What reads the beginning of a file; it needs no store."""
    with duckdb.connect() as connection:
        yield connection


def named(file: Path) -> str:
    return f"{file.parent.name}/{file.name}"


def takers(engine: duckdb.DuckDBPyConnection, file: Path, patch: pytest.MonkeyPatch) -> list[str]:
    """Every reader that takes the file for its own, were it the only one."""
    [found] = listing.find_files([file], file.parent)
    names = []
    for reader in READERS:
        patch.setattr(files, "READERS", (reader,))
        if files.tell_format(found, engine):
            names.append(reader.name)
    return names


def test_every_reader_has_a_sample_and_a_name_of_its_own() -> None:
    assert len(NAMES) == len(READERS)
    assert {file.parent.name for file in SAMPLES} == NAMES


@pytest.mark.parametrize("file", SAMPLES, ids=named)
def test_a_log_is_known_by_its_reader_and_by_no_other(
    file: Path, engine: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert takers(engine, file, monkeypatch) == [file.parent.name]


@pytest.mark.parametrize("file", PACKABLE, ids=named)
def test_neither_name_nor_packing_matters(
    file: Path, tmp_path: Path, engine: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = tmp_path / "something.bin"
    packed.write_bytes(gzip.compress(file.read_bytes()))
    assert takers(engine, packed, monkeypatch) == [file.parent.name]


@pytest.mark.parametrize("file", DOCUMENTS, ids=named)
def test_a_document_on_one_line_and_a_pretty_one_are_the_same(
    file: Path, tmp_path: Path, engine: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = json.loads(file.read_text())
    for indent in (None, 2):
        other = tmp_path / f"{indent}.json"
        other.write_text(json.dumps(document, indent=indent))
        assert takers(engine, other, monkeypatch) == [file.parent.name]


@pytest.mark.parametrize("file", TABLES, ids=named)
def test_a_table_is_known_with_other_separators_and_as_parquet(
    file: Path, tmp_path: Path, engine: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = duckdb.sql("SELECT * FROM read_csv($file, all_varchar = true)", params={"file": str(file)})
    table.write_csv(str(tmp_path / "semicolons.csv"), sep=";")  # type: ignore[union-attr]
    table.write_parquet(str(tmp_path / "table.parquet"))  # type: ignore[union-attr]
    assert takers(engine, tmp_path / "semicolons.csv", monkeypatch) == [file.parent.name]
    assert takers(engine, tmp_path / "table.parquet", monkeypatch) == [file.parent.name]


@pytest.mark.parametrize("file", LINES, ids=named)
def test_a_broken_line_does_not_hide_what_a_log_is(
    file: Path, tmp_path: Path, engine: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"torn": "li\n\n' + file.read_text())
    assert takers(engine, broken, monkeypatch) == [file.parent.name]


@pytest.mark.parametrize("torn", ['{"torn": ', '{"torn": [', '{"torn": 1,', '{"torn": {', "[1, 2"])
@pytest.mark.parametrize("lines", [1, 3])
def test_calls_count_wherever_the_line_before_them_was_torn(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, torn: str, lines: int
) -> None:
    broken = tmp_path / "broken.jsonl"
    broken.write_text("\n".join((torn, *calls(*"abc"[:lines]))) + "\n")
    report = load(store, [broken])
    assert (report.total("added"), report.total("rejected")) == (lines, 1)


BEGINNINGS = {
    "two halves": ['{"torn": ', 'en": 5}}'],
    "a call between": ['{"torn": ', "CALL", 'en": 5}}'],
    "a comma in the next": ['{"torn": [', 'CALL,'],
    "three": ['{"torn": {', '"x', 'y": 1,'],
    "a list": ["[1, 2", 'en": 5}}'],
    "an object over lines": ['{', ' "id": 5,', ' "usage": {'],
}  # fmt: skip


@pytest.mark.parametrize("beginning", BEGINNINGS.values(), ids=BEGINNINGS)
def test_calls_count_however_often_the_lines_before_them_were_torn(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, beginning: list[str]
) -> None:
    whole = calls(*"abcd")
    torn = [line.replace("CALL,", f"{whole[3][:-1]},}}").replace("CALL", whole[3]) for line in beginning]
    broken = tmp_path / "broken.jsonl"
    broken.write_text("\n".join((*torn, *whole[:3])) + "\n")
    report = load(store, [broken])
    kept = sum("request_id" in line for line in torn)  # a comma before its end is none too much
    assert (report.total("added"), report.total("rejected")) == (3 + kept, len(torn) - kept)


@pytest.mark.parametrize(
    ("text", "added"),
    [
        ("[\n{0},\n{1}\n]\n[\n{2}\n]\n", 3),
        ('{"data": [\n{0}\n]}\n{"data": [\n{1}\n]}\n{"data": [\n{2}\n]}\n', 3),
        ("{P}\n{0}\n{1}\n{2}\n", 4),  # a pretty one, and then lines
    ],
    ids=["lists", "objects with an item a line", "one over lines, then lines"],
)
def test_documents_one_after_the_other_are_no_torn_log(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, text: str, added: int
) -> None:
    for place, line in enumerate(calls(*"abc")):
        text = text.replace(f"{{{place}}}", line)
    (tmp_path / "x.json").write_text(text.replace("{P}", json.dumps(CALL | {"request_id": "p"}, indent=1)))
    report = load(store, [tmp_path / "x.json"])
    assert (report.total("added"), report.total("rejected")) == (added, 0)


@dataclass(frozen=True)
class Loaded:
    """What a load of all samples, and of a file that is no log, reported; the files whose lines were looked at one by
    one; and how many lines were rejected."""

    report: LoadReport
    alone: list[str]
    torn: int


@pytest.fixture(scope="module")
def all_logs(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    folder, alone, read_lines = tmp_path_factory.mktemp("all") / "logs", [], Careful._lines
    shutil.copytree(DATA, folder)
    (folder / "package.json").write_text('{"name": "x", "version": "1"}')

    def named(careful: Careful, source: Source) -> None:
        alone.append(source.file.shown)
        read_lines(careful, source)

    with pytest.MonkeyPatch.context() as patch, open_store() as store:
        patch.setattr(Careful, "_lines", named)
        report = load(store, [folder])
        return Loaded(report, alone, scalar(store, "SELECT count(*) FROM reject WHERE line IS NOT NULL"))


@pytest.mark.slow
def test_a_folder_of_all_logs_is_read_whole_and_what_is_none_is_skipped(all_logs: Loaded) -> None:
    report = all_logs.report
    assert {(Path(file.path).parent.name, file.reader) for file in report.files} == {(name, name) for name in NAMES}
    assert {Path(path).name: why for path, why in report.passed_over.items()} == {"package.json": "settings"}
    assert report.total("rejected") == 0


@pytest.mark.slow
def test_no_line_of_a_whole_log_is_looked_at_alone(all_logs: Loaded) -> None:
    """It takes six times as long: only a file with a line that is none is read so."""
    assert all_logs.report.total("added") > 500
    assert (all_logs.alone, all_logs.torn) == ([], 0)


@pytest.mark.parametrize("content", ["hello\n", '{"a": 1}\n', "a,b\n1,2\n", "[]", "[1, 2]", "{", "\x00\x01", "null"])
def test_what_is_no_log_is_one_line(store: duckdb.DuckDBPyConnection, tmp_path: Path, content: str) -> None:
    file = tmp_path / "notes.txt"
    file.write_text(content)
    with pytest.raises(UsageLogError, match="no log that costsim knows") as raised:
        load(store, [file])
    assert "\n" not in str(raised.value)
    assert "--map" in str(raised.value)


def test_a_format_can_be_forced_and_a_misspelt_one_is_corrected(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    file = tmp_path / "one.jsonl"
    usage: dict[str, Any] = {"usage": {"input_tokens": 5, "output_tokens": 1}, "model": "claude-haiku-4-5", "id": "m"}
    file.write_text(json.dumps({"timestamp": "2026-10-05T10:00:00Z", "message": usage}))
    with pytest.raises(UsageLogError, match="no log"):
        load(store, [file])
    assert load(store, [file], format="claude-code").total("added") == 1
    with pytest.raises(UsageLogError, match="claude-code"):
        load(store, [file], format="claude_code")


CALL = json.loads((DATA / "litellm" / "spend_logs.jsonl").read_text().splitlines()[0])
LONG = "x" * 400_000


def calls(*ids: str, **more: Any) -> list[str]:
    return [json.dumps(CALL | {"request_id": name} | more) for name in ids]


def packed(file: Path, content: bytes, packing: str) -> Path:
    file.write_bytes({"": lambda b: b, ".gz": gzip.compress, ".zst": zstandard.compress}[packing](content))
    return file


@pytest.mark.parametrize("packing", ["", ".gz", ".zst"])
@pytest.mark.parametrize(
    "text",
    [
        "[\n{0},\n{1}\n]\n", "[{0}\n, {1}]", "[{0},{1}]", "{0}\n{1}", "{0}\n{1}\n", "not JSON\n{0}\n{1}",
        '{{"torn\n{0}\n{1}',
    ],
    ids=["a line each", "commas before", "one line", "lines", "ended lines", "after a stray line", "after a torn line"],
)  # fmt: skip
def test_objects_are_read_in_any_arrangement_and_packing(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, text: str, packing: str
) -> None:
    content = text.replace("{0}", calls("a")[0]).replace("{1}", calls("b")[0]).replace("{{", "{").encode()
    assert load(store, [packed(tmp_path / "x", content, packing)]).total("added") == 2


@pytest.mark.slow
@pytest.mark.parametrize("packing", ["", ".gz", ".zst"])
def test_first_lines_may_be_long(store: duckdb.DuckDBPyConnection, tmp_path: Path, packing: str) -> None:
    both = "\n".join(calls("a", "b", metadata={"note": LONG})).encode()
    assert load(store, [packed(tmp_path / "long", both, packing)]).total("added") == 2
    start = '{"parentUuid": null, "type": "user"}\n' + json.dumps({"type": "user", "message": LONG}) + "\n"
    session = start + next(file for file in LINES if file.parent.name == "claude-code").read_text()
    report = load(store, [packed(tmp_path / "session", session.encode(), packing)])
    assert report.total("added") > 0


@pytest.mark.slow
@pytest.mark.parametrize("packing", ["", ".gz", ".zst"])
def test_a_document_over_many_lines_may_be_long_too(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, packing: str
) -> None:
    page = json.loads(next(file for file in DOCUMENTS if file.parent.name == "anthropic-usage").read_text())
    page["note"] = LONG
    for indent in (None, 1):
        content = json.dumps(page, indent=indent).encode()
        report = load(store, [packed(tmp_path / f"page{indent}", content, packing)])
        assert report.total("entries") > 0


@pytest.mark.parametrize("packing", [".gz", ".zst"])
def test_a_packed_file_that_is_cut_keeps_its_whole_lines_and_is_named(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, packing: str
) -> None:
    content = "".join(f"{line}\n" for line in calls(*(f"{n}" for n in range(300)), metadata={"n": "é"})).encode()
    whole = packed(tmp_path / "x", content, packing).read_bytes()
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / f"x.jsonl{packing}").write_bytes(whole[: len(whole) * 2 // 3])
    (folder / f"y.jsonl{packing}").write_bytes(whole[:12])
    report = load(store, [folder])
    assert 0 <= report.total("added") < 300
    reasons = store.execute("SELECT reason FROM reject").fetchall()
    named = [reason for (reason,) in reasons] + report.unreadable
    assert sum("cannot be read from here on" in said or "cannot be unpacked" in said for said in named) == 2


def test_a_cut_table_keeps_no_cut_number(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    rows = "ts,out\n" + "".join(f"2026-10-05T10:00:00Z,{n}{n * 7919 % 997:010}\n" for n in range(1, 9000))
    whole = zstandard.compress(rows.encode())
    (tmp_path / "x.csv.zst").write_bytes(whole[: len(whole) // 2])
    load(store, [tmp_path / "x.csv.zst"], mapping=parse_mapping("ts=ts,output=out"))
    stated = {line.split(",")[1] for line in rows.splitlines()[1:]}
    kept = {str(tokens) for (tokens,) in store.execute("SELECT output FROM usage_event").fetchall()}
    assert kept <= stated


def test_a_zstandard_log_may_begin_with_a_frame_to_be_skipped(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    skipped = b"\x50\x2a\x4d\x18\x04\0\0\0abcd"
    (tmp_path / "x.jsonl.zst").write_bytes(skipped + zstandard.compress(calls("a")[0].encode()))
    assert load(store, [tmp_path]).total("added") == 1


@pytest.mark.parametrize("breaks", [": [", ": ", "[{", ", "])
def test_a_document_may_break_its_lines_anywhere(store: duckdb.DuckDBPyConnection, tmp_path: Path, breaks: str) -> None:
    page = next(file for file in DOCUMENTS if file.parent.name == "anthropic-usage").read_text()
    text = json.dumps(json.loads(page))
    (tmp_path / "page.json").write_text(text.replace(breaks, breaks.rstrip() + "\n "))
    assert load(store, [tmp_path / "page.json"]).total("added") > 0


def test_a_file_of_no_known_format_is_nearest_to_the_one_whose_counts_it_has(tmp_path: Path) -> None:
    message = {"model": "claude-opus-4-6", "usage": {"input_tokens": 10, "output_tokens": 5}}
    entry = {"type": "assistant", "timestamp": "2026-10-05T10:00:00Z", "message": message}
    file = tmp_path / "entries.jsonl"
    file.write_text((json.dumps(entry) + "\n") * 2)
    with open_store() as store, pytest.raises(UsageLogError, match="nearest to claude-code "):
        load(store, [file])
