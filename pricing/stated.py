"""What a price file states: models and their tiers, multipliers, subscriptions and regions, each over a time."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from ..tokens import TokenClass
from .abilities import Ability, Kind
from .matching import literal_key, provider_id
from .rows import ModelKey

MAX_USD = Decimal(1_000_000)


def _instant(given: object) -> object:
    """A date is its midnight; times without a zone are UTC. A bare number is no date: 20260101 would be 1970."""
    if isinstance(given, str):
        try:
            given = datetime.fromisoformat(given)
        except ValueError:
            raise ValueError("this is not a date; write it as 2026-12-31") from None
    if not isinstance(given, date | None):
        raise ValueError("this is not a date; write it as 2026-12-31")
    if isinstance(given, date) and not isinstance(given, datetime):
        return datetime(given.year, given.month, given.day, tzinfo=UTC)
    if isinstance(given, datetime):
        return given.replace(tzinfo=UTC) if given.tzinfo is None else given.astimezone(UTC)
    return given


Instant = Annotated[datetime, BeforeValidator(_instant)]


def _one_model(name: str) -> str:
    """The name, where it is no pattern: as one it would price nothing, and say nothing."""
    if "*" in name:
        raise ValueError(f"{name!r} is no model's name, and names are no patterns here; list each model")
    return name


ModelName = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_one_model)]
UsdPrice = Annotated[Decimal, Field(ge=0, le=MAX_USD, max_digits=25, decimal_places=18)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class _Dated(_Part):
    valid_from: Instant | None = None
    valid_to: Instant | None = Field(default=None, description="the first moment at which it is no longer valid")

    @model_validator(mode="after")
    def _ascending(self) -> _Dated:
        if self.valid_from and self.valid_to and self.valid_to <= self.valid_from:
            raise ValueError(f"valid_to {self.valid_to:%Y-%m-%d} is not after valid_from {self.valid_from:%Y-%m-%d}")
        return self


class TokenPrices(_Part):
    """USD per million tokens, by token class. Audio and images cost what text does where no layer says otherwise."""

    input: UsdPrice | None = None
    cache_read: UsdPrice | None = None
    cache_write_5m: UsdPrice | None = None
    cache_write_1h: UsdPrice | None = None
    output: UsdPrice | None = None
    input_audio: UsdPrice | None = None
    input_image: UsdPrice | None = None
    cache_read_audio: UsdPrice | None = None
    cache_read_image: UsdPrice | None = None
    output_audio: UsdPrice | None = None
    output_image: UsdPrice | None = None

    def stated(self) -> dict[str, Decimal]:
        """The classes that are given."""
        return {name: usd for name, usd in self if usd is not None}


class UnitPrices(_Part):
    """USD per thousand searches or requests."""

    web_search: UsdPrice | None = None
    request: UsdPrice | None = None

    def stated(self) -> dict[str, Decimal]:
        """The units that are given."""
        return {name: usd for name, usd in self if usd is not None}


class Tier(_Part):
    """Prices of requests whose total input is at least `min_input_tokens`; they price the whole request."""

    min_input_tokens: int = Field(gt=0)
    usd_per_mtok: TokenPrices


class ModelPrices(_Dated):
    """One model's prices over a time."""

    model: ModelName
    processing: Literal["standard", "batch", "flex", "priority", "fast"] = "standard"
    usd_per_mtok: TokenPrices = TokenPrices()
    usd_per_thousand: UnitPrices = UnitPrices()
    tiers: list[Tier] = []
    context_window: int | None = Field(default=None, gt=0)
    kind: Kind | None = Field(default=None, description="what it answers with: chat, moderation, embedding, …")
    takes: list[Ability] | None = Field(default=None, description="tools, images, both or []; default: not known")
    source: str = ""
    note: str = ""


class Multiplier(_Dated):
    """Scales the prices of the layers beneath: a region's surcharge, a negotiated discount.

    For one `model`, or all of a `provider`, or everything; for some `classes` or all.
    """

    model: str | None = Field(default=None, min_length=1)
    provider: str | None = Field(default=None, min_length=1)
    multiplier: Decimal = Field(ge=0, le=1000, decimal_places=6)
    reason: str
    classes: list[TokenClass] = []

    @model_validator(mode="after")
    def _one_target(self) -> Multiplier:
        if self.provider and self.model not in (None, "*"):
            raise ValueError("give either model or provider, not both")
        return self

    def covers(self, key: ModelKey, own_key: ModelKey | None) -> bool:
        """Whether it is meant for `key`; `own_key` is what its `model` resolves to."""
        if self.model not in (None, "*"):
            return key == own_key
        return self.provider in (None, "*", key.provider) or provider_id(self.provider or "") == key.provider


class Included(_Part):
    """What a seat includes in a calendar month (UTC): credits, worth `usd_per_credit` at list prices, or requests."""

    credits: Decimal | None = Field(default=None, ge=0, le=10**12)
    usd_per_credit: UsdPrice = Field(default=Decimal("0.01"), gt=0)
    requests: int | None = Field(default=None, ge=0, le=10**12)

    @model_validator(mode="after")
    def _one_unit(self) -> Included:
        if (self.credits is None) == (self.requests is None):
            raise ValueError("say what is included, either credits or requests")
        return self

    @property
    def unit(self) -> str:
        """What is counted."""
        return "requests" if self.credits is None else "credits"

    @property
    def amount(self) -> Decimal:
        """How many of them a seat has in a month."""
        return Decimal(self.requests or 0) if self.credits is None else self.credits


class Overage(_Part):
    """What a credit or a request beyond what is included costs."""

    usd_per_credit: UsdPrice | None = None
    usd_per_request: UsdPrice | None = None

    @property
    def usd_per_unit(self) -> Decimal | None:
        """The price of one."""
        return self.usd_per_request if self.usd_per_credit is None else self.usd_per_credit


class Subscription(_Dated):
    """A flat cost by day or calendar month and seat: calls to its models cost nothing more within what is included.

    They keep a shadow price, their list value. What is included is shared by all seats; without `included` there is
    no limit. Without `overage`, nothing more is billed for logged calls beyond it, and a projection counts those at
    list price: they have to be made elsewhere.
    """

    name: str = Field(min_length=1, max_length=200)
    models: list[ModelName] = Field(min_length=1)
    usd_per_day: UsdPrice | None = None
    usd_per_month: UsdPrice | None = None
    seats: int = Field(default=1, ge=1, le=10**6)
    included: Included | None = None
    overage: Overage | None = None
    shadow_usd_per_mtok: TokenPrices = TokenPrices()

    @model_validator(mode="after")
    def _one_fee(self) -> Subscription:
        if (self.usd_per_day is None) == (self.usd_per_month is None):
            raise ValueError("give the fee of a seat, either usd_per_day or usd_per_month")
        if self.overage:
            unit = self.included.unit if self.included else None
            stated = {"credits": self.overage.usd_per_credit, "requests": self.overage.usd_per_request}
            if unit is None or stated[unit] is None or sum(usd is not None for usd in stated.values()) != 1:
                raise ValueError("overage is the price of what is included: usd_per_credit or usd_per_request")
        return self

    def fee_usd(self, day: date) -> Fraction:
        """What all seats cost on a day; of a month, that day's part."""
        if self.usd_per_day is not None:
            return Fraction(self.usd_per_day) * self.seats
        return Fraction(self.usd_per_month or 0) * self.seats / monthrange(day.year, day.month)[1]

    def covers(self, key: ModelKey) -> bool:
        """Whether the model is one of its."""
        return key in {literal_key(model) for model in self.models}

    def valid_at(self, at: datetime) -> bool:
        """Whether it runs at that moment."""
        return (self.valid_from is None or at >= self.valid_from) and (self.valid_to is None or at < self.valid_to)


class Region(_Part):
    """What a provider's models cost in a region, as a multiple of their other prices: of all classes of tokens.

    `region` is what a log says after the processing level: `fast/us`.
    """

    region: str = Field(min_length=1, max_length=40, pattern="^[a-z0-9-]+$")
    models: list[ModelName] = Field(min_length=1)
    multiplier: Decimal = Field(ge=0, le=1000, decimal_places=6)
    source: str = Field(min_length=1)


class BookFile(_Part):
    """A price book file. Later layers of a stack win, class by class and moment by moment."""

    book: str = Field(min_length=1, max_length=100)
    source: str = Field(min_length=1)
    stale: bool = False
    models: list[ModelPrices] = []
    multipliers: list[Multiplier] = []
    regions: list[Region] = []
    subscriptions: list[Subscription] = []
