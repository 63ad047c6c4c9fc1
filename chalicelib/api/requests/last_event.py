"""The header ``Last-Event-ID``, by which a client of server-sent events names the last event that it has."""

from collections.abc import Sequence

from pydantic import Field

from chalicelib.api.codes import ProblemCode
from chalicelib.api.problems import malformed, well_formed
from chalicelib.api.requests.fields import RequestModel
from chalicelib.api.requests.numbers import Seq
from chalicelib.api.requests.queries import repeated_parameters

LAST_EVENT_ID = "Last-Event-ID"
_INVALID = f"The header {LAST_EVENT_ID} is not valid."


class LastEventModel(RequestModel):
    """The ``seq`` of the last event."""

    seq: Seq | None = Field(None, alias="Last-Event-ID")


def read_last_event_id(values: Sequence[str]) -> int | None:
    """The ``seq`` that the header names; ``values`` has the value of each of its lines.

    :raises ProblemError: 400 naming the header, if it is not a ``seq`` or comes more than once.
    """
    if repeated := repeated_parameters({LAST_EVENT_ID: values}):
        raise malformed(_INVALID, ProblemCode.MALFORMED_REQUEST, repeated)
    named = {LAST_EVENT_ID: values[0]} if values else {}
    return well_formed(LastEventModel, named, _INVALID, ProblemCode.MALFORMED_REQUEST).seq
