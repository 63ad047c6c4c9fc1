"""The routes of the market and of the engine itself."""

from chalice.app import Blueprint, Response

from chalicelib import VERSION
from chalicelib.api.quotes import route_body
from chalicelib.api.requests.market_events import read_market_event
from chalicelib.api.requests.queries import StatsModel
from chalicelib.api.requests.swaps import SwapModel
from chalicelib.api.responses.engine_state import engine_state_body
from chalicelib.api.responses.operations import (
    health_body,
    launch_accepted_body,
    price_accepted_body,
    stats_body,
    tokens_body,
)
from chalicelib.bootstrap import engine
from chalicelib.codec.times import to_ms
from chalicelib.domain.as_of import AsOf
from chalicelib.domain.conditions import Launch
from chalicelib.domain.identity import Scope
from chalicelib.domain.swaps import SwapRequest
from chalicelib.domain.tokens import BY_SYMBOL
from chalicelib.http.callers import caller_of
from chalicelib.http.responses import CORS, READS, answering, json_body, json_response, query_of, read_query

routes = Blueprint(__name__)


@routes.route("/api/quotes", methods=READS, cors=CORS)
@answering(routes)
def get_quotes() -> Response:
    caller = caller_of(routes.current_request, Scope.READ)
    query = read_query(SwapModel, query_of(routes.current_request))
    token_in, token_out, pair = query.tokens
    request = SwapRequest(pair, token_in, token_out, query.amount_in_base, as_of=AsOf(to_ms(engine().now())))
    return json_response(route_body(engine().queries.quotes(caller, request), token_in, token_out))


@routes.route("/api/market/events", methods=["POST"], cors=CORS)
@answering(routes)
def post_market_event() -> Response:
    caller = caller_of(routes.current_request, Scope.OPERATE)
    body = json_body(routes.current_request, engine().settings.max_body_bytes)
    event, market = read_market_event(body, engine().rules, engine().now()), engine().market
    if isinstance(event, Launch):
        return json_response(launch_accepted_body(is_new=market.announce_launch(caller, event)), 202)
    return json_response(price_accepted_body(market.push_price(caller, event.pair, event.price)), 202)


@routes.route("/api/tokens", methods=READS, cors=CORS)
@answering(routes)
def get_tokens() -> Response:
    return json_response(tokens_body(BY_SYMBOL.values()))


@routes.route("/api/stats", methods=READS, cors=CORS)
@answering(routes)
def get_stats() -> Response:
    caller = caller_of(routes.current_request, Scope.READ)
    wanted = read_query(StatsModel, query_of(routes.current_request))
    return json_response(stats_body(engine().stats(caller, wanted.user_id, wanted.since, wanted.until)))


@routes.route("/api/engine", methods=READS, cors=CORS)
@answering(routes)
def get_engine() -> Response:
    caller = caller_of(routes.current_request, Scope.OPERATE)
    return json_response(engine_state_body(engine().state(caller)))


@routes.route("/health", methods=READS, cors=CORS)
@answering(routes)
def get_health() -> Response:
    health = engine().health()
    return json_response(health_body(health, VERSION), 200 if health.can_trade else 503)
