"""The kit's front door and gateway answer as those of the deployments do."""

import pytest

from chalicelib.http.headers import FIXED_HEADERS
from infra.aws.bare_answers import bare_answer
from infra.aws.front_door import rules
from orderengine.core.commands import Request
from orderengine.testing import front_door
from orderengine.testing.handle import VirtualEngine
from tests.support.kit import asked, body_of, get, place


def test_the_rules_are_those_of_the_deployments() -> None:
    table = rules()
    assert [(one.find, one.replace.replace("$", "\\")) for one in table.rewrites] == list(front_door.REWRITES)
    assert [(one.path, one.parameter) for one in table.streams] == list(front_door.STREAMS)


def test_what_the_application_does_not_answer_the_gateway_does(engine: VirtualEngine) -> None:
    for request, status in (
        (get("/nothing"), 404),
        (Request("DELETE", "/health", (), {}, None), 404),
        (get("/ws"), 400),
        (get("/api/orders/execute"), 400),
    ):
        response = asked(engine, request)
        wanted = bare_answer(status, response.headers["x-request-id"])
        expected = {name.lower(): value for name, value in wanted.headers.items()}
        assert response.status == status
        assert expected.items() <= response.headers.items()
        assert response.body.decode() == wanted.body


def test_slashes_and_quoting_of_a_path_do_not_matter(engine: VirtualEngine) -> None:
    order_id = place(engine)
    for path in (
        f"/api/orders/{order_id}/",
        f"//api/orders//{order_id}",
        f"/api/orders/{order_id.replace('-', '%2D')}",
    ):
        assert body_of(asked(engine, get(path)))["orderId"] == order_id


def test_a_preflight_names_the_methods_of_a_path(engine: VirtualEngine) -> None:
    answered = asked(engine, Request("OPTIONS", "/api/orders", (), {}, None))
    assert (answered.status, answered.headers["access-control-allow-methods"]) == (200, "DELETE,GET,HEAD,OPTIONS")


def test_an_answer_has_the_time_of_the_engine(engine: VirtualEngine) -> None:
    engine.advance("1h")
    answered = asked(engine, get("/health"))
    assert answered.headers["date"] == "Thu, 01 Jan 2026 13:00:00 GMT"
    assert {name.lower() for name in FIXED_HEADERS} <= answered.headers.keys()


@pytest.mark.engine(rate_limit_per_minute=1)
def test_the_kit_tells_the_state_of_its_engine(engine: VirtualEngine) -> None:
    for _ in range(3):
        place(engine)
    place(engine, type="limit", limitPrice="100000")
    with engine.client() as client:
        waiting = client.engine().waiting
        assert waiting.rate_limited == 2
        engine.settle()
        engine.advance("10s")
        state = client.engine()
    assert state.waiting.open is not None
    assert (state.waiting.open.limit, state.outages, state.doctor) == (1, {}, None)
