"""JSON documents as records: their objects, the items of their lists, and what follows the last whole one."""

from __future__ import annotations

import json
from pathlib import Path

from costsim.usage.items import items


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
