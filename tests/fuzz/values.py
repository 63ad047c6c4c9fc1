"""Values for the fields of requests: plausible ones for each field that the models name, and hostile ones for any."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from pydantic import AliasChoices, BaseModel

from chalicelib.api.requests.amendments import AmendModel
from chalicelib.api.requests.market_events import PoolModel, PriceModel
from chalicelib.api.requests.orders import OrderModel
from chalicelib.api.requests.queries import EventsModel, ListModel, RecordModel, StatsModel, UserModel
from chalicelib.api.requests.streams import HandshakeModel, OneOrAllModel, StreamModel
from chalicelib.api.requests.swaps import SwapModel

Values = st.SearchStrategy[Any]

#: The models whose fields the requests here have.
MODELS: tuple[type[BaseModel], ...] = (
    OrderModel,
    AmendModel,
    SwapModel,
    ListModel,
    UserModel,
    EventsModel,
    RecordModel,
    StatsModel,
    PriceModel,
    PoolModel,
    HandshakeModel,
    OneOrAllModel,
    StreamModel,
)

MINTS = ("HMcfnsfPdBANkJYL6aPEZzs5CgC7Y1wY51rKTxnnHxHU", "So11111111111111111111111111111111111111112")
_TOKENS = st.sampled_from(["SOL", "USDC", "USDT", "sol", *MINTS])
_AMOUNTS = st.one_of(
    st.sampled_from(["1", "1.5", "0.000001", "18446744073709551615", "1e3", "0"]), st.integers(-1, 10**20)
)
_PRICES = st.one_of(st.sampled_from(["100", "0.5", "1e-18", "1e30", "0", "-1"]), st.integers(0, 10**25))
_TIMES = st.one_of(
    st.datetimes().map(lambda at: at.isoformat() + "Z"),
    st.sampled_from(["2027-01-01T00:00:00Z", "2026-12-24T00:00:00+01:00", "2026-13-01T00:00:00Z", "now"]),
)
_PAIRS = st.sampled_from(["SOL/USDC", "SOL-USDC", "USDC/SOL", "SOL", "/"])
_WHOLE = st.one_of(st.integers(0, 300), st.integers(), st.sampled_from(["1", "300", "99999999999"]))
_WORDS = st.text(max_size=40)
_SEQS = st.one_of(st.integers(0, 8), st.integers())

#: Plausible values by the field's name on the wire.
PLAUSIBLE: dict[str, Values] = {
    "tokenIn": _TOKENS,
    "tokenOut": _TOKENS,
    "amountIn": _AMOUNTS,
    "amount": _AMOUNTS,
    "slippage": st.one_of(st.integers(-1, 51), st.sampled_from(["0.5", "1.005", "10"])),
    "slippageBps": st.one_of(st.integers(-1, 5001), st.sampled_from(["50", "5000"])),
    "userId": st.one_of(st.from_regex(r"fuzz-[a-z0-9]{1,8}", fullmatch=True), _WORDS),
    "side": st.sampled_from(["buy", "sell", "hold"]),
    "priority": st.sampled_from(["normal", "high", "urgent"]),
    "clientOrderId": st.one_of(st.uuids().map(str), st.text(max_size=256)),
    "simulate": st.sampled_from(["slow:1", "fail_quotes", "fault", "revert", "slow:999999"]),
    "type": st.sampled_from(["market", "limit", "sniper", "price", "pool_created", "stop"]),
    "limitPrice": _PRICES,
    "targetPrice": _PRICES,
    "timeInForce": st.sampled_from(["GTC", "GTD", "IOC", "FOK"]),
    "expiresAt": _TIMES,
    "minLiquidity": _PRICES,
    "maxPrice": _PRICES,
    "mint": st.sampled_from([*MINTS, "mint"]),
    "venue": st.sampled_from(["raydium", "meteora", "orca"]),
    "pool": _WORDS,
    "poolAddress": _WORDS,
    "slot": _WHOLE,
    "price": _PRICES,
    "initialPrice": _PRICES,
    "liquidity": _PRICES,
    "initialLiquidity": _PRICES,
    "quote": st.sampled_from(["USDC", "SOL", "EUR"]),
    "quoteToken": st.sampled_from(["USDC", "SOL", "EUR"]),
    "pair": _PAIRS,
    "status": st.sampled_from(["pending", "open", "confirmed", "failed", "done"]),
    "from": _TIMES,
    "to": _TIMES,
    "updatedSince": _TIMES,
    "since": _TIMES,
    "limit": st.one_of(st.integers(-1, 201), _WHOLE),
    "cursor": st.one_of(_WORDS, st.binary(max_size=60).map(lambda raw: raw.hex())),
    "afterSeq": _SEQS,
    "atSeq": _SEQS,
    "wait": st.sampled_from(["0", "1", "-1", "21", "soon"]),
    "statuses": st.sampled_from(["coarse", "fine"]),
    "token": _WORDS,
}
_LAUNCH = ("mint", "venue", "minLiquidity", "maxPrice")
PLAUSIBLE["launch"] = st.fixed_dictionaries({}, optional={name: PLAUSIBLE[name] for name in _LAUNCH})

#: Values that some field of some program takes badly.
HOSTILE: Values = st.one_of(
    st.sampled_from(
        [
            "",
            " ",
            "\x00",
            "\ufffd",
            "9" * 400,
            "1e400",
            "-0",
            "NaN",
            "Infinity",
            "٣",
            "1_000",
            "../..",
            "%00",
            "{{7*7}}",
        ]
    ),
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
        max_leaves=12,
    ),
)


def wire_names(model: type[BaseModel]) -> list[str]:
    """The names of a model's fields on the wire, with every alias."""
    found: list[str] = []
    for name, field in model.model_fields.items():
        alias = field.validation_alias or field.alias or name
        found += map(str, alias.choices) if isinstance(alias, AliasChoices) else [str(alias)]
    return found


def fields_of(*models: type[BaseModel], orders: Values, valid: Sequence[dict[str, Any]] = ({},)) -> Values:
    """A valid object of ``valid`` with a few fields of the models changed, most of them to plausible values.

    ``orders``: values for ``orderId``.
    """
    names = sorted({name for model in models for name in wire_names(model)})

    def change(name: str) -> Values:
        plausible = orders if name == "orderId" else PLAUSIBLE[name]
        return st.tuples(st.just(name), mostly(plausible, HOSTILE))

    changes = st.lists(st.sampled_from(names).flatmap(change), max_size=2).map(dict)
    unknown = st.dictionaries(st.text(min_size=1, max_size=12), HOSTILE, max_size=1)
    extra = mostly(st.just({}), unknown)
    return st.builds(lambda base, *others: merged(base, others), st.sampled_from(valid), changes, extra)


def mostly(common: Values, rare: Values) -> Values:
    """Four of five values are common. (``one_of`` would weigh each branch of the two alike.)"""
    return st.sampled_from([common, common, common, common, rare]).flatmap(lambda chosen: chosen)


def merged(base: dict[str, Any], others: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {name: value for part in (base, *others) for name, value in part.items()}
