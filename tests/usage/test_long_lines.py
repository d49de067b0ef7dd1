"""Lines that are made to take the square of their length take time in proportion to it.

Each took minutes: of a line that is torn within a text with quotes in it, as an agent that is killed leaves one, 80 KB
took 17 s and 1 MB an hour. The bounds are wide: the time of the processor for the whole load, ten times what it takes.
"""

from __future__ import annotations

import json
from pathlib import Path
from time import process_time

import pytest
from costsim.usage.fits import loaded
from costsim.usage.known_shapes import MOST_PATTERNS, KnownShapes
from costsim.usage.load import load
from costsim.usage.readers.mapped import parse_mapping
from emptied import open_store

CALL = (
    '{"type":"assistant","uuid":"%s","sessionId":"s","timestamp":"2026-10-05T10:00:00.000Z","requestId":"%s",'
    '"message":{"id":"%s","model":"claude-sonnet-4-5","role":"assistant","content":%s,'
    '"usage":{"input_tokens":10,"output_tokens":20%s}}}'
)
SECONDS = 8


def call(name: str, content: str = '""', more: str = "") -> str:
    return CALL % (name, name, name, content, more)


LINES = {
    "torn within a text of quotes": [call("b")[:-3] + ',"x":"' + r"\"" * 200_000],
    "torn within a text of keys": [call("b")[:-3] + ',"x":"' + r"\"key\": 1, " * 40_000],
    "a list of objects in the usage": [call("b", more=',"iterations":[' + "{}," * 150_000 + "{}]")],
    "brackets in texts of the usage": [call(f"b{n}", more=',"iterations":["["]') for n in range(5_000)],
    "braces in a text of the usage": [call("b", more=',"x":"' + "}" * 400_000 + '"')],
    "a text of the usage that a brace cuts": [
        call(f"b{n}", more=f',"x":"{"a" * n}' + r"\"" * 30_000 + '}"') for n in range(10)
    ],
    "the word token, and no quote": [call("b", json.dumps("token" * 400_000))],
    "the word token, and quotes": [call("b", json.dumps('token"' * 200_000))],
    "a key of words": [call("b", '{"' + "token" * 200_000 + '":0}')],
    "usage within usage": [call("b", '{"usage":' * 300 + "0" + "}" * 300)] * 200,
    "a usage a word": [call("b", "[" + ",".join(f'{{"usage":{{"a":"{n}"}}}}' for n in range(20_000)) + "]")],
    "letters that are written as numbers": [call("b", '"' + r"\u0061" * 200_000 + '"')],
    "commas and room": [call("b")[:-3] + "," + (" " * 1_000 + ",") * 1_000],
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", LINES)
def test_a_long_line_takes_time_in_proportion_to_its_length(tmp_path: Path, kind: str) -> None:
    """Of a line between two good ones, and of the line at the end of the file, torn or not."""
    (tmp_path / "a.jsonl").write_text("\n".join([call("a"), *LINES[kind], call("c"), ""]))
    (tmp_path / "b.jsonl").write_text("\n".join([call("d"), *LINES[kind]]))
    with open_store(tmp_path / "costsim.duckdb") as store:
        begun = process_time()
        report = load(store, [tmp_path])
        assert process_time() - begun < SECONDS
    assert report.calls >= 3  # the good ones are read, whatever stands between


@pytest.mark.slow
def test_a_cell_that_is_cut_within_a_text_takes_time_in_proportion(tmp_path: Path) -> None:
    cell = '{"x": "' + r"\"" * 200_000
    (tmp_path / "a.csv").write_text('ts,input,metadata\n2026-10-05T10:00:00Z,10,"' + cell.replace('"', '""') + '"\n')
    with open_store(tmp_path / "costsim.duckdb") as store:
        begun = process_time()
        assert load(store, [tmp_path / "a.csv"], mapping=parse_mapping("ts=ts,input=input,model=:gpt-4o")).calls == 1
        assert process_time() - begun < SECONDS


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, 2,], "b": 3, }', {"a": [1, 2], "b": 3}),
        ('{"a": ",]", "b": "\\",}",}', {"a": ",]", "b": '",}'}),
        ('{"a": "x\\\\",}', {"a": "x\\"}),
    ],
)
def test_a_comma_before_an_end_is_none_within_a_text(text: str, value: object) -> None:
    assert loaded(text) == value


@pytest.mark.parametrize("text", ['{"a": "x,]', '{"a": 1,} "x,}', '{"a": "\\', '{"a": "x\\\n,]"'])
def test_a_text_that_nothing_closes_is_no_value(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (whatever the parser says)
        loaded(text)


@pytest.mark.slow
def test_usage_in_ever_new_places_compiles_no_pattern_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The place is looked up then: to compile a pattern takes as long as to parse a dozen lines."""
    known: list[KnownShapes] = []
    made = KnownShapes.__init__

    def noted(self: KnownShapes, *given: object) -> None:
        made(self, *given)  # type: ignore[arg-type]
        known.append(self)

    monkeypatch.setattr(KnownShapes, "__init__", noted)
    lines = [
        call(f"u{n}", json.dumps(f"{n:04x}".translate(str.maketrans("0123456789", "ghijklmnop")))) for n in range(4_000)
    ]
    (tmp_path / "a.jsonl").write_text("".join(f"{line}\n" for line in lines * 2))
    with open_store(tmp_path / "costsim.duckdb") as store:
        assert load(store, [tmp_path / "a.jsonl"]).calls == 4_000
    assert len(known[0].places) >= 4_000
    assert len(known[0].patterns) == MOST_PATTERNS
