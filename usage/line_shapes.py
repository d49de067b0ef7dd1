"""Lines of JSON whose every key was met before, known in one pass: decoded by a type made of the places that were met.

The type refuses a key, an object or a list where there was none, so that what is new is found in the one line that has
it. What a decoder says of a line is then looked at only where a number would be usage that is not counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import compress
from operator import attrgetter, itemgetter
from types import GenericAlias
from typing import Annotated, Any, Literal, Union

import msgspec

from .fits import LONG, all_whole, has_numbers, is_plain_whole
from .json_in_texts import events
from .likeness import NUMBER, QUOTE
from .places import KIND, FieldPlace, Number, Places

Find = Callable[[list[Any], list[Number]], None]
Finds = Mapping[type, Find]
"""How to look at many values at once, by their type; those of other types hold nothing."""

SCALARS = (type(None), bool, int, float, str)
WHOLE = Annotated[int, msgspec.Meta(ge=-LONG, le=LONG)]
MOST_WAITING = 256  # lines with something new, before the type is made anew
PART = 64 * 1024  # bytes of lines that are decoded at once: what comes of them stays in the processor's cache
OPENINGS = {"{", "["}
FIRST = itemgetter(slice(1))  # character of a text
NO_WHOLE = "no whole number"
UNDECODED = (msgspec.DecodeError, RecursionError, UnicodeError)


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

    def unknown(
        self, data: bytes, start: int, stop: int, is_noted: Callable[[str], bool]
    ) -> Iterator[tuple[int | None, bytes, list[Number]]]:
        """Which of the lines from `start` to `stop` have something new, and the numbers that are not counted.

        Lines are counted from 0. One with something new is handed out as it is; what is new is to be learned
        (`Places.numbers`) before the next one is asked for. Numbers of fields that are noted already have no line.
        """
        place = counted = start
        before = 0
        while place < stop:
            end = data.find(b"\n", place + PART, stop) + 1 or stop
            found = self._known(data, place, end)
            if found is None or not all(map(is_noted, {number.field for number in found})):
                before, counted = before + data.count(b"\n", counted, place), place
                for number, line, of_line in self._line_by_line(data[place:end].split(b"\n")):
                    yield before + number, line, of_line
            elif found:
                yield None, b"", found
            place = end

    def _known(self, data: bytes, place: int, end: int) -> list[Number] | None:
        """The numbers in a part that are not counted; None where it has to be looked at line by line."""
        if self.places.met != self.made_of:
            self._learned()
        if self.decoder is None:
            return None
        try:
            return _found(self.decoder.decode_lines(memoryview(data)[place:end]), self.finds)
        except UNDECODED:
            return None

    def _line_by_line(self, lines: list[bytes]) -> Iterator[tuple[int, bytes, list[Number]]]:
        for number, line in enumerate(lines):
            try:
                if self.decoder:
                    if found := _found([self.decoder.decode(line)], self.finds):
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


def _found(values: list[Any], finds: Finds) -> list[Number]:
    found: list[Number] = []
    _look(values, finds, found)
    return found


def _look(values: list[Any], finds: Finds, found: list[Number]) -> None:
    """Add the numbers in values that are usage and not counted."""
    if not finds:
        return
    kinds = set(map(type, values))
    for kind, find in finds.items():
        if kind in kinds:
            find(values if len(kinds) == 1 else [value for value in values if type(value) is kind], found)


def _shape(place: FieldPlace) -> tuple[Any, Finds]:
    """The type of what has stood at a place, and how to look at it."""
    if not place.settled:
        return Any, dict.fromkeys((dict, list, str, int, float), _each(_checked(place)))
    if has_numbers(place.kind) and not (place.opened and place.has_fields):
        return _numbers(place.kind), {}
    if not place.has_fields and not place.looked_at:
        return msgspec.Raw, {}
    if not place.opened:
        return (Any, dict.fromkeys((str, int, float), _each(place.find))) if place.looked_at else (msgspec.Raw, {})
    kinds, finds = _scalars(place)
    if place.keys is not None:
        kinds += _objects(place, finds) if place.has_fields else [_Any]
    if place.items:
        kinds.append(_list(place, place.items, finds))
    return Union[tuple(kinds)], finds  # noqa: UP007 (made of values)


def _numbers(kind: Any) -> Any:
    """The type of values of which only the whole numbers are looked at that a column's type has."""
    if kind.id == "struct":
        parts = [(name, _numbers(of)) for name, of in kind.children if has_numbers(of)]
        fields = [(f"f{n}", of, msgspec.field(default=None, name=name)) for n, (name, of) in enumerate(parts)]
        return Union[(*SCALARS, list, msgspec.defstruct("Numbers", fields, gc=False))]
    if kind.id == "list":
        return Union[(*SCALARS, dict, GenericAlias(list, (_numbers(kind.children[0][1]),)))]
    return Union[None, WHOLE]  # noqa: UP007 (made of values)


def _scalars(place: FieldPlace) -> tuple[list[Any], dict[type, Find]]:
    """All scalars; where numbers or texts may be usage that is not counted, only 0 and what has stood there."""
    finds: dict[type, Find] = {}
    if place.whole:
        if place.digits:
            finds[str] = _each_once(_checked(place))
        if place.counts:
            finds[int] = _each_once(place.find)
        return [None, WHOLE, *([str] if place.digits else [])], finds
    if not place.looked_at:
        return [*SCALARS], finds
    kinds: list[Any] = [None, bool]
    if place.numbers or not place.counts:
        kinds += [int, float]
    if place.numbers:
        finds |= {int: _each_once(place.find), float: _each_once(place.find)}
    words = sorted(place.words or ())
    zero = [] if int in kinds else [0]
    if place.words is None:
        kinds.append(str)
        finds[str] = _text_finder(place)
    if literal := [*words, *zero]:
        kinds.append(Literal[tuple(literal)])
    return kinds, finds


def _objects(place: FieldPlace, finds: dict[type, Find]) -> list[Any]:
    """The types of the objects at a place: one for each kind, where all say their kind."""
    if not place.typed:
        return [_object(place.keys or {}, finds)]
    return [_object(keys, finds, kind) for kind, keys in list(place.kinds.items())]


def _object(keys: Mapping[str, FieldPlace], finds: dict[type, Find], kind: str | None = None) -> Any:
    """The type of objects with the keys that were met and no other."""
    fields, looked_at = [], []
    places: list[FieldPlace] = []
    for number, (key, there) in enumerate(list(keys.items())):
        if kind is not None and key == KIND:
            continue
        of_field, of_key = _shape(there)
        fields.append((f"f{number}", of_field, msgspec.field(default=None, name=key)))
        if of_key:
            alike = next((place for place, other in enumerate(places) if there.is_alike(other)), None)
            looked_at.append((f"f{number}", of_key, alike))
            places.append(there)
    tag_field = None if kind is None else KIND
    made = msgspec.defstruct("Object", fields, forbid_unknown_fields=True, gc=False, tag_field=tag_field, tag=kind)
    if looked_at:
        finds[made] = _field_finder(looked_at)
    return made


def _list(place: FieldPlace, items: FieldPlace, finds: dict[type, Find]) -> Any:
    """The type of lists of what was met in them, objects with `key` and `value` by their keys."""
    if not place.attributes and not items.may_be_attribute:
        kind, of_items = _shape(items)
    elif has_numbers(place.kind):
        kind, of_items = Any, {dict: _checked(place), list: _each(items.find)}
    elif items.keys is None and items.items is None and not items.numbers and items.words == set():
        kind, of_items = _attributes(place.attributes, SCALARS[:2] if items.looked_at else SCALARS)
    else:
        kind, of_items = Any, {dict: place.find, list: _each(items.find)}
    if of_items:
        finds[list] = _item_finder(of_items)
    return GenericAlias(list, (kind,))


def _attributes(places: Mapping[str, FieldPlace], scalars: Sequence[type]) -> tuple[Any, Finds]:
    """The types of a list's attributes by their key; of the scalars beside them, those that are never usage."""
    kinds: list[Any] = [*scalars]
    finds: dict[type, Find] = {}
    for key, place in list(places.items()):
        kind, of_value = _shape(place)
        made = msgspec.defstruct("Attribute", [("value", kind)], tag_field="key", tag=key, gc=False)
        kinds.append(made)
        if of_value:
            finds[made] = _field_finder([("value", of_value, None)])
    return Union[tuple(kinds)], finds  # noqa: UP007 (as above)


def _checked(place: FieldPlace) -> Callable[[Any, list[Number]], None]:
    """How to look at a value, of which nothing else says that its whole numbers are some."""
    if not has_numbers(place.kind):
        return place.find

    def find(value: Any, found: list[Number]) -> None:
        if not (is_plain_whole(value) if place.whole else all_whole(value, place.kind)):
            raise msgspec.ValidationError(NO_WHOLE)
        place.find(value, found)

    return find


def _each(find: Callable[[Any, list[Number]], None]) -> Find:
    def find_each(values: list[Any], found: list[Number]) -> None:
        for value in values:
            find(value, found)

    return find_each


def _each_once(find: Callable[[Any, list[Number]], None]) -> Find:
    """The same for scalars, of which many are alike."""

    def find_each(values: list[Any], found: list[Number]) -> None:
        for value, times in Counter(values).items():
            of_value: list[Number] = []
            find(value, of_value)
            found += of_value * times

    return find_each


def _field_finder(fields: list[tuple[str, Finds, int | None]]) -> Find:
    """How to look at fields: not again at texts that stand in an earlier one too, which is alike, and in which nothing
    was found."""
    looked_at = [(attrgetter(name), finds, alike) for name, finds, alike in fields]

    def find(values: list[Any], found: list[Number]) -> None:
        silent: list[list[Any] | None] = []
        for field, finds, alike in looked_at:
            these, before = list(map(field, values)), len(found)
            if alike is None or silent[alike] != these:
                _look(these, finds, found)
            silent.append(these if len(found) == before else None)

    return find


def _item_finder(finds: Finds) -> Find:
    def find(values: list[list[Any]], found: list[Number]) -> None:
        _look([item for value in values for item in value], finds, found)

    return find


def _text_finder(place: FieldPlace) -> Find:
    """How to look at texts: by the shape of the JSON that has stood in them, if there was any."""
    inner = place.inner
    find_documents = _line_finder(inner)
    find_events = _line_finder(None if inner is None or inner.attributes else inner.items)
    find_each, holds_text, counts = _each_once(place.find), place.holds_text, place.counts

    def find(values: list[str], found: list[Number]) -> None:
        firsts = list(map(FIRST, values)) if holds_text else []
        kinds = set(firsts)
        if "d" in kinds:
            streams = list(compress(values, map("d".__eq__, firsts)))
            text = "\n".join(streams)
            if not find_events(_payloads(text), found) and not find_events("\n".join(events(text)), found):
                find_each(streams, found)
        if not kinds.isdisjoint(OPENINGS):
            documents = values if kinds <= OPENINGS else list(compress(values, map(OPENINGS.__contains__, firsts)))
            if not find_documents(_as_lines(documents), found):
                find_each(documents, found)
        if any(map(str.isspace, kinds)):
            find_each([value for value in values if value[:1].isspace()], found)
            values = [value for value in values if not value[:1].isspace()]
        if QUOTE in kinds:
            find_each([value for value in values if value[:1] == QUOTE], found)
        if counts:
            find_each(list(filter(NUMBER.match, values)), found)

    return find


def _as_lines(documents: list[str]) -> str:
    lines = "\n".join(documents)
    if lines.count("\n") < len(documents):
        return lines
    return "\n".join([document.replace("\n", " ") for document in documents])


def _payloads(stream: str) -> str:
    """The events of streamed replies as lines, where these have nothing but data."""
    return f"\n{stream}".replace("\ndata: ", "\n").replace("\n[DONE]", "")


def _line_finder(place: FieldPlace | None) -> Callable[[str, list[Number]], bool]:
    """How to look at lines of JSON, all at once; it says no where one of them is of another shape."""
    if place is None:
        return lambda *_: False
    kind, finds = _shape(place)
    decode_lines = msgspec.json.Decoder(kind).decode_lines

    def find(lines: str, found: list[Number]) -> bool:
        try:
            _look(decode_lines(lines), finds, found)
        except UNDECODED:
            return False
        return True

    return find
