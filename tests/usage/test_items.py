"""JSON documents as records: their objects, the items of their lists, and what follows the last whole one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from costsim.usage.fast_json import line_of
from costsim.usage.items import items
from costsim.usage.load import load
from emptied import open_store


def records(tmp_path: Path, content: bytes) -> list[object]:
    file = tmp_path / "log.json"
    file.write_bytes(content)
    return list(items(file, file))


def test_an_export_is_one_record_for_each_resource_and_what_stands_beside_them_is_in_the_first(tmp_path: Path) -> None:
    export = {"resourceSpans": [{"a": 1}, {"a": 2}], "note": {"b": 2**70}}
    assert records(tmp_path, json.dumps(export, indent=1).encode()) == [
        {"resourceSpans": [{"a": 1}], "note": {"b": 2**70}},
        {"resourceSpans": [{"a": 2}]},
    ]


def test_an_export_without_resources_is_one_record(tmp_path: Path) -> None:
    assert records(tmp_path, b'{"resourceSpans": [ ], "x": 1}') == [{"resourceSpans": [], "x": 1}]


def test_the_items_of_a_list_are_records_and_those_that_are_no_objects_are_handed_on(tmp_path: Path) -> None:
    assert records(tmp_path, b'\xef\xbb\xbf [{"a": 1}, [2], "b", {"resourceLogs": [1, 2]}]') == [
        *({"a": 1}, "[2]", '"b"'),
        *({"resourceLogs": [1]}, {"resourceLogs": [2]}),
    ]


def test_a_byte_that_is_no_text_and_a_number_that_is_none_cost_no_record(tmp_path: Path) -> None:
    first, second = records(tmp_path, b'[{"a": "\xff"}, {"a": 1,}]'), records(tmp_path, b'[{"a": NaN}, {"b": 2}]')
    assert first == [{"a": "\ufffd"}, {"a": 1}]
    assert second[1] == {"b": 2}


def test_objects_that_stand_one_after_the_other_are_records_and_the_rest_is_handed_on(tmp_path: Path) -> None:
    assert records(tmp_path, b'{"a": 1}\n{"a": 2}\n{"a"') == [{"a": 1}, {"a": 2}, '{"a"']


@pytest.mark.parametrize("between", ["\n", "", "\r\n", " \n\n\t"])
def test_lists_that_stand_one_after_the_other_are_read_as_objects_that_do(tmp_path: Path, between: str) -> None:
    """Over one line each, or over several."""
    documents: list[object] = [[{"a": 1}, {"a": 2}], [], [{"a": 3}, "b"], {"c": 4}]
    for indent in (None, 1):
        written = between.join(json.dumps(document, indent=indent) for document in documents)
        assert records(tmp_path, written.encode()) == [{"a": 1}, {"a": 2}, {"a": 3}, '"b"', {"c": 4}]


@pytest.mark.parametrize("rest", ["exported 2 calls", "[1, ", ", {}", '{"b": 2,\n"c"', "]"])
@pytest.mark.parametrize("whole", ['[{"a": 1}]', '[\n{"a":1}\n]\n', '{"a": 1}', '{\n"a": 1}'])
def test_what_follows_a_whole_document_is_one_line_to_be_rejected(tmp_path: Path, whole: str, rest: str) -> None:
    assert records(tmp_path, f"{whole}\n{rest}\n".encode()) == [{"a": 1}, " ".join(rest.split())]


def test_a_number_that_is_none_is_written_as_it_was_in_documents_one_after_the_other(tmp_path: Path) -> None:
    written = [line_of(record) for record in records(tmp_path, b'[{"id": 1e5000}]\n{"id": -Infinity}\n{"id": 1e2}')]
    assert written == [b'{"id":1e5000}\n', b'{"id":-Infinity}\n', b'{"id":100.0}\n']


ENTRY = """{"type":"assistant","sessionId":"s","uuid":"u%d","timestamp":"2026-01-10T10:00:01Z","message":{"id":"m%d",\
"model":"claude-haiku-4-5","usage":{"input_tokens":100,"output_tokens":5}}}"""


@pytest.mark.parametrize("written", ["[{0},{1}]\n[{2}]\n", "[\n{0},\n{1}\n]\n[\n{2}\n]", "[]\n[{0}]\n[{1},{2}]"])
@pytest.mark.parametrize("last", ["", "done: 3 calls\n"])
def test_every_call_of_lists_one_after_the_other_counts(tmp_path: Path, written: str, last: str) -> None:
    log = tmp_path / "log.json"
    log.write_text(written.format(*(ENTRY % (number, number) for number in range(3))) + f"\n{last}")
    with open_store(Path(":memory:")) as store:
        report = load(store, [log])
        assert (report.calls, report.total("rejected")) == (3, 1 if last else 0)
        assert store.execute("SELECT sum(input), sum(output) FROM usage_event").fetchone() == (
            300,
            15,
        )  # 3 * 100, 3 * 5
