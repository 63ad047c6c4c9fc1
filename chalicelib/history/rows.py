"""Orders as rows of the history, and rows as read models."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from chalicelib.codec.events import data_to_json, kind_of, quotes_from_json
from chalicelib.codec.exact_json import dumps, loads
from chalicelib.codec.times import to_text
from chalicelib.domain.conditions import LaunchTerms, TimeInForce
from chalicelib.domain.events import Event
from chalicelib.domain.money import to_base_units, to_human_units
from chalicelib.domain.orders import Order
from chalicelib.domain.read_model import OrderReadModel, read_model_of
from chalicelib.domain.status import OrderType, Status
from chalicelib.domain.tokens import Side, Token, stored_token
from chalicelib.history.scores import score_row

Row = Mapping[str, Any]


def order_row(order: Order) -> dict[str, Any]:
    """The columns of ``orders``. Amounts are in human units, and in base units where the column says so."""
    spec, model = order.spec, read_model_of(order)
    return {
        "order_id": model.order_id,
        "user_id": model.user_id,
        "client_order_id": None if model.client_order_id is None else storable(model.client_order_id),
        "type": model.type.value,
        "side": model.side.value,
        "pair": spec.pair.name,
        "token_in": model.token_in.symbol,
        "token_out": model.token_out.symbol,
        "amount_in": to_human_units(model.amount_in, model.token_in.decimals),
        "amount_in_base": str(model.amount_in),
        "amount_out": _human(model.amount_out, model.token_out),
        "amount_out_base": None if model.amount_out is None else str(model.amount_out),
        "min_amount_out": _human(model.min_amount_out, model.token_out),
        "slippage_bps": spec.slippage_bps,
        "priority": spec.priority.value,
        "status": model.status.value,
        "seq": model.seq,
        "attempts": model.attempts,
        "dex_used": model.venue,
        "executed_price": model.executed_price,
        "limit_price": model.limit_price,
        "time_in_force": model.time_in_force and model.time_in_force.value,
        "expires_at": model.expires_at and to_text(model.expires_at),
        "launch": _launch_to_row(model.launch) if model.launch else None,
        "wait_reason": model.wait_reason,
        "tx_hash": model.tx_hash,
        "fail_code": model.fail_code,
        "error_reason": model.fail_reason,
        "quotes": loads(data_to_json(model.quotes)) if model.quotes else None,
        "created_at": to_text(model.created_at),
        "updated_at": to_text(model.updated_at),
        **score_row(order),
    }


def event_row(event: Event) -> str:
    """The columns of ``order_events`` as JSON text."""
    head = {
        "seq": event.seq,
        "status": event.status.value,
        "attempt": event.attempt,
        "at": to_text(event.at),
        "kind": kind_of(event.data),
    }
    return f'{dumps(head)[:-1]},"meta":{data_to_json(event.data)}}}'


def read_model(row: Row) -> OrderReadModel:
    """The read model of a row of ``orders``."""
    token_in, token_out = _token(row["token_in"]), _token(row["token_out"])
    in_force, amount_out, minimum = row["time_in_force"], row["amount_out_base"], row["min_amount_out"]
    return OrderReadModel(
        order_id=row["order_id"],
        user_id=row["user_id"],
        client_order_id=row["client_order_id"],
        type=OrderType(row["type"]),
        side=Side(row["side"]),
        token_in=token_in,
        token_out=token_out,
        amount_in=int(row["amount_in_base"]),
        amount_out=None if amount_out is None else int(amount_out),
        min_amount_out=None if minimum is None else to_base_units(minimum, token_out.decimals),
        status=Status(row["status"]),
        seq=row["seq"],
        attempts=row["attempts"],
        venue=row["dex_used"],
        executed_price=row["executed_price"],
        limit_price=row["limit_price"],
        time_in_force=TimeInForce(in_force) if in_force else None,
        expires_at=row["expires_at"],
        launch=_launch_from_row(loads(row["launch"])) if row["launch"] else None,
        wait_reason=row["wait_reason"],
        tx_hash=row["tx_hash"],
        fail_code=row["fail_code"],
        fail_reason=row["error_reason"],
        quotes=quotes_from_json(row["quotes"]) if row["quotes"] else None,
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def storable(text: str) -> str:
    """The text without characters that Postgres refuses, which would keep an order out of the history for ever."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _launch_to_row(terms: LaunchTerms) -> dict[str, Any]:
    return {
        "mint": terms.mint,
        "venue": terms.venue,
        "min_liquidity": terms.min_liquidity,
        "max_price": terms.max_price,
    }


def _launch_from_row(stored: Mapping[str, Any]) -> LaunchTerms:
    """Rows of the first form have the names of the public record."""
    return LaunchTerms(
        mint=stored["mint"],
        venue=stored["venue"],
        min_liquidity=_decimal(stored.get("min_liquidity", stored.get("minLiquidity"))),
        max_price=_decimal(stored.get("max_price", stored.get("maxPrice"))),
    )


def _decimal(number: Any) -> Decimal | None:
    return None if number is None else Decimal(number)


def _human(base_units: int | None, token: Token) -> Decimal | None:
    return None if base_units is None else to_human_units(base_units, token.decimals)


def _token(symbol_or_mint: str) -> Token:
    token = stored_token(symbol_or_mint)
    if token is None:
        raise LookupError(symbol_or_mint)
    return token
