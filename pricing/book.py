"""A price book: an ordered stack of layers, the base first; later layers win, class by class.

Which row prices a class of a request, in this order: rows of the class, else of the one that pays for it (`PRICED_AS`);
rows of its own processing level and region, else of the level, else the standard ones; the highest layer that has a row
of the class at that moment; the highest tier not above the request's own input.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..documents import did_you_mean
from ..errors import PriceBookError
from ..tokens import CACHE_CLASSES, PRICED_AS, paying
from . import snapshot, sources
from .abilities import Ability, Kind, listed_kind, listed_takes
from .kept import kept
from .matching import canonical, literal_key
from .rows import MTOK, ModelKey, PriceRow, as_texts, from_texts, processings

if TYPE_CHECKING:
    from .overlay import FileBook
    from .stated import Multiplier, Region, Subscription

SHIPPED = {"article-2026": Path(__file__).parent / "books" / "article-2026.yaml"}
EIGHTEEN = Decimal("1e-18")
WIDE = Context(prec=60)
MAX_MULTIPLIED_USD = Decimal(10) ** 12


@dataclass(frozen=True)
class Layer:
    """One layer of the stack. `hash` is the sha256 of its content; `stale` prices are kept for the record."""

    name: str
    hash: str
    source: str
    stale: bool = False
    subscriptions: tuple[Subscription, ...] = ()


@dataclass(frozen=True)
class PriceBook:
    """The stack. `files[n]` is the content of layer `n`; None is the base book `list`."""

    layers: tuple[Layer, ...]
    files: tuple[FileBook | None, ...] = field(repr=False)
    _rows: dict[ModelKey, tuple[PriceRow, ...]] = field(default_factory=dict, repr=False, compare=False)
    _keys: dict[tuple[str, str | None], ModelKey | None] = field(default_factory=dict, repr=False, compare=False)
    _priced: dict[tuple[object, ...], PriceRow | None] = field(default_factory=dict, repr=False, compare=False)
    _tiers: dict[tuple[ModelKey, str], tuple[int, ...]] = field(default_factory=dict, repr=False, compare=False)
    known: dict[tuple[object, ...], Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def hash(self) -> str:
        """sha256 over the layers' names and hashes, in order: equal hashes, equal prices."""
        text = "\n".join(f"{layer.name} {layer.hash}" for layer in self.layers)
        return hashlib.sha256(text.encode()).hexdigest()

    def resolve(self, model_ref: str, provider: str | None = None) -> ModelKey | None:
        """The key of a model as logs or people write it, or None: unpriced."""
        asked = (model_ref, provider)
        if asked not in self._keys:
            key = canonical(model_ref, provider) or self._as_written(model_ref, provider)
            self._keys[asked] = key if key and self.rows(key) else None
        return self._keys[asked]

    def _as_written(self, model_ref: str, provider: str | None) -> ModelKey | None:
        """A name that only a book file, or our own rows, know, spelt as there; a log may give its provider apart."""
        name = model_ref.strip().lower()
        full = name if not provider or name.startswith(f"{provider.lower()}/") else f"{provider.lower()}/{name}"
        head, _, model = full.rpartition("/")
        key = ModelKey(head, model)
        known = any(key in file.rows if file else sources.is_own(key) for file in self.files)
        return key if known else None

    def keys(self) -> list[ModelKey]:
        """Every model that some layer lists; a few of the snapshot's have no price at all."""
        base = [*snapshot.keys(), *sources.own_rows().rows] if None in self.files else []
        return list(dict.fromkeys([*base, *(key for file in self.files if file for key in file.rows)]))

    def rows(self, key: ModelKey) -> tuple[PriceRow, ...]:
        """All rows of a model, of all layers. Layer numbers rise with precedence."""
        if key not in self._rows:
            self._rows[key] = self._stacked(key)
        return self._rows[key]

    def _stacked(self, key: ModelKey) -> tuple[PriceRow, ...]:
        if self.files != (None,):
            return _stack(self, key)
        return kept("rows", key, lambda: _stack(self, key), as_texts, from_texts)

    def price(
        self, key: ModelKey, token_class: str, *, at: datetime, input_tokens: int = 0, processing: str = "standard"
    ) -> PriceRow | None:
        """The row that prices a class of a request with that total input at that moment; None: unpriced.

        Audio and images of a model without a row of theirs in force are priced by the row of another class, as
        `PRICED_AS` (tokens.py) has it: the row's `token_class` says which. A moment without a zone is UTC.
        """
        asked = (key, token_class, at, input_tokens, processing)
        if asked not in self._priced:
            self._priced[asked] = self._price(key, token_class, at, input_tokens, processing)
        return self._priced[asked]

    def _price(
        self, key: ModelKey, token_class: str, at: datetime, input_tokens: int, processing: str
    ) -> PriceRow | None:
        at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
        levels = processings(processing)
        for name in paying(token_class):
            rows = [r for r in self.rows(key) if r.token_class == name and r.processing in levels and r.applies(at)]
            if rows:
                wanted = min((r.processing for r in rows), key=levels.index)
                fitting = [r for r in rows if r.processing == wanted and r.min_input_tokens <= input_tokens]
                return max(fitting, key=lambda r: (r.layer, r.min_input_tokens), default=None)
        return None

    def boundaries(self, key: ModelKey, processing: str, start: datetime, end: datetime) -> list[datetime]:
        """The moments strictly between `start` and `end` at which a price of the model may change, ascending."""
        rows = [r for r in self.rows(key) if r.processing in processings(processing)]
        dated = {edge for r in rows for edge in (r.valid_from, r.valid_to) if edge}
        clocks = {clock for r in rows for clock in (r.utc_from, r.utc_to) if clock is not None}
        first = start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        days = [first + timedelta(days=n) for n in range((end - first).days + 1)] if clocks else []
        daily = {datetime.combine(day.date(), clock, UTC) for day in days for clock in clocks}
        return sorted(edge for edge in dated | daily if start < edge < end)

    def thresholds(self, key: ModelKey, processing: str) -> tuple[int, ...]:
        """The tier starts above 0 that the model's prices have, ascending."""
        if (key, processing) not in self._tiers:
            rows = [r for r in self.rows(key) if r.processing in processings(processing)]
            self._tiers[key, processing] = tuple(sorted({r.min_input_tokens for r in rows} - {0}))
        return self._tiers[key, processing]

    def context_window(self, key: ModelKey) -> int | None:
        """The model's context window in tokens, where some layer knows it; the last one wins."""
        windows = [file.context_windows.get(key) if file else snapshot.context_window(key) for file in self.files]
        return next((window for window in reversed(windows) if window), None)

    def kind(self, key: ModelKey) -> Kind | None:
        """What the model answers with, where some layer's data say it; the last one wins."""
        kinds = [file.kinds.get(key) if file else listed_kind(key) for file in self.files]
        return next((kind for kind in reversed(kinds) if kind), None)

    def takes(self, key: ModelKey, ability: Ability) -> bool | None:
        """Whether the model takes tools or images, where some layer's data say it; the last one wins."""
        for file in reversed(self.files):
            if file is None:
                return listed_takes(key, ability)
            if key in file.takes:
                return ability in file.takes[key]
        return None

    @property
    def subscriptions(self) -> tuple[Subscription, ...]:
        """All subscriptions, in the order of the stack; of one name, those of the last layer that has it."""
        last = {entry.name: layer for layer in self.layers for entry in layer.subscriptions}
        return tuple(entry for layer in self.layers for entry in layer.subscriptions if last[entry.name] is layer)


def open_book(base: str | Path = "list", overlays: Sequence[Path] = ()) -> PriceBook:
    """The stack of a base book (`list`, `article-2026` or a file) and overlays, later ones winning.

    Raises PriceBookError in one line: file, line, key and how to fix it.
    """
    files = [_base(base), *(_read(path) for path in overlays)]
    book = PriceBook(tuple(_layer(file) for file in files), tuple(files))
    for index, file in enumerate(files):
        _check_multipliers(PriceBook(book.layers[:index], book.files[:index]), file)
    return book


def _base(base: str | Path) -> FileBook | None:
    if str(base) == "list":
        return None
    if str(base) in SHIPPED:
        return _read(SHIPPED[str(base)])
    if not os.path.exists(base):
        raise PriceBookError(f"{str(base)!r} is not a price book; the books are list, {', '.join(SHIPPED)}, or a file")
    return _read(Path(base))


def _read(file: Path) -> FileBook:
    from .overlay import read_book

    return read_book(file)


def _layer(file: FileBook | None) -> Layer:
    if file is None:
        return Layer("list", sources.content_hash(), sources.source())
    content = file.content
    return Layer(content.book, file.hash, content.source, content.stale, tuple(content.subscriptions))


def _check_multipliers(beneath: PriceBook, file: FileBook | None) -> None:
    for index, multiplier in enumerate(file.content.multipliers if file else ()):
        name = multiplier.model
        if file and name and name != "*" and beneath.resolve(name) is None:
            near = did_you_mean(name, [str(key) for key in beneath.keys()])
            raise file.error(f"no layer beneath prices {name!r}{near}", "multipliers", index, "model")
        owner, keys = multiplier.provider, beneath.keys()
        if file and owner and name in (None, "*") and not any(multiplier.covers(key, None) for key in keys):
            known = sorted({key.provider for key in keys})
            message = f"no layer beneath has models of {owner!r}{did_you_mean(owner, known)}"
            raise file.error(message, "multipliers", index, "provider")


def _stack(book: PriceBook, key: ModelKey) -> tuple[PriceRow, ...]:
    """Layer upon layer: what a multiplier scales is all that lies beneath it, precedence kept."""
    rows: list[PriceRow] = []
    top, in_force = 0, {id(plan) for plan in book.subscriptions}
    for file in book.files:
        if file is None:
            own = sources.rows(key)
        else:
            for multiplier in file.content.multipliers:  # each scales what the one before has scaled
                rows = _multiplied(multiplier, key, rows, top)
                top += top
            own = file.rows.get(key, ())
            own = (*own, *_cache_fallbacks(own, {r.token_class for r in rows}))
        rows += [replace(row, layer=top) for row in own]
        top += 1
        own_plans = [plan for plan in (file.content.subscriptions if file else ()) if id(plan) in in_force]
        flat = [row for plan in own_plans for row in _at_no_margin(plan, key, rows, top)]
        rows += flat
        top += top + 1 if flat else 0
    for file in book.files:
        for region in (file or sources.own_rows()).content.regions:
            rows += _in_region(region, key, rows)
    ranks = {layer: rank for rank, layer in enumerate(sorted({row.layer for row in rows}))}
    return tuple(replace(row, layer=ranks[row.layer]) for row in rows)


def _at_no_margin(subscription: Subscription, key: ModelKey, beneath: list[PriceRow], top: int) -> list[PriceRow]:
    """Under a subscription every row beneath costs nothing and keeps its price as the shadow price.

    What the subscription states as its shadow price wins; it also covers classes that nothing beneath prices.
    """
    if not subscription.covers(key):
        return []
    from .overlay import shadow_rows, unshadowed_rows

    stated = shadow_rows(subscription, key)
    named = {row.token_class for row in stated}
    rows = [
        replace(
            row,
            layer=row.layer + top,
            usd=Decimal(0),
            shadow_usd=row.usd if row.shadow_usd is None else row.shadow_usd,
            valid_from=max(filter(None, (row.valid_from, subscription.valid_from)), default=None),
            valid_to=min(filter(None, (row.valid_to, subscription.valid_to)), default=None),
            source=f"subscription {subscription.name}; shadow: {row.source}",
        )
        for row in beneath
        if row.token_class not in named and _meets(row, subscription)
    ]
    covered = {row.token_class for row in rows}
    stated += _cache_fallbacks(stated, covered)
    stated += unshadowed_rows(subscription, key, covered | {row.token_class for row in stated})
    processings = sorted({row.processing for row in beneath} | {"standard"})
    return rows + [replace(row, layer=2 * top, processing=name) for row in stated for name in processings]


def _in_region(region: Region, key: ModelKey, rows: list[PriceRow]) -> list[PriceRow]:
    """What every row of tokens, of whatever layer, comes to in the region; none where rows state its prices."""
    if key not in {literal_key(model) for model in region.models}:
        return []
    stated = {(row.processing, row.token_class) for row in rows}
    return [
        replace(
            row,
            processing=f"{row.processing}/{region.region}",
            usd=_times(row.usd, region.multiplier),
            shadow_usd=None if row.shadow_usd is None else _times(row.shadow_usd, region.multiplier),
            source=f"{row.source} x {region.multiplier} ({region.source})",
        )
        for row in rows
        if row.per == MTOK
        and "/" not in row.processing
        and (f"{row.processing}/{region.region}", row.token_class) not in stated
    ]


def _multiplied(multiplier: Multiplier, key: ModelKey, beneath: list[PriceRow], top: int) -> list[PriceRow]:
    """The rows beneath and, above them, what they come to; without those that can no longer apply."""
    own_key = literal_key(multiplier.model) if multiplier.model not in (None, "*") else None
    if not multiplier.covers(key, own_key):
        return beneath
    kept, scaled = [], []
    for row in beneath:
        meant = (not multiplier.classes or row.token_class in multiplier.classes) and _meets(row, multiplier)
        above = _scaled(multiplier, row, top) if meant else None
        if above is None or (above.valid_from, above.valid_to) != (row.valid_from, row.valid_to):
            kept.append(row)
        if above is not None:
            scaled.append(above)
    return kept + scaled


def _scaled(multiplier: Multiplier, row: PriceRow, top: int) -> PriceRow:
    return replace(
        row,
        layer=row.layer + top,
        usd=_times(row.usd, multiplier.multiplier),
        shadow_usd=None if row.shadow_usd is None else _times(row.shadow_usd, multiplier.multiplier),
        valid_from=max(filter(None, (row.valid_from, multiplier.valid_from)), default=None),
        valid_to=min(filter(None, (row.valid_to, multiplier.valid_to)), default=None),
        source=f"{row.source} x {multiplier.multiplier} ({multiplier.reason})",
    )


def _times(usd: Decimal, multiplier: Decimal) -> Decimal:
    """The scaled price, to the 18 places that the tables hold."""
    product = WIDE.multiply(usd, multiplier)
    if product > MAX_MULTIPLIED_USD:
        raise PriceBookError(f"the multipliers raise a price to {product:,.0f} USD; costsim takes 10^12 at most")
    scaled = product.quantize(EIGHTEEN, context=WIDE).normalize(WIDE)
    return scaled.quantize(Decimal(1)) if scaled == scaled.to_integral() else scaled  # 30, not 3E+1


def _meets(row: PriceRow, span: Multiplier | Subscription) -> bool:
    """Whether the row's time and the span overlap at all."""
    starts_in_time = not (row.valid_to and span.valid_from and row.valid_to <= span.valid_from)
    return starts_in_time and not (row.valid_from and span.valid_to and row.valid_from >= span.valid_to)


def _cache_fallbacks(own: Sequence[PriceRow], priced: set[str]) -> list[PriceRow]:
    """Cached tokens of a model whose cache prices nobody gives cost what input costs, as in the snapshot."""
    given = priced | {row.token_class for row in own}
    missing = [name for name in CACHE_CLASSES if name not in given and name not in PRICED_AS]
    return [
        replace(row, token_class=name, source=f"{row.source} (no {name} price: input)")
        for row in own
        if row.token_class == "input"  # noqa: S105 (not that kind of token)
        for name in missing
    ]
