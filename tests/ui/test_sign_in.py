"""Where authentication is on: whose orders the page shows, and what it can do with which key."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.kit import asked, post
from tests.ui.guard import Guard
from tests.ui.kit import Kit
from tests.ui.played import PlayedSockets, play_problem
from tests.ui.shell import await_live, enter_key

pytestmark = pytest.mark.engine(auth=True)


def place_as(kit: Kit, key: str) -> None:
    order = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": "1.5"}
    response = asked(kit.engine, post("/api/orders/execute", order, authorization=f"Bearer {key}"))
    assert response.status == 202, response.body


def test_the_page_asks_for_nothing_before_it_has_a_key_and_its_field_has_the_focus(ui_page: Page) -> None:
    asked: list[str] = []
    ui_page.on("request", lambda request: asked.append(request.url))
    ui_page.goto("/#/orders?status=failed")
    expect(ui_page.get_by_label("API key")).to_be_focused()
    assert not [url for url in asked if "/api/" in url]


def test_the_stream_of_the_own_user_is_followed_before_there_is_an_order(ui_page: Page, kit: Kit) -> None:
    sockets = PlayedSockets(ui_page)
    ui_page.goto("/")
    enter_key(ui_page, kit.engine.key("alice"))
    await_live(ui_page)
    assert [message["userId"] for message in sockets.messages if message["action"] == "subscribe"] == ["alice"]
    expect(ui_page.get_by_role("heading", level=1)).to_be_focused()


def test_a_key_without_read_is_told_which_scope_it_lacks(ui_page: Page, guard: Guard, kit: Kit) -> None:
    guard.allow_status(403)
    ui_page.goto("/")
    enter_key(ui_page, kit.engine.key("alice", scopes=["trade"]))
    expect(ui_page.get_by_role("alert").first).to_contain_text("read")
    ui_page.get_by_role("link", name="Place", exact=True).click()
    expect(ui_page.get_by_label("API key")).to_have_count(0)


def test_an_engine_that_does_not_answer_is_no_wrong_key(ui_page: Page, guard: Guard, kit: Kit) -> None:
    guard.allow_status(503)
    key = kit.engine.key("alice")
    play_problem(ui_page, "/api/stats", 503, "UNAVAILABLE", "The engine cannot answer now.", times=1)
    ui_page.goto("/")
    enter_key(ui_page, key)
    expect(ui_page.get_by_role("alert")).to_contain_text("cannot answer now")
    expect(ui_page.get_by_label("API key")).to_have_value(key)
    ui_page.get_by_role("button", name="Sign in").click()
    await_live(ui_page)


def test_after_an_expired_key_the_same_user_finds_the_orders_and_another_does_not(
    ui_page: Page, guard: Guard, kit: Kit
) -> None:
    guard.allow_status(401)
    alice = kit.engine.key("alice")
    place_as(kit, alice)
    ui_page.goto("/")
    enter_key(ui_page, alice)
    rows = ui_page.locator("tbody tr")
    expect(rows).to_have_count(1)
    for user, heading in (("alice", "Orders"), ("bob", "No orders yet")):
        play_problem(ui_page, "/api/.*", 401, "INVALID_CREDENTIAL", "The API key has expired.")
        expect(ui_page.get_by_role("alert")).to_contain_text("expired")
        ui_page.unroute_all()
        enter_key(ui_page, kit.engine.key(user))
        expect(ui_page.get_by_role("heading", name=heading)).to_be_visible()
    expect(rows).to_have_count(0)


def test_who_signs_out_leaves_nothing_to_the_next(ui_page: Page, kit: Kit) -> None:
    alice = kit.engine.key("alice")
    place_as(kit, alice)
    ui_page.goto("/")
    enter_key(ui_page, alice)
    expect(ui_page.locator("tbody tr")).to_have_count(1)
    ui_page.get_by_role("button", name="Sign out").click()
    expect(ui_page.get_by_label("API key")).to_have_value("")
    enter_key(ui_page, kit.engine.key("bob"))
    expect(ui_page.get_by_role("heading", name="No orders yet")).to_be_visible()
