"""A price book: an ordered stack of layers, the base first; later layers win, class by class.

Which row prices a request, in this order: rows of its own processing level, else the standard ones; the
highest layer that has a row of the class at that moment; the highest tier not above the request's own input.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from ..errors import PriceBookError
from . import snapshot
from .matching import canonical, literal_key
from .overlay import FileBook, Multiplier, Subscription, read_book
from .rows import ModelKey, PriceRow

SHIPPED = {"article-2026": Path(__file__).parent / "books" / "article-2026.yaml"}
EIGHTEEN = Decimal("1e-18")
CACHE_CLASSES = ("cache_read", "cache_write_5m", "cache_write_1h")


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
    """The stack. `files[n]` is the content of layer `n`; None is the snapshot."""

    layers: tuple[Layer, ...]
    files: tuple[FileBook | None, ...] = field(repr=False)
    _rows: dict[ModelKey, tuple[PriceRow, ...]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def hash(self) -> str:
        """sha256 over the layers' names and hashes, in order: equal hashes, equal prices."""
        text = "\n".join(f"{layer.name} {layer.hash}" for layer in self.layers)
        return hashlib.sha256(text.encode()).hexdigest()

    def resolve(self, model_ref: str, provider: str | None = None) -> ModelKey | None:
        """The key of a model as logs or people write it, or None: unpriced."""
        own = {key for file in self.files if file for key in file.rows}
        name = model_ref.strip().lower()
        written = [f"{provider.strip().lower()}/{name}"] if provider else []
        for candidate in (name, *written):
            head, _, model = candidate.rpartition("/")
            if ModelKey(head, model) in own:
                return ModelKey(head, model)
        key = canonical(model_ref, provider)
        return key if key and self.rows(key) else None

    def keys(self) -> list[ModelKey]:
        """Every model that some layer prices."""
        base = snapshot.keys() if None in self.files else []
        return list(dict.fromkeys([*base, *(key for file in self.files if file for key in file.rows)]))

    def rows(self, key: ModelKey) -> tuple[PriceRow, ...]:
        """All rows of a model, of all layers. Layer numbers rise with precedence."""
        if key not in self._rows:
            self._rows[key] = _stack(self, key)
        return self._rows[key]

    def price(
        self, key: ModelKey, token_class: str, *, at: datetime, input_tokens: int = 0, processing: str = "standard"
    ) -> PriceRow | None:
        """The row that prices a class of a request with that total input at that UTC moment; None: unpriced."""
        rows = [r for r in self.rows(key) if r.token_class == token_class and r.applies(at)]
        own = [r for r in rows if r.processing == processing] or [r for r in rows if r.processing == "standard"]
        fitting = [r for r in own if r.min_input_tokens <= input_tokens]
        return max(fitting, key=lambda r: (r.layer, r.min_input_tokens), default=None)

    def boundaries(self, key: ModelKey, processing: str, start: datetime, end: datetime) -> list[datetime]:
        """The moments strictly between `start` and `end` at which a price of the model may change, ascending."""
        rows = [r for r in self.rows(key) if r.processing in (processing, "standard")]
        dated = {edge for r in rows for edge in (r.valid_from, r.valid_to) if edge}
        clocks = {clock for r in rows for clock in (r.utc_from, r.utc_to) if clock is not None}
        first = start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        days = [first + timedelta(days=n) for n in range((end - first).days + 1)] if clocks else []
        daily = {datetime.combine(day.date(), clock, UTC) for day in days for clock in clocks}
        return sorted(edge for edge in dated | daily if start < edge < end)

    def thresholds(self, key: ModelKey, processing: str) -> tuple[int, ...]:
        """The tier starts above 0 that the model's prices have, ascending."""
        rows = [r for r in self.rows(key) if r.processing in (processing, "standard")]
        return tuple(sorted({r.min_input_tokens for r in rows} - {0}))

    def context_window(self, key: ModelKey) -> int | None:
        """The model's context window in tokens, where some layer knows it; the last one wins."""
        windows = [
            file.context_windows.get(key) if file else snapshot.context_window(key) for file in self.files
        ]
        return next((window for window in reversed(windows) if window), None)

    def subscription(self, key: ModelKey, at: datetime) -> Subscription | None:
        """The subscription that covers the model at that moment; the last layer's wins."""
        for layer in reversed(self.layers):
            for subscription in layer.subscriptions:
                if subscription.valid_at(at) and key in {literal_key(model) for model in subscription.models}:
                    return subscription
        return None


def open_book(base: str | Path = "list", overlays: Sequence[Path] = ()) -> PriceBook:
    """The stack of a base book (`list`, `article-2026` or a file) and overlays, later ones winning.

    Raises PriceBookError in one line: file, line, key and how to mend it.
    """
    files = [_base(base), *(read_book(path) for path in overlays)]
    book = PriceBook(tuple(_layer(file) for file in files), tuple(files))
    for index, file in enumerate(files):
        _check_multipliers(PriceBook(book.layers[:index], book.files[:index]), file)
    return book


def _base(base: str | Path) -> FileBook | None:
    if str(base) == "list":
        return None
    if str(base) in SHIPPED:
        return read_book(SHIPPED[str(base)])
    if not Path(base).exists():
        raise PriceBookError(f"{str(base)!r} is not a price book; the books are list, {', '.join(SHIPPED)}, or a file")
    return read_book(Path(base))


def _layer(file: FileBook | None) -> Layer:
    if file is None:
        return Layer("list", snapshot.content_hash(), snapshot.source())
    content = file.content
    return Layer(content.book, file.hash, content.source, content.stale, tuple(content.subscriptions))


def _check_multipliers(beneath: PriceBook, file: FileBook | None) -> None:
    for index, multiplier in enumerate(file.content.multipliers if file else ()):
        name = multiplier.model
        if file and name and name != "*" and beneath.resolve(name) is None:
            raise file.error(f"no layer beneath prices {name!r}", "multipliers", index, "model")


def _stack(book: PriceBook, key: ModelKey) -> tuple[PriceRow, ...]:
    """Layer upon layer: what a multiplier scales is all that lies beneath it, precedence kept."""
    rows: list[PriceRow] = []
    top = 0
    for file in book.files:
        if file is None:
            own = snapshot.rows(key)
        else:
            scaled = [r for m in file.content.multipliers for r in _scaled(m, key, rows, top)]
            top += top if scaled else 0
            rows += scaled
            own = file.rows.get(key, ())
            own = (*own, *_cache_fallbacks(own, {r.token_class for r in rows}))
        rows += [replace(row, layer=top) for row in own]
        top += 1
    return tuple(rows)


def _scaled(multiplier: Multiplier, key: ModelKey, beneath: list[PriceRow], top: int) -> list[PriceRow]:
    own_key = literal_key(multiplier.model) if multiplier.model not in (None, "*") else None
    if not multiplier.covers(key, own_key):
        return []
    return [
        replace(
            row,
            layer=row.layer + top,
            usd=(row.usd * multiplier.multiplier).quantize(EIGHTEEN).normalize(),
            valid_from=max(filter(None, (row.valid_from, multiplier.valid_from)), default=None),
            valid_to=min(filter(None, (row.valid_to, multiplier.valid_to)), default=None),
            source=f"{row.source} x {multiplier.multiplier} ({multiplier.reason})",
        )
        for row in beneath
        if (not multiplier.classes or row.token_class in multiplier.classes) and _meets(row, multiplier)
    ]


def _meets(row: PriceRow, multiplier: Multiplier) -> bool:
    """Whether the row's time and the multiplier's overlap at all."""
    starts_in_time = not (row.valid_to and multiplier.valid_from and row.valid_to <= multiplier.valid_from)
    return starts_in_time and not (row.valid_from and multiplier.valid_to and row.valid_from >= multiplier.valid_to)


def _cache_fallbacks(own: Sequence[PriceRow], priced: set[str]) -> list[PriceRow]:
    """Cached tokens of a model whose cache prices nobody gives cost what input costs, as in the snapshot."""
    given = priced | {row.token_class for row in own}
    missing = [name for name in CACHE_CLASSES if name not in given]
    return [
        replace(row, token_class=name, source=f"{row.source} (no {name} price: input)")
        for row in own
        if row.token_class == "input"
        for name in missing
    ]
