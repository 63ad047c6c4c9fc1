"""The samples of the reference page and the story of the Postman collection, as a reader runs them."""

import asyncio
import json
import shlex
from argparse import ArgumentParser
from typing import Any
from uuid import uuid4

import pytest
import requests

from chalicelib.http.contract import DIRECTORY
from infra.contract import stream_sample, user_stream_sample
from infra.contract.documents import POSTMAN_FILE
from tests.e2e.client import HAPPY, PATIENCE_SECONDS, Client, an_order
from tests.support import postman
from tests.support.page import files_of
from tests.support.reference_page import ReferencePage

pytestmark = pytest.mark.usefixtures("leaves_no_open_orders")

#: By the anchor of their call.
SAMPLES = {anchor: found for anchor, found in ReferencePage().samples.items() if anchor.startswith("call-")}
#: Where authentication is off, every key will do.
ANY_KEY = "any-key"


def variables(client: Client, sample: str) -> dict[str, str]:
    """The values of the samples' variables, with an open order if the sample is about one."""
    order_id = client.accept(**an_order(type="limit", limitPrice="9000"))["orderId"] if "ORDER" in sample else ""
    file = min(files_of(client.get("/").text))
    return {"BASE": client.http, "KEY": client.key or ANY_KEY, "ORDER": order_id, "FILE": file}


@pytest.mark.parametrize("anchor", SAMPLES)
def test_a_curl_sample_of_the_page_succeeds(client: Client, anchor: str) -> None:
    text = SAMPLES[anchor]["curl"]
    for name, value in variables(client, text).items():
        text = text.replace(f"${name}", value)
    answer = sent(shlex.split(text.replace("\\\n", "")))
    assert answer.status_code < 400, answer.text


def sent(words: list[str]) -> requests.Response:
    """The answer to a curl command of the page, which has no other options than these."""
    parser = ArgumentParser(prog="curl")
    parser.add_argument("-X", dest="method", default="GET")
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-d", dest="data")
    parser.add_argument("address")
    curl = parser.parse_args(words[1:])
    headers = dict(header.split(": ", 1) for header in curl.headers)
    return requests.request(curl.method, curl.address, headers=headers, data=curl.data, timeout=PATIENCE_SECONDS)


@pytest.mark.parametrize("anchor", SAMPLES)
def test_a_python_sample_of_the_page_succeeds(client: Client, anchor: str) -> None:
    text = SAMPLES[anchor]["Python"]
    names: dict[str, Any] = {**variables(client, text)}
    exec(f"import requests\n{text}", names)  # noqa: S102 - the page's own text
    assert names["answer"].status_code < 400, names["answer"].text


def test_the_client_of_the_page_follows_an_order_to_its_end(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_sample, "WS", client.ws)
    monkeypatch.setattr(stream_sample, "KEY", client.key or ANY_KEY)
    order_id = client.accept(userId="alice")["orderId"]

    async def frames() -> list[tuple[int, str]]:
        return [(frame["seq"], frame["status"]) async for frame in stream_sample.follow(order_id)]

    assert asyncio.run(asyncio.wait_for(frames(), PATIENCE_SECONDS)) == list(enumerate(HAPPY, start=1))


def test_the_client_of_the_page_follows_all_orders_of_a_user(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_stream_sample, "WS", client.ws)
    monkeypatch.setattr(user_stream_sample, "KEY", client.key or ANY_KEY)
    user = f"sample-{uuid4()}"
    orders = [client.accept(userId=user)["orderId"] for _ in range(3)]
    since = min(client.record(order_id)["createdAt"] for order_id in orders)

    async def seqs() -> dict[str, list[int]]:
        found: dict[str, list[int]] = {order_id: [] for order_id in orders}
        async for frame in user_stream_sample.follow_user(user, since):
            found[frame["orderId"]].append(frame["seq"])
            if sum(map(len, found.values())) == len(orders) * len(HAPPY):
                break
        return found

    every = list(range(1, len(HAPPY) + 1))
    assert asyncio.run(asyncio.wait_for(seqs(), PATIENCE_SECONDS)) == dict.fromkeys(orders, every)


def test_the_story_of_the_postman_collection_holds(client: Client) -> None:
    collection = json.loads((DIRECTORY / POSTMAN_FILE).read_text())
    answered = list(postman.run(collection, baseUrl=client.http, apiKey=client.key or ANY_KEY))
    assert {done.name: done.failures for done in answered} == {item["name"]: [] for item in collection["item"]}


@pytest.mark.parametrize("name", ["/docs", "/llms.txt"])
def test_the_documents_for_readers_are_open_and_cached(client: Client, name: str) -> None:
    answer = requests.get(client.http + name, timeout=PATIENCE_SECONDS)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "public, max-age=300")
    again = requests.get(
        client.http + name, headers={"If-None-Match": answer.headers["etag"]}, timeout=PATIENCE_SECONDS
    )
    assert (again.status_code, again.text) == (304, "")
