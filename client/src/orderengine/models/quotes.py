"""Quotes of the venues, and what the router makes of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from orderengine.models.reading import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote(Model):
    """What a venue offers. ``price`` is quote per base; ``amount_out`` is net of ``fee``, in human units."""

    price: Decimal
    amount_out: Decimal
    amount_out_base: Decimal
    fee: Decimal
    fee_base: Decimal
    fee_bps: Decimal
    price_impact_pct: Decimal
    liquidity: Decimal
    quoted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure(Model):
    """Why a venue has no quote, or an attempt no swap."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotes(Model):
    """The quotes of both venues, and the router's choice. A venue without a quote is in ``errors``."""

    chosen: str
    reason: str
    degraded: bool
    errors: Mapping[str, Failure] = field(default_factory=dict)
    raydium: Quote | None = field(default=None, metadata={Model.WIRE: "rQuote"})
    meteora: Quote | None = field(default=None, metadata={Model.WIRE: "mQuote"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Warning(Model):
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview(Model):
    """What an order would do now; nothing is placed. Without any quote, ``chosen`` and the outputs are ``None``."""

    side: str
    amount_in: Decimal
    amount_in_base: Decimal
    amount_out: Decimal | None
    amount_out_base: Decimal | None
    min_amount_out: Decimal | None
    min_amount_out_base: Decimal | None
    chosen: str | None
    reason: str
    degraded: bool
    warnings: tuple[Warning, ...]
    summary: str
    errors: Mapping[str, Failure] = field(default_factory=dict)
    marketable_at_entry: bool | None = None
    time_in_force: str | None = None
    expires_at: datetime | None = None
    raydium: Quote | None = field(default=None, metadata={Model.WIRE: "rQuote"})
    meteora: Quote | None = field(default=None, metadata={Model.WIRE: "mQuote"})
