"""The route that explains an order."""

from chalice.app import Blueprint, Response

from chalicelib.api.requests.streams import EmptyModel
from chalicelib.api.responses.explanations import explanation_body
from chalicelib.bootstrap import engine
from chalicelib.domain.identity import Scope
from chalicelib.http.callers import caller_of
from chalicelib.http.responses import CORS, READS, answering, json_response, query_of, read_order_id, read_query

routes = Blueprint(__name__)


@routes.route("/api/orders/{order_id}/explain", methods=READS, cors=CORS)
@answering(routes)
def explain_order(order_id: str) -> Response:
    caller = caller_of(routes.current_request, Scope.READ)
    read_query(EmptyModel, query_of(routes.current_request))
    return json_response(explanation_body(engine().explain(caller, read_order_id(order_id))))
