"""A change of the contract that breaks clients is found, and refused unless the changelog names it."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from infra.contract.compatibility import breaks, last_release, unnamed, unnamed_breaks_since
from infra.contract.parts import parts_of
from tests.support.contract import document

Document = dict[str, Any]
Change = Callable[[Document], object]

PLACE = "/api/orders/execute"
KINDS = ("Market", "Limit", "Sniper")


def post(spec: Document) -> Document:
    found: Document = spec["paths"][PLACE]["post"]
    return found


def schema(spec: Document, name: str) -> Document:
    found: Document = spec["components"]["schemas"][name]
    return found


def add(spec: Document, name: str, field: str, *, required: bool) -> None:
    schema(spec, name)["properties"][field] = {"type": "string"}
    if required:
        schema(spec, name)["required"].append(field)


#: Each kind of break: the change, and one of the lines that report it.
BREAKS: dict[str, tuple[Change, str]] = {
    "a path is removed": (lambda spec: spec["paths"].pop("/api/quotes"), "GET /api/quotes: removed"),
    "a method is removed": (
        lambda spec: spec["paths"]["/api/orders"].pop("delete"),
        "DELETE /api/orders: removed",
    ),
    "a parameter is removed": (
        lambda spec: spec["paths"]["/api/orders"]["get"]["parameters"].pop(),
        "GET /api/orders query.cursor: removed",
    ),
    "a status is removed": (
        lambda spec: post(spec)["responses"].pop("409"),
        f"POST {PLACE} 409: removed",
    ),
    "a header is removed": (
        lambda spec: post(spec)["responses"]["202"]["headers"].pop("Idempotent-Replayed"),
        f"POST {PLACE} 202 header.Idempotent-Replayed: removed",
    ),
    "a field of an answer is removed": (
        lambda spec: schema(spec, "OrderRecord")["properties"].pop("txHash"),
        "GET /api/orders/{orderId} 200.txHash: removed",
    ),
    "a field of an answer may be absent": (
        lambda spec: schema(spec, "OrderRecord")["required"].remove("txHash"),
        "GET /api/orders/{orderId} 200.txHash: may be absent from now on",
    ),
    "an answer has another type": (
        lambda spec: schema(spec, "OrderRecord")["properties"]["amountIn"].update(type="string"),
        "GET /api/orders/{orderId} 200.amountIn: number becomes string",
    ),
    "a value of an enumeration is removed": (
        lambda spec: schema(spec, "Status")["enum"].remove("expired"),
        "GET /api/orders/status/{orderId} 200.status: the values expired are removed",
    ),
    "a field code is removed": (
        lambda spec: schema(spec, "FieldCode")["enum"].remove("REQUIRED"),
        f"POST {PLACE} 422.errors[].code: the values REQUIRED are removed",
    ),
    "a problem code of one call is removed": (
        lambda spec: _codes(spec, "429").remove("BACKLOG_FULL"),
        f"POST {PLACE} 429.code: the values BACKLOG_FULL are removed",
    ),
    "a field of a request is removed": (
        lambda spec: [schema(spec, f"{kind}OrderRequest")["properties"].pop("priority") for kind in KINDS],
        f"POST {PLACE} body.priority: removed",
    ),
    "a field of a request is required": (
        lambda spec: [schema(spec, f"{kind}OrderRequest")["required"].append("side") for kind in KINDS],
        f"POST {PLACE} body.side: required from now on",
    ),
    "a new field of a request is required": (
        lambda spec: add(spec, "AmendRequest", "note", required=True),
        "PATCH /api/orders/{orderId} body.note: required from now on",
    ),
    "a request takes fewer types": (
        lambda spec: [
            schema(spec, f"{kind}OrderRequest")["properties"]["slippageBps"]["anyOf"].pop() for kind in KINDS
        ],
        f"POST {PLACE} body.slippageBps: null or number or string becomes number or string",
    ),
    "a request takes fewer values": (
        lambda spec: schema(spec, "TokenName")["enum"].remove("BONK"),
        f"POST {PLACE} body.tokenIn: the values BONK are removed",
    ),
    "a text of a request becomes an enumeration": (
        lambda spec: schema(spec, "PriceRequest")["properties"]["pair"].update(enum=["SOL/USDC"]),
        "POST /api/market/events body.pair: takes SOL/USDC alone",
    ),
    "a body is required": (
        lambda spec: spec["paths"]["/api/stream-tickets"]["post"]["requestBody"].update(required=True),
        "POST /api/stream-tickets body: required from now on",
    ),
}
#: Changes that no client notices.
COMPATIBLE: dict[str, Change] = {
    "nothing": lambda spec: None,
    "a new path": lambda spec: spec["paths"].update({"/new": spec["paths"]["/health"]}),
    "a new field of an answer": lambda spec: add(spec, "OrderRecord", "note", required=True),
    "a new field of a request": lambda spec: add(spec, "AmendRequest", "note", required=False),
    "a new value of an enumeration": lambda spec: schema(spec, "Status")["enum"].append("held"),
    "a new code": lambda spec: _codes(spec, "429").append("NEW"),
    "other words": lambda spec: post(spec).update(description="Other words."),
}


def _codes(spec: Document, status: str) -> list[str]:
    [content] = post(spec)["responses"][status]["content"].values()
    found: list[str] = content["schema"]["properties"]["code"]["enum"]
    return found


def changed(change: Change, name: str = "openapi.json") -> list[str]:
    before = document(name)
    after = copy.deepcopy(before)
    change(after)
    return breaks(before, after)


@pytest.mark.parametrize("kind", BREAKS)
def test_a_break_is_found(kind: str) -> None:
    change, line = BREAKS[kind]
    assert line in changed(change)


@pytest.mark.parametrize("kind", COMPATIBLE)
def test_a_compatible_change_is_none(kind: str) -> None:
    assert changed(COMPATIBLE[kind]) == []


def test_a_frame_and_a_channel_are_part_of_the_contract() -> None:
    found = changed(lambda spec: spec["components"]["messages"].pop("live"), "asyncapi.json")
    assert found == ["message live: removed"]
    found = changed(lambda spec: spec["channels"].pop("connect"), "asyncapi.json")
    assert found == ["channel /api/orders/connect: removed"]


def test_an_action_that_needs_a_new_field_is_a_break() -> None:
    def demand(spec: Document) -> None:
        spec["components"]["messages"]["ping"]["payload"]["required"].append("requestId")

    assert changed(demand, "asyncapi.json") == ["message ping.requestId: required from now on"]


def test_a_removed_call_is_reported_once() -> None:
    assert changed(lambda spec: spec["paths"].pop("/api/quotes")) == [
        "GET /api/quotes: removed",
        "HEAD /api/quotes: removed",
    ]


@pytest.mark.parametrize(
    ("line", "is_named"),
    [
        ("- Breaking: `GET /api/orders 200.orders[].side`", True),
        ("Breaking: GET /api/orders 200.orders[]", True),
        ("Breaking: GET /api/orders", True),
        ("Breaking: GET /api/order", False),
        ("GET /api/orders 200.orders[].side", False),
        ("## [0.2.0]\nBreaking: GET /api/orders", False),
    ],
)
def test_the_changelog_names_a_break_by_its_place(line: str, is_named: bool) -> None:
    found = ["GET /api/orders 200.orders[].side: removed"]
    changelog = f"# Changelog\n\n## [Unreleased]\n\n{line}\n\n## [0.1.0]\n"
    assert unnamed(found, changelog) == ([] if is_named else found)


def test_every_part_has_a_place_of_its_own() -> None:
    for name in ("openapi.json", "asyncapi.json"):
        places = [part.place for part in parts_of(document(name))]
        assert len(places) == len(set(places))


def test_the_contract_keeps_what_the_last_release_promised_or_the_changelog_says_so() -> None:
    release = last_release()
    if release is None:
        pytest.skip("there is no history of git here")
    assert unnamed_breaks_since(release) == []
