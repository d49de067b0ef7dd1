"""Lines of JSON whose every key was met before, known in one pass: decoded by a type made of the places that were met.

The type refuses a key, an object or a list where there was none, so that what is new is found in the one line that has
it. What a decoder says of a line is then looked at only where a number would be usage that is not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import GenericAlias
from typing import Any, Literal, Union

import msgspec

from .likeness import NUMBER, WITHIN_TEXT
from .places import FieldPlace, Number, Places, events

Find = Callable[[Any, list[Number]], None]
Finds = Mapping[type, Find]
"""How to look at a value, by its type; those of other types hold nothing."""

SCALARS = (type(None), bool, int, float, str)
MOST_WAITING = 256  # lines with something new, before the type is made anew
PART = 16 * 1024  # bytes of lines that are decoded at once: what comes of them stays in the processor's cache
LINE_END = 0x0A
UNDECODED = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)


class _Any(msgspec.Struct, gc=False):
    """An object of which nothing is looked at."""


class LineShapes:
    """Knows lines of one reader's files."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.decoder: msgspec.json.Decoder[Any] | None = None
        self.finds: Finds = {}
        self.made_of = 0  # kinds of what stood in places
        self.waiting, self.wait = 0, 0  # lines with something new, and how many are to be waited for

    def unknown(self, data: bytes, start: int, stop: int) -> Iterator[tuple[int, bytes, list[Number]]]:
        """Which of the lines from `start` to `stop` have something new, and the numbers that are not counted.

        Lines are counted from 0. One with something new is handed out as it is; what is new is to be learned
        (`Places.numbers`) before the next one is asked for.
        """
        place = counted = start
        before = 0
        while place < stop:
            end = data.find(b"\n", place + PART, stop) + 1 or stop
            known = self._known(data, place, end)
            if known != []:
                before, counted = before + data.count(b"\n", counted, place), place
                for number, line, found in known or self._line_by_line(data[place:end].split(b"\n")):
                    yield before + number, line, found
            place = end

    def _known(self, data: bytes, place: int, end: int) -> list[tuple[int, bytes, list[Number]]] | None:
        """The lines of a part with numbers that are not counted; None where it has to be looked at line by line."""
        if self.places.met != self.made_of:
            self._learned()
        if self.decoder is None:
            return None
        try:
            records = self.decoder.decode_lines(memoryview(data)[place:end])
        except UNDECODED:
            return None
        known = [(number, b"", found) for number, found in _found(records, self.finds)] if self.finds else []
        lines = data.count(b"\n", place, end) + (data[end - 1] != LINE_END) if known else len(records)
        return known if len(records) == lines else None

    def _line_by_line(self, lines: list[bytes]) -> Iterator[tuple[int, bytes, list[Number]]]:
        for number, line in enumerate(lines):
            try:
                if self.decoder:
                    for _, found in _found([self.decoder.decode(line)], self.finds):
                        yield number, b"", found
                    continue
            except UNDECODED:
                pass
            if line:
                yield number, line, []
                self._learned()

    def _learned(self) -> None:
        """Make the type anew where enough has been learned."""
        self.waiting += 1
        if self.waiting <= self.wait or self.places.met == self.made_of:
            return
        self.made_of, self.waiting, self.wait = self.places.met, 0, min(2 * self.wait + 1, MOST_WAITING)
        kind, self.finds = _shape(self.places.root)
        self.decoder = msgspec.json.Decoder(kind)


def _found(records: Iterable[Any], finds: Finds) -> Iterator[tuple[int, list[Number]]]:
    """The numbers in records, which are counted from 0."""
    found: list[Number] = []
    for number, record in enumerate(records):
        if find := finds.get(type(record)):
            find(record, found)
            if found:
                yield number, found
                found = []


def _shape(place: FieldPlace) -> tuple[Any, Finds]:
    """The type of what has stood at a place, and how to look at it."""
    if not place.settled:
        return Any, dict.fromkeys((dict, list, str, int, float), place.find)
    if not place.opened:
        return (Any, dict.fromkeys((str, int, float), place.find)) if place.looked_at else (msgspec.Raw, {})
    kinds, finds = _scalars(place)
    if place.keys is not None:
        kinds.append(_object(place, finds) if place.has_fields else _Any)
    if place.items:
        kinds.append(_list(place, place.items, finds))
    return Union[tuple(kinds)], finds  # noqa: UP007 (made of values)


def _scalars(place: FieldPlace) -> tuple[list[Any], dict[type, Find]]:
    """All scalars; where numbers or texts may be usage that is not counted, only 0 and what has stood there."""
    finds: dict[type, Find] = {}
    if not place.looked_at:
        return [*SCALARS], finds
    kinds: list[Any] = [None, bool]
    if place.numbers or not place.counts:
        kinds += [int, float]
    if place.numbers:
        finds |= {int: place.find, float: place.find}
    words = sorted(place.words or ())
    zero = [] if int in kinds else [0]
    if place.words is None:
        kinds.append(str)
        finds[str] = _text_finder(place)
    if literal := [*words, *zero]:
        kinds.append(Literal[tuple(literal)])
    return kinds, finds


def _object(place: FieldPlace, finds: dict[type, Find]) -> Any:
    """The type of objects with the keys that were met and no other."""
    fields, looked_at = [], []
    for number, (key, there) in enumerate(list((place.keys or {}).items())):
        kind, of_key = _shape(there)
        fields.append((f"f{number}", kind, msgspec.field(default=None, name=key)))
        if of_key:
            looked_at.append((f"f{number}", of_key))
    made = msgspec.defstruct("Object", fields, forbid_unknown_fields=True, gc=False)
    if looked_at:
        finds[made] = _field_finder(looked_at)
    return made


def _list(place: FieldPlace, items: FieldPlace, finds: dict[type, Find]) -> Any:
    """The type of lists of what was met in them, objects with `key` and `value` by their keys."""
    if not place.attributes:
        kind, of_items = _shape(items)
    elif items.keys is None and items.items is None:
        kind, of_items = _attributes(place.attributes)
    else:
        kind, of_items = Any, {dict: lambda item, found: place.find([item], found), list: items.find}
    if of_items:
        finds[list] = _item_finder(of_items)
    return GenericAlias(list, (kind,))


def _attributes(places: Mapping[str, FieldPlace]) -> tuple[Any, Finds]:
    kinds: list[Any] = [*SCALARS]
    finds: dict[type, Find] = {}
    for key, place in list(places.items()):
        kind, of_value = _shape(place)
        made = msgspec.defstruct("Attribute", [("value", kind)], tag_field="key", tag=key, gc=False)
        kinds.append(made)
        if of_value:
            finds[made] = _field_finder([("value", of_value)])
    return Union[tuple(kinds)], finds  # noqa: UP007 (as above)


def _field_finder(fields: list[tuple[str, Finds]]) -> Find:
    def find(value: Any, found: list[Number]) -> None:
        for name, finds in fields:
            field = getattr(value, name)
            if field is not None and (of_field := finds.get(type(field))):
                of_field(field, found)

    return find


def _item_finder(finds: Finds) -> Find:
    def find(value: list[Any], found: list[Number]) -> None:
        for item in value:
            if of_item := finds.get(type(item)):
                of_item(item, found)

    return find


def _number_finder(place: FieldPlace) -> Find:
    """How to look at a text in which no JSON has stood."""
    may_be_number, holds_text = NUMBER.match, place.holds_text

    def find(value: str, found: list[Number]) -> None:
        if may_be_number(value) or (holds_text and value[:1] in WITHIN_TEXT):
            place.find(value, found)

    return find


def _text_finder(place: FieldPlace) -> Find:
    """How to look at a text: by the shape of the JSON that has stood in it, if there was any."""
    if place.inner is None:
        return _number_finder(place)
    kind, finds = _shape(place.inner)
    decode, find_text = msgspec.json.Decoder(kind).decode, place.find

    def find(value: str, found: list[Number]) -> None:
        try:
            record = decode(f"[{','.join(events(value))}]" if value[:1] == "d" else value)
        except msgspec.DecodeError:
            find_text(value, found)
            return
        if of_record := finds.get(type(record)):
            of_record(record, found)

    return find
