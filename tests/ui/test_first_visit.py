"""A first visit: three sentences, and a first order by one button."""

import re

from playwright.sync_api import Page, Route, expect

from tests.ui.accessibility import assert_accessible
from tests.ui.artefacts import keep_pictures
from tests.ui.guard import Guard
from tests.ui.kit import Kit
from tests.ui.module import await_status
from tests.ui.played import play_list, play_problem

BUTTON = "Place a first order"


def test_a_first_visit_explains_itself_and_one_button_leads_to_an_order_that_moves(ui_page: Page, kit: Kit) -> None:
    ui_page.goto("/")
    expect(ui_page.get_by_role("heading", name="No orders yet")).to_be_visible()
    expect(ui_page.locator("main p")).to_have_count(3)
    assert_accessible(ui_page)
    keep_pictures(ui_page, "first visit")
    ui_page.get_by_role("button", name=BUTTON).click()
    expect(ui_page).to_have_url(re.compile(r"#/orders/[0-9a-f-]{36}$"))
    (order_id,) = kit.engine.orders
    assert order_id in ui_page.url
    await_status(ui_page, [order_id], "confirmed")
    ui_page.get_by_role("link", name="Orders", exact=True).click()
    expect(ui_page.locator("tbody tr")).to_have_count(1)
    ui_page.get_by_text("What is this?").click()
    expect(ui_page.get_by_role("button", name=BUTTON)).to_be_visible()


def test_a_click_after_a_lost_answer_places_no_second_order(ui_page: Page, guard: Guard, kit: Kit) -> None:
    guard.allow("net::ERR_FAILED")

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    ui_page.route("**/api/orders/execute", lose, times=1)
    # The list would tell of the order before the second click.
    play_list(ui_page, [])
    ui_page.goto("/")
    ui_page.get_by_role("button", name=BUTTON).click()
    expect(ui_page.get_by_role("alert")).to_contain_text("does not answer")
    ui_page.get_by_role("button", name=BUTTON).click()
    expect(ui_page).to_have_url(re.compile(r"#/orders/"))
    assert len(kit.engine.orders) == 1


def test_an_order_that_is_refused_says_so_beside_the_button(ui_page: Page, guard: Guard) -> None:
    guard.allow_status(503)
    play_problem(ui_page, "/api/orders/execute", 503, "UNAVAILABLE", "The engine cannot answer now.", times=1)
    ui_page.goto("/")
    ui_page.get_by_role("button", name=BUTTON).click()
    expect(ui_page.locator(".panel").get_by_role("alert")).to_contain_text("cannot answer now")
