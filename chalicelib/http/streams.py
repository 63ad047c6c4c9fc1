"""The routes of the status streams."""

from chalice.app import Blueprint, Response

from chalicelib.api.codes import ProblemCode
from chalicelib.api.problems import well_formed
from chalicelib.api.requests.streams import EmptyModel
from chalicelib.api.responses.streams import ticket_body
from chalicelib.bootstrap import engine
from chalicelib.domain.identity import Scope
from chalicelib.http.callers import caller_of
from chalicelib.http.responses import CORS, answering, json_body, json_response

routes = Blueprint(__name__)


@routes.route("/api/stream-tickets", methods=["POST"], cors=CORS)
@answering(routes)
def create_stream_ticket() -> Response:
    request, caller = routes.current_request, caller_of(routes.current_request, Scope.READ)
    if request.raw_body:
        body = json_body(request, engine().settings.max_body_bytes)
        well_formed(EmptyModel, body, "The request for a ticket is not valid.", ProblemCode.MALFORMED_REQUEST)
    return json_response(ticket_body(engine().tickets.issue(caller)), 201)
