"""The engine behind the tools: its operations, and requests to it with the retries of the client."""

from orderengine.client import Client
from orderengine.core.answers import json_object, problem_of
from orderengine.core.commands import Request, Response
from orderengine.core.retry import call, call_safely
from orderengine.mcp.contract import Operation, operations

#: A read may wait for an event so long on purpose (``wait``).
_MAX_WAIT_SECONDS = 20.0


class Engine:
    """The engine that a client reaches. ``operations`` are those of its contract when it was last looked at."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.operations: dict[str, Operation] = {}

    def look(self) -> dict[str, Operation]:
        """Read the contract anew: an engine may have become another version.

        :raises OrderEngineError: if it cannot be read.
        """
        document = json_object(self.read(Request("GET", "/openapi.json")))
        self.operations = operations(document)
        return self.operations

    def read(self, request: Request) -> Response:
        """The successful answer to a request that changes nothing.

        :raises OrderEngineError: if there is none.
        """
        session = self.client._session
        waits = any(name == "wait" for name, _ in request.query)
        try_timeout = session.options.try_timeout + _MAX_WAIT_SECONDS if waits else None
        return self.client._run(call_safely(session, request, _successful, try_timeout=try_timeout))

    def write(self, request: Request) -> Response:
        """The successful answer to a request that changes something. A try without an answer is repeated at once.

        :raises OrderEngineError: if it has had no effect.
        :raises Unanswered: if it may have had its effect.
        """
        return self.client._run(call(self.client._session, request, _successful))


def _successful(response: Response) -> Response:
    if not 200 <= response.status < 300:
        raise problem_of(response)
    # Half an answer, or that of a proxy, is none.
    json_object(response)
    return response
