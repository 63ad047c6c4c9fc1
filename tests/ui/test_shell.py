"""The frame around every view: navigation, the state of the socket, outages, and the key."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocket, WebSocketRoute, expect

from tests.ui.accessibility import assert_accessible
from tests.ui.artefacts import keep_pictures
from tests.ui.guard import CUT_SOCKET, Guard
from tests.ui.kit import Kit
from tests.ui.module import await_status
from tests.ui.played import PlayedSockets, play, play_html, play_problem
from tests.ui.shell import alerts, await_cut, await_live, enter_key

VIEWS = {"Orders": "orders", "Place": "place", "Market": "market", "Engine": "engine"}


@pytest.mark.parametrize(("name", "view"), VIEWS.items())
def test_each_view_has_an_address_a_title_and_one_heading(ui_page: Page, name: str, view: str) -> None:
    ui_page.goto("/")
    ui_page.get_by_role("link", name=name, exact=True).click()
    expect(ui_page).to_have_url(re.compile(rf"#/{view}$"))
    expect(ui_page).to_have_title(re.compile(rf"^{name}"))
    expect(ui_page.get_by_role("heading", level=1)).to_have_count(1)
    await_live(ui_page)
    assert_accessible(ui_page)
    keep_pictures(ui_page, f"{view} empty")


def test_a_keyboard_reaches_every_view_and_the_focus_follows(ui_page: Page) -> None:
    ui_page.goto("/")
    for name in VIEWS:
        link = ui_page.get_by_role("link", name=name, exact=True)
        while not link.evaluate("link => link === document.activeElement"):
            ui_page.keyboard.press("Tab")
        ui_page.keyboard.press("Enter")
        expect(link).to_have_attribute("aria-current", "page")
    expect(ui_page.get_by_role("heading", level=1)).to_be_focused()


def test_the_back_button_returns_to_the_view_before(ui_page: Page) -> None:
    ui_page.goto("/#/place")
    ui_page.get_by_role("link", name="Market", exact=True).click()
    ui_page.go_back()
    expect(ui_page).to_have_title(re.compile("^Place"))


def test_the_page_asks_its_own_origin_alone_for_what_it_needs(ui_page: Page, kit: Kit) -> None:
    asked: list[str] = []
    ui_page.on("request", lambda request: asked.append(request.url))
    ui_page.goto("/")
    await_live(ui_page)
    files = [url.removeprefix(kit.url) for url in asked if "/api/" not in url]
    assert len(files) == 5, files


def test_a_cut_socket_is_told_and_comes_back_by_itself(ui_page: Page, guard: Guard, kit: Kit) -> None:
    guard.allow(CUT_SOCKET)
    ui_page.goto("/")
    await_live(ui_page)
    kit.engine.cut_sockets()
    await_cut(ui_page)
    await_live(ui_page)


def test_a_cut_in_the_middle_of_orders_loses_no_update(ui_page: Page, guard: Guard, kit: Kit) -> None:
    guard.allow(CUT_SOCKET)
    order_ids = [kit.place() for _ in range(20)]
    opened: list[WebSocket] = []
    ui_page.on("websocket", lambda socket: opened.append(socket))
    ui_page.goto("/")
    for number in range(1, 4):
        order_ids.extend(kit.place() for _ in range(5))
        while len(opened) <= number:
            kit.engine.cut_sockets()
            ui_page.wait_for_timeout(100)
    # The page has every order at its end, by frames or by its polls.
    await_status(ui_page, order_ids, "confirmed")


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "WEATHER", "sky": "blue"},
        {"no": "type"},
        "no JSON",
        "[]",
        "null",
        {"type": "ORDER_UPDATE", "orderId": "x", "userId": "y", "seq": 1, "status": "unheard_of", "meta": None},
        {"type": "error", "code": "UNHEARD_OF", "detail": "no reason"},
    ],
)
def test_a_frame_of_an_unknown_kind_changes_nothing(ui_page: Page, kit: Kit, frame: Mapping[str, Any] | str) -> None:
    order_id = kit.place(type="limit", limitPrice="900")
    sockets = PlayedSockets(ui_page)
    ui_page.goto("/")
    await_live(ui_page)
    sockets.send(frame)
    await_status(ui_page, [order_id], "open")
    await_live(ui_page)
    assert len(sockets.opened) == 1


def test_a_socket_that_closes_at_once_is_tried_again_after_ever_longer_pauses(ui_page: Page) -> None:
    opened: list[WebSocketRoute] = []

    def close(socket: WebSocketRoute) -> None:
        opened.append(socket)
        socket.close(code=1011, reason="an error")

    ui_page.route_web_socket(re.compile("/ws"), close)
    ui_page.clock.install()
    ui_page.goto("/")
    for _ in range(60):
        ui_page.clock.run_for(1000)
    # Pauses of half a second to half a minute, on average half as long.
    assert 4 <= len(opened) <= 40
    await_cut(ui_page)
    before = len(opened)
    ui_page.get_by_role("button", name="Now").click()
    assert len(opened) > before


@pytest.mark.parametrize("answer", ["problem", "html", "nothing"])
def test_an_api_that_is_down_is_told_and_the_page_goes_on_by_itself(
    ui_page: Page, guard: Guard, kit: Kit, answer: str
) -> None:
    guard.allow_status(502, 503)
    guard.allow("net::ERR_CONNECTION_REFUSED")
    order_id = kit.place(type="limit", limitPrice="900")
    ui_page.goto("/")
    await_status(ui_page, [order_id], "open")
    pattern = "/api/.*"
    if answer == "problem":
        play_problem(ui_page, pattern, 503, "UNAVAILABLE", "The engine cannot answer now. Try again.")
    elif answer == "html":
        play_html(ui_page, pattern)
    else:
        ui_page.route(re.compile("/api/"), lambda route: route.abort("connectionrefused"))
    expect(alerts(ui_page).first).to_be_visible()
    await_status(ui_page, [order_id], "open")
    keep_pictures(ui_page, f"outage {answer}")
    assert_accessible(ui_page)
    ui_page.unroute_all()
    expect(alerts(ui_page)).to_have_count(0)


@pytest.mark.engine(auth=True)
def test_a_key_opens_the_page_and_is_kept_in_memory_alone(ui_page: Page, kit: Kit) -> None:
    key = kit.engine.key("alice")
    ui_page.goto("/")
    assert_accessible(ui_page)
    keep_pictures(ui_page, "sign in")
    enter_key(ui_page, key)
    await_live(ui_page)
    kept = "JSON.stringify([localStorage, sessionStorage, document.cookie, location.href, document.title])"
    assert key not in ui_page.evaluate(kept)
    assert key not in ui_page.content()
    ui_page.get_by_role("button", name="Sign out").click()
    expect(ui_page.get_by_label("API key")).to_be_visible()


@pytest.mark.engine(auth=True)
def test_a_wrong_key_is_refused_where_it_was_asked_for(ui_page: Page, guard: Guard, kit: Kit) -> None:
    guard.allow_status(401)
    ui_page.goto("/")
    key = kit.engine.key("alice")
    enter_key(ui_page, key[:-1] + ("y" if key.endswith("x") else "x"))
    expect(alerts(ui_page)).to_be_visible()
    expect(ui_page.get_by_label("API key")).to_be_visible()
    enter_key(ui_page, key)
    await_live(ui_page)
    expect(alerts(ui_page)).to_have_count(0)


@pytest.mark.engine(auth=True)
def test_an_expired_key_asks_for_another_and_keeps_the_address(ui_page: Page, guard: Guard, kit: Kit) -> None:
    guard.allow_status(401)
    ui_page.goto("/#/market")
    enter_key(ui_page, kit.engine.key("alice"))
    await_live(ui_page)
    play_problem(ui_page, "/api/.*", 401, "UNAUTHENTICATED", "The API key has expired.")
    expect(ui_page.get_by_label("API key")).to_be_visible()
    expect(alerts(ui_page)).to_contain_text("expired")
    ui_page.unroute_all()
    enter_key(ui_page, kit.engine.key("alice"))
    await_live(ui_page)
    expect(ui_page).to_have_title(re.compile("^Market"))


def test_an_answer_without_sense_stops_nothing(ui_page: Page) -> None:
    play(ui_page, "/api/orders", {"unexpected": True}, times=1)
    ui_page.goto("/")
    await_live(ui_page)
