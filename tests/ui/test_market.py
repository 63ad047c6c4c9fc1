"""The market view: prices over time, limits that are moved, what a feed tells, and launches awaited."""

import re
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from tests.support.kit import asked, body_of, get
from tests.ui.accessibility import assert_accessible
from tests.ui.artefacts import keep_pictures
from tests.ui.guard import Guard
from tests.ui.kit import Kit
from tests.ui.played import play, play_list, play_problem, records_like

MINT = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"


@pytest.fixture
def amendments(ui_page: Page) -> list[Request]:
    """The amendments that the page asks for."""
    found: list[Request] = []

    def keep(request: Request) -> None:
        if request.method == "PATCH":
            found.append(request)

    ui_page.on("request", keep)
    return found


def _open_limit(kit: Kit, price: str = "104", **fields: Any) -> str:
    kit.engine.price("SOL/USDC", 100)
    return kit.place(type="limit", amountIn="1.25", limitPrice=price, **fields)


def _limit_line(page: Page) -> Locator:
    """The line of the only limit, once there is a quote and the scale stands."""
    expect(page.locator(".chart circle")).to_have_count(2)
    return page.get_by_role("slider", name="Limit:")


def _record(kit: Kit, order_id: str) -> dict[str, Any]:
    return body_of(asked(kit.engine, get(f"/api/orders/{order_id}")))


def _drag(page: Page, line: Locator, up: float) -> None:
    box = line.locator("rect").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - up / 2, steps=3)
    page.mouse.move(x, y - up, steps=3)
    page.mouse.up()


def test_both_venues_have_a_price_and_the_better_one_is_marked(ui_page: Page, kit: Kit) -> None:
    ui_page.goto("/#/market?pair=SOL%2FUSDC&amountIn=2&side=buy")
    reading = ui_page.get_by_role("slider", name="Sample")
    expect(reading).to_have_attribute("aria-valuetext", re.compile(r"raydium [\d.]+.*meteora [\d.]+.*net of fees"))
    expect(ui_page.locator(".chart text", has_text="✓")).to_have_count(1)


def test_the_numbers_of_a_sample_are_as_the_api_wrote_them(ui_page: Page) -> None:
    quote = '{"price": 0.000020384000000001230, "amountOut": 1}'
    play(ui_page, "/api/quotes", f'{{"rQuote": {quote}, "mQuote": null, "chosen": "raydium", "reason": "alone"}}')
    ui_page.goto("/#/market?pair=BONK%2FUSDC&amountIn=1000")
    expect(ui_page.locator(".chart")).to_contain_text("raydium 0.000020384000000001230 ✓,")


def test_arrow_keys_read_the_samples_out(ui_page: Page) -> None:
    ui_page.goto("/#/market")
    reading = ui_page.get_by_role("slider", name="Sample")
    expect(reading).to_have_attribute("max", "2")
    newest = reading.get_attribute("aria-valuetext") or ""
    reading.focus()
    ui_page.keyboard.press("ArrowLeft")
    expect(reading).to_have_value(re.compile("^[01]$"))
    expect(reading).not_to_have_attribute("aria-valuetext", newest)


def test_a_drag_amends_the_limit_once(ui_page: Page, kit: Kit, amendments: list[Request]) -> None:
    order_id = _open_limit(kit)
    ui_page.goto("/#/market")
    _drag(ui_page, _limit_line(ui_page), up=30)
    expect(ui_page.get_by_role("status").filter(has_text="Amended")).to_be_visible()
    assert [request.header_value("if-match") for request in amendments] == ['"2"']
    limit = _record(kit, order_id)["limitPrice"]
    assert limit > 104
    expect(_limit_line(ui_page)).to_have_attribute("aria-valuenow", f"{limit}")


def test_a_click_on_a_limit_amends_nothing(ui_page: Page, kit: Kit, amendments: list[Request]) -> None:
    order_id = _open_limit(kit)
    ui_page.goto("/#/market")
    _drag(ui_page, _limit_line(ui_page), up=1)
    # A price that is told after the click comes after any amendment.
    ui_page.get_by_label("Price, USDC per SOL").fill("100")
    ui_page.get_by_role("button", name="Push a price").click()
    expect(ui_page.get_by_role("status").filter(has_text="Taken")).to_be_visible()
    assert not amendments
    assert _record(kit, order_id)["seq"] == 2


@pytest.mark.browser(has_touch=True)
def test_a_finger_drags_a_limit_by_its_price(ui_page: Page, kit: Kit, amendments: list[Request]) -> None:
    _open_limit(kit)
    ui_page.goto("/#/market")
    box = _limit_line(ui_page).locator("rect").bounding_box()
    assert box is not None
    touch = ui_page.context.new_cdp_session(ui_page)
    at = {"x": box["x"] + 20, "y": box["y"] + 9}
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at]})
    for up in (10, 20, 30):
        point = {**at, "y": at["y"] - up}
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(ui_page.get_by_role("status").filter(has_text="Amended")).to_be_visible()
    assert len(amendments) == 1


def test_the_keyboard_moves_a_limit_and_enter_amends_it(ui_page: Page, kit: Kit, amendments: list[Request]) -> None:
    order_id = _open_limit(kit)
    ui_page.goto("/#/market")
    line = _limit_line(ui_page)
    line.focus()
    for key in ("ArrowUp", "PageUp", "Enter", "Enter"):
        ui_page.keyboard.press(key)
    expect(ui_page.get_by_role("status").filter(has_text="Amended")).to_be_visible()
    assert len(amendments) == 1
    assert _record(kit, order_id)["limitPrice"] > 104


def test_escape_leaves_a_limit_where_it_was(ui_page: Page, kit: Kit, amendments: list[Request]) -> None:
    _open_limit(kit)
    ui_page.goto("/#/market")
    line = _limit_line(ui_page)
    line.focus()
    ui_page.keyboard.press("ArrowDown")
    expect(line).not_to_have_attribute("aria-valuenow", "104")
    ui_page.keyboard.press("Escape")
    expect(line).to_have_attribute("aria-valuenow", "104")
    assert not amendments


@pytest.mark.parametrize(
    ("status", "code"), [(412, "ORDER_MOVED_ON"), (409, "ORDER_NOT_OPEN"), (422, "INVALID_ORDER")]
)
def test_a_refused_amendment_says_why_and_the_line_returns(
    ui_page: Page, guard: Guard, kit: Kit, status: int, code: str
) -> None:
    guard.allow_status(status)
    order_id = _open_limit(kit)
    ui_page.goto("/#/market")
    line = _limit_line(ui_page)
    play_problem(ui_page, f"/api/orders/{order_id}", status, code, "Something else came first.", times=1)
    line.focus()
    ui_page.keyboard.press("ArrowUp")
    ui_page.keyboard.press("Enter")
    expect(ui_page.get_by_role("alert")).to_contain_text("Something else came first.")
    expect(line).to_have_attribute("aria-valuenow", "104")


def test_a_pushed_price_triggers_an_open_limit_and_its_fill_is_on_the_chart(ui_page: Page, kit: Kit) -> None:
    order_id = _open_limit(kit)
    ui_page.goto("/#/market")
    _limit_line(ui_page)
    ui_page.get_by_label("Price, USDC per SOL").fill("120")
    ui_page.get_by_role("button", name="Push a price").click()
    expect(ui_page.get_by_role("status").filter(has_text="triggered 1")).to_be_visible()
    fill = ui_page.locator(f'.chart svg a[href$="{order_id}"]')
    expect(fill).to_have_attribute("aria-label", re.compile("^sell at "))
    expect(ui_page.get_by_role("slider", name="Limit:")).to_have_count(0)


def test_a_launch_awaited_fills_in_the_pool_that_then_opens(ui_page: Page, kit: Kit) -> None:
    kit.place(
        type="sniper", tokenIn="USDC", tokenOut=MINT, amountIn="15", slippage="5", launch={"minLiquidity": "500"}
    )
    ui_page.goto("/#/market")
    row = ui_page.locator(".row", has_text="min liquidity 500")
    row.get_by_role("button", name="Open its pool").click()
    expect(ui_page.get_by_label("Mint")).to_be_focused()
    expect(ui_page.get_by_label("Mint")).to_have_value(MINT)
    ui_page.keyboard.press("Enter")
    expect(ui_page.get_by_role("status").filter(has_text="duplicate false")).to_be_visible()
    expect(row).to_have_count(0)


def test_the_errors_of_a_pool_are_at_its_fields(ui_page: Page, guard: Guard) -> None:
    guard.allow_status(422)
    ui_page.goto("/#/market")
    ui_page.get_by_label("Mint").fill("no mint")
    ui_page.get_by_role("button", name="Open a pool").click()
    expect(ui_page.get_by_label("Mint")).to_have_attribute("aria-invalid", "true")
    expect(ui_page.locator(".field", has_text="Mint")).to_contain_text("must be the address of a mint")


def test_a_size_that_is_no_number_says_so_and_another_goes_on(ui_page: Page, guard: Guard) -> None:
    guard.allow_status(400)
    ui_page.goto("/#/market?amountIn=many")
    expect(ui_page.get_by_role("alert")).to_contain_text("must be a finite decimal number")
    ui_page.get_by_label("Pays, SOL").fill("3")
    ui_page.keyboard.press("Enter")
    expect(ui_page.locator(".chart circle")).to_have_count(2)
    expect(ui_page.get_by_role("alert")).to_have_count(0)


def test_prices_that_fail_leave_a_gap_with_its_reason_and_go_on(ui_page: Page, guard: Guard) -> None:
    guard.allow_status(503)
    ui_page.goto("/#/market")
    expect(ui_page.locator(".chart circle")).to_have_count(2)
    play_problem(ui_page, "/api/quotes", 503, "UNAVAILABLE", "No venue gives a quote now.", times=1)
    gap = ui_page.locator(".chart .gap")
    expect(gap).to_have_count(1)
    expect(gap.locator("title")).to_have_text("No venue gives a quote now.")
    expect(ui_page.locator(".chart circle")).to_have_count(2)


def test_60_limits_and_10_000_fills_are_drawn_and_accessible(ui_page: Page, kit: Kit) -> None:
    open_one = _record(kit, _open_limit(kit))
    kit.place()
    kit.engine.settle()
    listed = body_of(asked(kit.engine, get("/api/orders", status="confirmed")))["orders"][0]
    text = asked(kit.engine, get(f"/api/orders/{listed['orderId']}")).body.decode()
    fills = [{**record, "updatedAt": listed["updatedAt"]} for record in records_like(text, 10_000)]
    limits = [
        {
            **open_one,
            "orderId": f"11111111-0000-4000-8000-{number:012d}",
            "limitPrice": Decimal(95) + number / Decimal(5),
        }
        for number in range(60)
    ]
    play_list(ui_page, [*limits, *fills])
    ui_page.goto("/#/market")
    expect(ui_page.get_by_role("slider", name="Limit:")).to_have_count(60)
    expect(ui_page.locator(".chart .fill")).to_have_count(200)
    assert_accessible(ui_page)
    keep_pictures(ui_page, "market with very much")


def test_a_market_is_accessible_with_little(ui_page: Page, kit: Kit) -> None:
    _open_limit(kit)
    ui_page.goto("/#/market")
    _limit_line(ui_page)
    assert_accessible(ui_page)
    keep_pictures(ui_page, "market with little")
