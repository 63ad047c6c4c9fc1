"""The routes of the market: quotes, tokens, what is told of it, and the engine's own health."""

from chalice.app import Blueprint, Response

from chalicelib.api.requests.market_events import read_market_event
from chalicelib.api.requests.swaps import SwapModel
from chalicelib.bootstrap import engine, now_ms, utc_now
from chalicelib.domain.conditions import Launch
from chalicelib.domain.swaps import SwapRequest
from chalicelib.domain.tokens import BY_SYMBOL
from chalicelib.http.responses import CORS, answering, json_body, json_response, query_of, read_query

routes = Blueprint(__name__)


@routes.route("/api/quotes", methods=["GET"], cors=CORS)
@answering(routes)
def get_quotes() -> Response:
    query = read_query(SwapModel, query_of(routes.current_request))
    token_in, token_out, pair = query.tokens
    request = SwapRequest(pair, token_in, token_out, query.amount_in_base, market_as_of_ms=now_ms())
    return json_response(engine().queries.route(request).as_meta())


@routes.route("/api/market/events", methods=["POST"], cors=CORS)
@answering(routes)
def post_market_event() -> Response:
    body = json_body(routes.current_request, engine().settings.max_body_bytes)
    told = read_market_event(body, utc_now())
    if isinstance(told, Launch):
        return json_response({"accepted": True, "duplicate": not engine().market.launch(told)}, 202)
    return json_response({"accepted": True, "triggered": engine().market.price(told.pair, told.price)}, 202)


@routes.route("/api/tokens", methods=["GET"], cors=CORS)
@answering(routes)
def get_tokens() -> Response:
    return json_response(
        {
            "tokens": [
                {
                    "symbol": token.symbol,
                    "name": token.name,
                    "mint": token.mint,
                    "decimals": token.decimals,
                }
                for token in BY_SYMBOL.values()
            ]
        }
    )


@routes.route("/api/stats", methods=["GET"], cors=CORS)
@answering(routes)
def get_stats() -> Response:
    return json_response(engine().stats())


@routes.route("/health", methods=["GET"], cors=CORS)
@answering(routes)
def get_health() -> Response:
    health = engine().health()
    return json_response(health.as_body(), 200 if health.can_trade else 503)
