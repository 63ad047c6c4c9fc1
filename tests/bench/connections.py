"""The connections that the engine knows to be open."""

from typing import Any

import boto3
from boto3.dynamodb.conditions import Attr

from infra.local.config import REGION
from tests.bench.subject import Subject, wait_until

_PREFIX = "connection#"
_CLOSE_SECONDS = 300
_POLL_SECONDS = 0.5


def open_connections(subject: Subject) -> list[str]:
    """The ids of all open connections."""
    session = boto3.Session("test", "test", region_name=REGION)
    table = session.resource("dynamodb", endpoint_url=subject.aws).Table(subject.environment["STREAMS_TABLE"])
    wanted: dict[str, Any] = {"FilterExpression": Attr("id").begins_with(_PREFIX), "ConsistentRead": True}
    ids: list[str] = []
    while True:
        page = table.scan(**wanted)
        ids += [str(item["id"]).removeprefix(_PREFIX) for item in page["Items"]]
        if "LastEvaluatedKey" not in page:
            return ids
        wanted["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def wait_until_closed(subject: Subject) -> None:
    """Wait until no connection is open and no message waits: a closed socket's function shares the machine."""
    wait_until(
        lambda: not open_connections(subject) and subject.is_idle(),
        _CLOSE_SECONDS,
        _POLL_SECONDS,
        lambda: f"{len(open_connections(subject))} connections are open",
    )
