"""Placing orders: a form made of the contract, the preview beside it, and what becomes of an order."""

import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from chalicelib.api.responses.records import record_of
from tests.ui.accessibility import assert_accessible
from tests.ui.artefacts import keep_pictures
from tests.ui.guard import Guard
from tests.ui.kit import Kit
from tests.ui.played import play, play_html, play_problem
from tests.ui.shell import enter_key

MINT = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"
MARKET = "/#/place?type=market&tokenIn=SOL&tokenOut=USDC&amountIn=1.5"
EXECUTE = "/api/orders/execute"
PREVIEW = "/api/orders/preview"


def _text(page: Page, name: str) -> Locator:
    return page.get_by_role("textbox", name=name)


def _choice(page: Page, name: str) -> Locator:
    return page.get_by_role("combobox", name=name)


def _hint(page: Page, field: str) -> Locator:
    """What stands under a field: its hint, or its error."""
    return page.locator(f'.field:has([name="{field}"]) small')


def _preview(page: Page) -> Locator:
    return page.get_by_role("region", name="Preview")


def _button(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile("^Place .* order$"))


def _placed(page: Page, kit: Kit) -> dict[str, Any]:
    """The record of the order whose view the page has gone to."""
    expect(page).to_have_url(re.compile("#/orders/[0-9a-f-]{36}$"))
    return dict(record_of(kit.engine.orders[page.url.rpartition("/")[2]]))


def _tab_to(page: Page, target: Locator) -> None:
    for _ in range(60):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail("the keyboard does not reach it")


def _type_into(page: Page, name: str, text: str) -> None:
    _tab_to(page, _text(page, name))
    page.keyboard.type(text)


def _pick_type(page: Page, arrows: int) -> None:
    """From the market type to the type so many arrows on."""
    _tab_to(page, page.get_by_role("radio", name="market"))
    for _ in range(arrows):
        page.keyboard.press("ArrowRight")


def test_a_keyboard_alone_places_a_market_order(ui_page: Page, kit: Kit) -> None:
    ui_page.goto("/#/place")
    _type_into(ui_page, "Amount in SOL", "1.50")
    expect(_preview(ui_page)).to_contain_text("Swap 1.5 SOL on")
    ui_page.keyboard.press("Enter")
    assert _placed(ui_page, kit)["amountInBase"] == "1500000000"
    expect(ui_page.locator(".toast")).to_have_text("The order is placed.")


def test_a_keyboard_alone_places_a_limit_order(ui_page: Page, kit: Kit) -> None:
    ui_page.goto("/#/place")
    _pick_type(ui_page, 1)
    _type_into(ui_page, "Amount in SOL", "2")
    _type_into(ui_page, "Limit price SOL/USDC", "500.00000000000001")
    expect(_preview(ui_page)).to_contain_text("as soon as the whole of it brings that")
    _tab_to(ui_page, _button(ui_page))
    ui_page.keyboard.press("Space")
    record = _placed(ui_page, kit)
    assert (record["type"], str(record["limitPrice"])) == ("limit", "500.00000000000001")


def test_a_keyboard_alone_places_a_sniper_order(ui_page: Page, kit: Kit) -> None:
    ui_page.goto("/#/place")
    _pick_type(ui_page, 2)
    _type_into(ui_page, "Token you get", MINT)
    _type_into(ui_page, "Amount in SOL", "2")
    _type_into(ui_page, "min liquidity", "500")
    expect(_preview(ui_page)).to_contain_text("the mint has no pool yet")
    ui_page.keyboard.press("Enter")
    record = _placed(ui_page, kit)
    assert record["tokenOut"] == MINT
    assert record["launch"]["minLiquidity"] == 500


@pytest.mark.parametrize("kind", ["market", "limit", "sniper"])
def test_the_form_is_usable_and_fits_in_every_width(ui_page: Page, kind: str) -> None:
    ui_page.goto(f"/#/place?type={kind}&tokenIn=SOL&tokenOut={MINT if kind == 'sniper' else 'USDC'}&amountIn=1.5")
    ui_page.get_by_text("More options").click()
    expect(_preview(ui_page)).to_be_visible()
    assert_accessible(ui_page)
    keep_pictures(ui_page, f"place {kind}")


def test_an_incomplete_form_says_what_it_lacks_without_a_request_or_an_error(ui_page: Page) -> None:
    ui_page.goto("/#/place")
    expect(_preview(ui_page)).to_contain_text("Required: Amount in SOL.")
    expect(ui_page.locator("[aria-invalid=true]")).to_have_count(0)


def test_what_does_not_go_with_a_type_is_not_in_its_form(ui_page: Page) -> None:
    ui_page.goto("/#/place")
    ui_page.get_by_text("More options").click()
    expect(_text(ui_page, "client order id")).to_be_visible()
    expect(_text(ui_page, "Limit price")).to_have_count(0)
    expect(_choice(ui_page, "time in force")).to_have_count(0)


def test_an_address_fills_every_field_and_every_field_writes_the_address(ui_page: Page, kit: Kit) -> None:
    day = (kit.engine.now + timedelta(days=2)).date()
    ui_page.goto(
        f"/#/place?type=sniper&tokenIn=USDC&tokenOut={MINT}&amountIn=15.0&launch.mint={MINT}&launch.venue=meteora"
        f"&launch.maxPrice=0.5&simulate=tx_dropped:2&expiresAt={day}T01:00:07.000Z&clientOrderId=%D9%85&unknown=1"
    )
    expect(_text(ui_page, "Amount in USDC")).to_have_value("15.0")
    expect(_choice(ui_page, "venue")).to_have_value("meteora")
    expect(_choice(ui_page, "simulate")).to_have_value("tx_dropped:2")
    # The tests are five and a half hours ahead.
    expect(ui_page.get_by_label("expires at")).to_have_value(f"{day}T06:30:07")
    _text(ui_page, "Amount in USDC").fill("16.00")
    expect(ui_page).to_have_url(re.compile(f"amountIn=16.00&launch.mint={MINT}.*expiresAt={day}T01%3A00%3A07.000Z"))
    expect(ui_page).not_to_have_url(re.compile("unknown"))


def test_the_form_keeps_its_order_while_another_view_is_shown(ui_page: Page) -> None:
    ui_page.goto(MARKET)
    ui_page.get_by_role("link", name="Engine", exact=True).click()
    ui_page.get_by_role("link", name="Place", exact=True).click()
    expect(_text(ui_page, "Amount in SOL")).to_have_value("1.5")
    expect(ui_page).to_have_url(re.compile("amountIn=1.5"))


def test_the_tokens_are_swapped_by_a_button(ui_page: Page) -> None:
    ui_page.goto(MARKET)
    ui_page.get_by_role("button", name="Swap the tokens").click()
    expect(_preview(ui_page)).to_contain_text("SOL, price SOL/USDC")
    expect(_text(ui_page, "Amount in USDC")).to_have_value("1.5")


@pytest.mark.parametrize(
    ("field", "name", "value", "message"),
    [
        ("amountIn", "Amount in SOL", "-1", "must be greater than 0"),
        ("amountIn", "Amount in SOL", "abc", "must be a finite decimal number"),
        ("amountIn", "Amount in SOL", "1e400", "is out of range"),
        ("amountIn", "Amount in SOL", "0." + "1" * 30, "has more than the 9 decimals of SOL"),
        ("userId", "user id", "a b", re.compile("must be 1 to 64 characters")),
        ("slippage", "slippage", "51", "must be from 0 to 50 percent"),
    ],
)
def test_a_refusal_stands_at_its_field_which_has_the_focus(
    ui_page: Page, guard: Guard, field: str, name: str, value: str, message: str | re.Pattern[str]
) -> None:
    guard.allow_status(422)
    ui_page.goto(f"{MARKET}&{field}={value}")
    _button(ui_page).click()
    expect(_text(ui_page, name)).to_be_focused()
    expect(_text(ui_page, name)).to_have_attribute("aria-invalid", "true")
    expect(_hint(ui_page, field)).to_have_text(message)
    assert_accessible(ui_page)


def test_a_preview_shows_what_the_api_refuses_at_its_field(ui_page: Page, guard: Guard) -> None:
    guard.allow_status(422)
    ui_page.goto(MARKET)
    _choice(ui_page, "Token you get").select_option("SOL")
    expect(_hint(ui_page, "tokenOut")).to_have_text("must differ from tokenIn")
    _choice(ui_page, "Token you get").select_option("JUP")
    expect(_hint(ui_page, "tokenOut")).not_to_have_class("bad")
    expect(_preview(ui_page)).to_contain_text("JUP/SOL")


def test_the_last_of_two_previews_is_shown_in_whatever_order_they_come(ui_page: Page) -> None:
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        held.append(route) if not held else route.continue_()

    ui_page.goto("/#/place")
    ui_page.route(f"**{PREVIEW}", hold_the_first)
    with ui_page.expect_request(f"**{PREVIEW}"):
        _text(ui_page, "Amount in SOL").fill("1")
    _text(ui_page, "Amount in SOL").fill("3")
    expect(_preview(ui_page)).to_contain_text("Swap 3 SOL")
    with ui_page.expect_response(f"**{PREVIEW}"):
        held[0].continue_()
    expect(_preview(ui_page)).to_contain_text("Swap 3 SOL")


def test_a_preview_goes_on_by_itself_after_an_outage(ui_page: Page, guard: Guard) -> None:
    guard.allow_status(502)
    play_html(ui_page, PREVIEW, times=1)
    ui_page.goto(MARKET)
    expect(_preview(ui_page)).to_contain_text("No answer from the engine")
    expect(_preview(ui_page)).to_contain_text("Swap 1.5 SOL on")


def test_a_simulated_fault_is_picked_and_told(ui_page: Page, kit: Kit) -> None:
    ui_page.goto(MARKET)
    expect(_choice(ui_page, "simulate")).to_contain_text("swap never lands")
    _choice(ui_page, "simulate").select_option("no_liquidity")
    expect(_preview(ui_page)).to_contain_text("simulated fault no_liquidity")
    _button(ui_page).click()
    _placed(ui_page, kit)


@pytest.mark.engine(simulation=False)
def test_without_simulation_no_fault_is_offered(ui_page: Page) -> None:
    ui_page.goto(MARKET)
    expect(_preview(ui_page)).to_contain_text("Swap 1.5 SOL on")
    expect(_choice(ui_page, "simulate")).to_have_count(0)


@pytest.mark.engine(auth=True)
def test_with_a_key_the_order_is_of_its_user_and_names_none(ui_page: Page, kit: Kit) -> None:
    ui_page.goto(f"{MARKET}&userId=mallory")
    enter_key(ui_page, kit.engine.key("alice"))
    expect(_preview(ui_page)).to_contain_text("Swap 1.5 SOL on")
    ui_page.get_by_text("More options").click()
    expect(_text(ui_page, "client order id")).to_be_visible()
    expect(_text(ui_page, "user id")).to_have_count(0)
    _button(ui_page).click()
    assert _placed(ui_page, kit)["userId"] == "alice"


def test_an_order_is_one_order_however_often_it_is_placed_before_an_answer(
    ui_page: Page, guard: Guard, kit: Kit
) -> None:
    guard.allow("net::ERR_FAILED")
    lost: list[Route] = []

    def lose_the_first_answer(route: Route) -> None:
        if lost:
            return route.continue_()
        lost.append(route)
        route.fetch()
        return route.abort()

    ui_page.route(f"**{EXECUTE}", lose_the_first_answer)
    ui_page.goto(MARKET)
    _button(ui_page).click()
    expect(ui_page.get_by_text("To place it again unchanged is safe")).to_be_visible()
    _text(ui_page, "Amount in SOL").fill("1.6")
    _text(ui_page, "Amount in SOL").fill("1.5")
    expect(ui_page.get_by_text("To place it again unchanged is safe")).to_be_visible()
    _button(ui_page).dblclick()
    _placed(ui_page, kit)
    assert len(kit.engine.orders) == 1


def test_a_refusal_for_now_keeps_the_form_and_says_when_to_come_back(ui_page: Page, guard: Guard) -> None:
    guard.allow_status(429)
    problem = {
        "title": "Too many",
        "status": 429,
        "detail": "Wait.",
        "code": "RATE_LIMITED",
        "errors": [],
        "retryAfter": 7,
    }
    play(ui_page, EXECUTE, problem, status=429)
    ui_page.goto(MARKET)
    _button(ui_page).click()
    expect(ui_page.get_by_text("Try again in 7 s.")).to_be_visible()
    expect(_text(ui_page, "Amount in SOL")).to_have_value("1.5")


def test_a_contract_that_cannot_be_read_is_told_and_read_again(ui_page: Page, guard: Guard) -> None:
    guard.allow_status(503)
    play_problem(ui_page, "/openapi.json", 503, "UNAVAILABLE", "Out for a moment.", times=1)
    ui_page.goto(MARKET)
    expect(ui_page.get_by_text("Out for a moment.")).to_be_visible()
    expect(_text(ui_page, "Amount in SOL")).to_have_value("1.5")
