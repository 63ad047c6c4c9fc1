"""The documents of the contract on the deployed system: they are served, and every example in them works."""

from collections.abc import Iterator
from itertools import count
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from chalicelib.http.contract import DIRECTORY
from chalicelib.simulation.launches import pool_address
from infra.contract.examples import NEW_MINT
from tests.e2e.client import Client, Json, an_order, parse
from tests.support.contract import document
from tests.support.page import files_of
from tests.support.stack import RunningStack

pytestmark = pytest.mark.usefixtures("leaves_no_open_orders")

#: Mints that no other test launches.
_mints = (pool_address("contract", str(number)) for number in count())


def calls() -> Iterator[Any]:
    """Every operation with each example of its body."""
    for path, item in document("openapi.json")["paths"].items():
        for method, operation in item.items():
            content = operation.get("requestBody", {}).get("content", {}).values()
            bodies = {name: one["value"] for part in content for name, one in part["examples"].items()}
            for name, body in (bodies or {"": None}).items():
                yield pytest.param(method.upper(), path, operation, body, id=f"{method} {path} {name}".strip())


def actions() -> Iterator[Any]:
    spec = document("asyncapi.json")
    received = [one["messages"] for one in spec["operations"].values() if one["action"] == "receive"]
    for name in sorted({reference["$ref"].rpartition("/")[2] for messages in received for reference in messages}):
        for example in spec["components"]["messages"][name]["examples"]:
            yield pytest.param(example["payload"], id=f"{name} {example['name']}")


def an_open_order(client: Client) -> str:
    order_id: str = client.accept(**an_order(type="limit", limitPrice=100_000, slippage=None))["orderId"]
    return order_id


def with_this_runs(value: Any, order_id: str) -> Any:
    """The example with an order of this run, and with a mint that is new to this stack."""
    if isinstance(value, dict):
        return {
            name: order_id if name == "orderId" else with_this_runs(part, order_id) for name, part in value.items()
        }
    return next(_mints) if value == NEW_MINT else value


@pytest.mark.parametrize("name", ["openapi.json", "asyncapi.json"])
def test_everybody_may_read_the_contract(stack: RunningStack, name: str) -> None:
    for address in (stack.endpoints["http"], stack.endpoints["rest"]):
        answer = requests.get(f"{address}/{name}", timeout=60)
        assert answer.content == (DIRECTORY / name).read_bytes()
        assert answer.headers["cache-control"] == "public, max-age=300"
        known = requests.get(f"{address}/{name}", headers={"If-None-Match": answer.headers["etag"]}, timeout=60)
        assert (known.status_code, known.content) == (304, b"")


@pytest.mark.parametrize(("method", "path", "operation", "body"), list(calls()))
def test_an_example_of_a_call_is_answered_as_documented(
    client: Client, method: str, path: str, operation: Json, body: Any
) -> None:
    order_id = an_open_order(client) if "{orderId}" in path else ""
    examples = {one["name"]: one["example"] for one in operation["parameters"] if "example" in one}
    query = f"?{urlencode(examples)}" if examples else ""
    file = min(files_of(client.get("/").text)) if "{name}" in path else ""
    address = path.format(orderId=order_id, name=file) + query
    answer = client.request(method, address, with_this_runs(body, order_id))
    wanted = {status for status in operation["responses"] if status < "400"}
    assert str(answer.status_code) in wanted, answer.text


@pytest.mark.parametrize("message", list(actions()))
def test_an_example_of_an_action_is_answered_as_documented(client: Client, message: Json) -> None:
    order_id = an_open_order(client)
    with client.socket() as socket:
        if message["action"] == "unsubscribe":
            socket.say(action="subscribe", orderId=order_id, requestId="joined")
            socket.until("ack", requestId="joined")
        wanted = {"ping": "pong"}.get(message["action"], "ack")
        socket.say(**with_this_runs(message, order_id))
        while (frame := socket.next())["type"] not in ("ack", "pong", "error"):
            pass
        assert frame["type"] == wanted, frame
        assert frame.get("requestId") == message.get("requestId")


def test_the_document_names_no_host_so_that_it_is_right_wherever_it_is_served(client: Client) -> None:
    assert [server["url"] for server in parse(client.get("/openapi.json").text)["servers"]] == ["/"]
