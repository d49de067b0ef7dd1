"""Lines that are known at once say what a look at every key of them says, wherever a number stands."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from costsim.usage.files import reader_named
from costsim.usage.fits import column_kinds, has_numbers
from costsim.usage.line_watch import LineWatch
from costsim.usage.places import FieldPlace
from costsim.usage.reader import Reader
from costsim.usage.readers import READERS
from costsim.usage.unread import Watch

KEYS = (
    "type",
    "usage",
    "tokens",
    "input_tokens",
    "cost",
    "metadata",
    "content",
    "attributes",
    "name",
    "max_tokens",
    "status",
)
ODD_KEYS = (
    "",
    "o\x00ut_tokens",
    'a"b_tokens',
    "back\\slash_cost",
    "new\nline",
    "half\ud800_tokens",
    "é_tokens",
    "f0",
    "key",
)
TEXTS = (
    "\ud800",
    "",
    "ok",
    "0",
    "12",
    "7.5",
    "-",
    "deep",
    '{"tokens": 4}',
    "[1]",
    "{broken",
    'data: {"usage": {"cost": 3}}',
)


def value(dice: random.Random, depth: int) -> Any:
    """Something that JSON can hold, some of which is usage."""
    kind = dice.randrange(9 if depth else 5)
    if kind == 0:
        return dice.choice([0, 1, 25, 3.5, 0.0, 10**20])
    if kind == 1:
        return dice.choice(TEXTS)
    if kind < 5:
        return dice.choice([None, True, False, 0, "ok", 17])
    if kind == 5:
        return [value(dice, depth - 1) for _ in range(dice.randrange(3))]
    if kind == 6:
        return [{"key": dice.choice(KEYS), "value": {"intValue": str(dice.randrange(3))}} for _ in range(3)]
    keys = dice.choice([KEYS, KEYS, KEYS, ODD_KEYS])
    return {key: value(dice, depth - 1) for key in dice.sample(keys, dice.randrange(1, 4))}


def typed(dice: random.Random) -> dict[str, Any]:
    """Some keys, and things that say their kind, most of them; some are attributes."""
    kinds = [*"pqrst", "p", "q", 3]
    things = [{"type": dice.choice(kinds), dice.choice(KEYS): value(dice, 1), "key": "cost"} for _ in range(3)]
    return {key: value(dice, 3) for key in dice.sample(KEYS, 4)} | {"things": [*things, {"key": "cost", "value": 2}]}


def seen(reader: str, lines: list[str], piece: int) -> dict[str, tuple[int, int | None]]:
    """How often each field that is not counted was seen, and in which line first; the file comes in pieces."""
    watch = Watch(reader_named(reader))
    shown, content = LineWatch(watch, 1), "\n".join(lines).encode()
    for place in range(0, len(content), piece):
        part = content[place : place + piece]
        shown.feed(part, part.count(b"\n"))
    shown.finish()
    return {field: (tally.occurrences, tally.line) for field, tally in watch.found.get(1, {}).items()}


@pytest.mark.parametrize("reader", ["langfuse", "otel", "litellm", "helicone"])
@pytest.mark.parametrize("seed", range(3))
def test_lines_say_what_their_records_say_one_by_one(reader: str, seed: int) -> None:
    dice = random.Random(seed)
    few = [{"type": dice.choice("abc"), "data": value(dice, 2), **typed(dice)} for _ in range(12)]
    records = [dice.choice(few) for _ in range(200)] + [{key: value(dice, 4) for key in KEYS} for _ in range(40)]
    dice.shuffle(records)
    often, first, look = Counter[str](), dict[str, int](), Watch(reader_named(reader)).places.numbers
    for number, record in enumerate(records, 1):
        for one in look(json.loads(json.dumps(record))):
            field = one.field.encode("utf-8", "replace").decode()  # half a character is no text of a store
            often[field] += 1
            first.setdefault(field, number)
    found = seen(reader, [json.dumps(record) for record in records], piece=700)
    assert found == {field: (often[field], first[field]) for field in often}
    assert found


def test_objects_with_thousands_of_keys_are_looked_at_all_the_same() -> None:
    """Keys that name things, not fields: past 512 they are no longer remembered."""
    lines = [json.dumps({"by_file": {f"file-{n}": {"size": 1}}}) for n in range(2000)]
    lines.append(json.dumps({"by_file": {"file-x": {"tokens": 9}}}))
    assert seen("helicone", lines, piece=4096) == {"by_file.file-x.tokens": (1, 2001)}


def test_lines_that_are_no_records_hide_no_other() -> None:
    lines = ['{"a": 1}', "", "{broken", "[1, 2]", '{"a": 2}', '{"a": {"tokens": 3}}', "7", '{"a": {"tokens": 4}}']
    assert seen("helicone", lines, piece=8) == {"a.tokens": (2, 6)}


WHOLE = ["12", '"12"', "-7", "null", "0"]
NOT_WHOLE = [
    "true",
    "1.5",
    "12.0",
    '" 12 "',
    '"0x10"',
    '"1.5"',
    "[]",
    "{}",
    "1e3",
    str(2**63),
    "NaN",
    '"' + "9" * 30 + '"',
]


@pytest.mark.parametrize("written", [*WHOLE, *NOT_WHOLE])
def test_a_file_with_something_else_where_numbers_are_whole_needs_care(written: str) -> None:
    """In the first line and in one of many; what is so written by 64 bits needs none."""
    watch = Watch(reader_named("qwen-code"))
    line = b'{"usageMetadata": {"promptTokenCount": %s}}\n'
    for file, lines in enumerate([[written], ["12"] * 300 + [written] + ["7"] * 300]):
        shown = LineWatch(watch, file, columns=watch.columns)
        for one in lines:
            shown.feed(line % one.encode(), 1)
        shown.finish()
        assert (file in watch.unfit) == (written in NOT_WHOLE)


def places_of(kind: Any, place: FieldPlace) -> Iterator[FieldPlace]:
    """The places of whole numbers in a column, and of what surrounds them."""
    if not has_numbers(kind):
        return
    yield place
    if kind.id == "struct":
        for key, of in kind.children:
            yield from places_of(of, place._of_key(key))
    if kind.id == "list":
        yield from places_of(kind.children[0][1], place._item_place())


@pytest.mark.parametrize("reader", [reader for reader in READERS if not reader.usage_key], ids=lambda one: one.name)
def test_every_whole_number_that_a_reader_takes_is_looked_at(reader: Reader) -> None:
    root = Watch(reader).places.root
    for key, kind in column_kinds(reader).items():
        for place in places_of(kind, root._of_key(key)):
            assert place.whole or (place.opened and place.has_fields) or not place.looked_at, place.path
