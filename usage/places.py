"""Places in the records of a reader's files: whether a number there would be unread usage, and what has stood there.

Each place is judged once. From all that were met follows the shape of records that need no second look (`line_shapes`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from .fits import NUMBERS
from .json_in_texts import loads
from .likeness import DOT, NUMBER, QUOTE, SIGNS, VALUES, WITHIN_TEXT, bounded, is_untyped
from .named_things import shown
from .stray_attributes import stray_attributes

if TYPE_CHECKING:
    from .likeness import Likeness

DEEPEST = 24
MOST_WORDS, LONGEST_WORD = 8, 200  # of one place, characters
MOST_KEYS = 512  # of one object: with more, they name things and not fields
MOST_PLACES = 8_192  # in the records of one reader
MOST_THINGS = 64  # kinds of keys of one object that differ in more than an id
KIND, MOST_KINDS = "type", 64  # the key that says of which kind an object is, and how many kinds stand at one place
NAMELESS = '""'  # a key of no letters, which is a place of its own
JSON = "JSON"  # the type of what stands within a column of JSON
HALF = re.compile("[\\ud800-\\udfff]")  # of a pair that stands for a character: no text of msgspec's
HOW = attrgetter("beside", "within", "opened", "astray", "of_text", "listed", "named", "counts", "holds_text", "depth")


class Number(NamedTuple):
    """A number that looks like usage: where it stands, and as it is written."""

    field: str
    written: str


class Numbers(Protocol):
    """Takes the numbers that are found."""

    def append(self, number: Number, /) -> None:
        """Take one."""


class Places:
    """All places that were met in the records of a reader.

    Of too many keys, those of `things` are remembered without ids, others are `passing`; no shape has either.
    """

    def __init__(self, likeness: Likeness) -> None:
        self.likeness = likeness
        self.count = 0
        self.met = 0  # places, and kinds of what stood there
        self.things = self.passing = self

    def with_root(self) -> Places:
        """Begin with the records as a whole."""
        self.things, self.passing = Places(self.likeness), Places(self.likeness)
        self.things.passing = self.passing
        self.root = FieldPlace(self, "", DEEPEST, kind=self.likeness.kinds)
        return self

    def numbers(self, record: Any) -> list[Number]:
        """The numbers in a record that look like usage, but for 0, and are neither counted nor left out."""
        found: list[Number] = []
        self.root.find(record, found)
        return found


class FieldPlace:
    """A path, with what surrounds it: `beside` says that it stands beside usage, `within` that what is in it does.

    `kind` is the type that the reader's columns have for it: `astray` says that the value stood in a list or a text
    where they have an object or a number, so that nothing of it is counted.
    `of_text` says that a text has the value. In an object where a reader takes a text, a text `stands_for` that one.
    Objects and lists are looked at where it is `opened`. It is not `settled` where the keys are too many to remember.
    """

    def __init__(
        self,
        places: Places,
        path: str,
        depth: int,
        *,
        beside: bool = False,
        within: bool = False,
        opened: bool = True,
        scalars: bool = True,
        texts: bool = True,
        named: bool = False,
        listed: bool = False,
        kind: Any = None,
        astray: bool = False,
        of_text: bool = False,
        stands_for: str | None = None,
    ) -> None:
        likeness = places.likeness
        self.kind, self.astray, self.listed, self.of_text = kind, astray, listed, of_text
        self.stands_for = stands_for
        self.whole = not astray and _is(kind, *NUMBERS)  # the reader takes whole numbers here, and nothing else
        self.digits = False  # as texts
        self.places, self.path, self.depth, self.named = places, path, depth, named
        self.beside, self.within, self.opened = beside, within, opened and depth > 0
        self.has_fields = not likeness.leaves_out(path)
        self.counts = scalars and likeness.judge(path, beside, astray)
        self.holds_text = texts and depth > 0 and (bool(stands_for) or likeness.holds_text(path))
        self.numbers = False  # but for 0
        self.words: set[str] | None = set()  # texts that are neither numbers nor JSON, None where any may stand
        self.keys: dict[str, FieldPlace] | None = None  # of objects, None where there was none
        self.kinds: dict[str, dict[str, FieldPlace]] = {}  # of objects that all say their kind: its keys
        self.typed = False
        self.items: FieldPlace | None = None  # of lists
        self.attributes: dict[str, FieldPlace] = {}  # of lists, by their names
        self.things: dict[tuple[bool, str], FieldPlace] = {}  # of keys and names beyond those, without their ids
        self.strays: FieldPlace | None = None  # of attributes in another form
        self.inner: FieldPlace | None = None  # of JSON in texts
        self.quoted: FieldPlace | None = None  # of JSON in texts in texts
        self.settled = True
        places.count += 1
        places.met += 1

    def find(self, value: Any, found: Numbers) -> None:
        """Add the numbers in a value that look like usage, but for 0, and are neither counted nor left out."""
        if isinstance(value, dict):
            self._in_object(value, found)
        elif isinstance(value, list):
            self._in_list(value, found)
        elif isinstance(value, str):
            if self.whole and not self.digits:
                self.digits = True
                self.places.met += 1
            if self.looked_at:
                self._in_text(value, found)
        elif self.counts and value is not None and not isinstance(value, bool):
            if not self.numbers and (value or isinstance(value, float)):
                self.numbers = True
                self.places.met += 1
            if value:
                found.append(Number(self.field, repr(value)))

    @property
    def field(self) -> str:
        """The path as it is told."""
        return shown(self.path.replace(DOT, "."))

    @property
    def looked_at(self) -> bool:
        """Whether a number or a text here may be usage."""
        return self.counts or self.holds_text

    @property
    def may_be_attribute(self) -> bool:
        """Whether objects here may have both a `key` and a `value`, as attributes have."""
        known = (self.keys or {}, *self.kinds.values())
        return not self.settled or any({"key", "value"} <= keys.keys() for keys in known)

    def is_alike(self, other: FieldPlace) -> bool:
        """Whether of a text here the same is found as of the same text there."""
        return (
            (self.holds_text and str(self.kind) == str(other.kind) and not self.stands_for and not other.stands_for)
            and HOW(self) == HOW(other)
            and self.places.likeness.declares_alike(self.path, other.path)
        )

    def _in_object(self, value: dict[str, Any], found: Numbers) -> None:
        if self.keys is None:
            self.keys, self.typed = {}, next(iter(value), "") == KIND and not self._of_key(KIND).looked_at
            self.places.met += 1
        if not self.opened or not self.has_fields:
            return
        keys = self._keys_of_kind(value.get(KIND)) if self.typed else self.keys
        kind = next((kind for kind in VALUES if kind in value), None) if self.named else None
        for key in [kind] if kind else value if len(value) <= MOST_KEYS else self._of_many(keys, value):
            self._key(keys, key).find(value[key], found)

    def _of_many(self, keys: dict[str, FieldPlace], value: dict[str, Any]) -> Iterable[str]:
        """Of very many keys the first, which are remembered, and those under which something may be usage."""
        self._unsettle()
        all_may = self.within or self.named
        return value if all_may else self.places.likeness.telling(self.path, value, MOST_KEYS - len(keys))

    def _keys_of_kind(self, kind: Any) -> dict[str, FieldPlace]:
        """The keys of objects of a kind; of all objects from when one says no kind, or there are too many."""
        if isinstance(kind, str) and kind in self.kinds:
            return self.kinds[kind]
        self.places.met += 1
        if isinstance(kind, str) and len(self.kinds) < MOST_KINDS and not is_untyped(kind):
            return self.kinds.setdefault(kind, {})
        self.typed = False
        self.kinds.clear()
        return self.keys if self.keys is not None else {}

    def _in_list(self, value: list[Any], found: Numbers) -> None:
        if self.items is None:
            self.items = self._item_place()
        for item in value if self.opened and self.has_fields else ():
            if isinstance(item, dict) and "key" in item and "value" in item:
                self._attribute(item["key"]).find(item["value"], found)
            elif isinstance(item, dict | list) or self.items.looked_at:
                self.items.find(item, found)
        if self.places.likeness.has_attributes(self.path):
            for name, of_name in stray_attributes(value, all_stray=self.listed):
                self._unsettle()
                self._stray_attribute(name).find(of_name, found)

    def _item_place(self) -> FieldPlace:
        """The place of a list's items: numbers count beside usage; elsewhere they may be tokens' ids."""
        kind = self.kind.children[0][1] if _is(self.kind, "list") else self.kind
        likeness = self.places.likeness
        refused = likeness.refuses_lists(self.path) if self.listed else likeness.holds_one(self.path)
        astray = self.astray or self.is_one or (self.is_json and refused)
        scalars = self.beside and self.counts
        texts = scalars or ((self.is_json or _is(kind, "struct")) and likeness.is_way(self.path))
        beside = {"beside": self.within, "within": self.within}
        return self._place(self.path, **beside, scalars=scalars, texts=texts, kind=kind, astray=astray, listed=True)

    @property
    def is_json(self) -> bool:
        """Whether this stands in a column of JSON."""
        return str(self.kind) == JSON

    @property
    def is_text(self) -> bool:
        """Whether this stands in a column of JSON, or in a text that a reader takes for it."""
        return str(self.kind) in (JSON, "VARCHAR")

    @property
    def is_one(self) -> bool:
        """Whether the reader's columns have an object or a number here."""
        return _is(self.kind, "struct", *NUMBERS)

    def _in_text(self, value: str, found: Numbers) -> None:
        """A number written as text, JSON in a text that may hold usage, or words."""
        first = value.lstrip()[:1] if self.holds_text else ""
        if first and first in WITHIN_TEXT:
            self._words_end()
            self.within_text().find(loads(value), found)
        elif first == QUOTE and isinstance(text := loads(value), str):
            self._words_end()
            self.within_quotes().find(text, found)
        elif self.counts and len(value) < 40 and NUMBER.fullmatch(value):
            self._words_end()
            if float(written := SIGNS.sub("", value)):
                found.append(Number(self.field, written))
        elif self.words is not None and value not in self.words:
            self.words.add(value)
            self.places.met += 1
            if len(self.words) > MOST_WORDS or len(value) > LONGEST_WORD or HALF.search(value):
                self._words_end()

    def _words_end(self) -> None:
        self.places.met += self.words is not None
        self.words = None

    def within_text(self) -> FieldPlace:
        """The place of what a text holds."""
        if self.inner is None:
            refused = self.is_json and self.places.likeness.refuses_text(self.path)
            astray = self.astray or self.is_one or refused or bool(self.stands_for)
            beside = {"beside": self.beside, "within": self.beside}
            kind = JSON if self.is_text else None
            self.inner = self._place(self.stands_for or self.path, **beside, kind=kind, astray=astray, of_text=True)
        return self.inner

    def within_quotes(self) -> FieldPlace:
        """The place of what a text in a text holds: no reader takes anything from it."""
        beside = {"beside": self.beside, "within": self.beside}
        self.quoted = self.quoted or self._place(self.path, **beside, kind=JSON, astray=True)
        return self.quoted

    def _key(self, keys: dict[str, FieldPlace], key: str) -> FieldPlace:
        """The place of a key of the objects here that have these."""
        return keys.get(key) or self._remembered(keys, key, self._of_key)

    def _of_key(self, key: str, places: Places | None = None) -> FieldPlace:
        if self.named and key in VALUES:  # the value of an attribute, under the name of its type
            return self._place(self.path, beside=self.within, within=self.within, places=places)
        likeness, key = self.places.likeness, bounded(key)
        path = f"{self.path}.{likeness.part(self.path, key)}" if self.path else key or NAMELESS
        within = self.within or likeness.holds_usage(key, path)
        opened = within or likeness.opens(key, path)
        for_text = self.path in likeness.texts and not self.of_text and not likeness.is_way(path)
        in_place = self.path if for_text else None
        astray = self.astray or likeness.is_astray(self.path, key, self._keys_taken())
        how = {"opened": opened, "kind": self._kind_of(key), "stands_for": in_place, "astray": astray, "places": places}
        return self._place(path, beside=self.within, within=within, **how)

    def _keys_taken(self) -> Collection[str] | None:
        """The keys that the reader's columns have of an object here; None where they do not say."""
        if isinstance(self.kind, dict):
            return self.kind.keys()
        return [name for name, _ in self.kind.children] if _is(self.kind, "struct") else None

    def _kind_of(self, key: str) -> Any:
        kind = self.kind
        if self.is_text:
            return JSON
        if _is(kind, "struct"):
            kind = dict(kind.children)
        return kind.get(key) if isinstance(kind, dict) else None

    def _attribute(self, name: Any) -> FieldPlace:
        if isinstance(name, str):
            return self.attributes.get(name) or self._remembered(self.attributes, name, self._of_name)
        self.settled = False
        return self._of_name(str(name), self.places.passing)

    def _of_name(self, name: str, places: Places | None = None) -> FieldPlace:
        path = f"{self.path}.{bounded(name)}"
        return self._place(path, beside=self.within, within=self.within, named=True, places=places)

    def _stray_attribute(self, name: str) -> FieldPlace:
        """The place of an attribute of which a reader takes nothing."""
        self.strays = self.strays or self._place(self.path, astray=True)
        return self.strays._attribute(name)

    def _remembered(self, places: dict[str, FieldPlace], name: str, make: Callable[..., FieldPlace]) -> FieldPlace:
        """The place of a key or a name that is new; where there are too many, that of all with another id in it."""
        if len(places) < MOST_KEYS and self.places.count <= MOST_PLACES and not is_untyped(name):
            made = places[name] = make(name)
            return made
        self._unsettle()
        if not is_untyped(name) and (known := self._thing(places is self.attributes, name, make)):
            return known
        passing = self.places.passing
        passing.count *= self.places is passing  # what is found within one is remembered as long as this one is
        return make(name, passing)

    def _thing(self, attribute: bool, name: str, make: Callable[..., FieldPlace]) -> FieldPlace | None:
        things, thing = self.places.things, (attribute, self.places.likeness.as_thing(name))
        if thing not in self.things and len(self.things) < MOST_THINGS and things.count <= MOST_PLACES:
            self.things[thing] = make(thing[1], things)
        return self.things.get(thing)

    def _unsettle(self) -> None:
        self.places.met += self.settled
        self.settled = False

    def _place(self, path: str, **how: Any) -> FieldPlace:
        places = how.pop("places", None) or self.places
        return FieldPlace(places, path, self.depth - 1, **{"astray": self.astray, **how})


def _is(kind: Any, *names: str) -> bool:
    """Whether a column's type is one of these."""
    return getattr(kind, "id", "") in names
