"""The list of orders, as a person reads it."""

from playwright.sync_api import Locator, Page, expect

from chalicelib.codec.exact_json import dumps
from tests.ui.accessibility import assert_accessible
from tests.ui.artefacts import keep_pictures
from tests.ui.kit import Kit
from tests.ui.module import await_status

LISTED = 10_000
#: 255 characters of a script that is read from the right, emoji of several code points, and markup.
HOSTILE_ID = ("<img src=x onerror=alert(1)>" + "مرحبا👩‍👩‍👧‍👦" * 40)[:255]


def row_of(page: Page, order_id: str) -> Locator:
    """The row of an order, which has a link to it."""
    return page.get_by_role("row").filter(has=page.locator(f"a[href*='{order_id}']"))


def test_an_order_appears_by_itself_and_its_row_changes_in_place(ui_page: Page, kit: Kit) -> None:
    kit.place()
    ui_page.goto("/#/orders")
    order_id = kit.place(type="limit", limitPrice="150")
    row = row_of(ui_page, order_id)
    expect(row).to_contain_text("open")
    element = row.element_handle()
    kit.engine.price("SOL/USDC", 250)
    expect(row).to_contain_text("confirmed")
    assert row.evaluate("(row, before) => row === before", element)


def test_the_newest_order_stands_first(ui_page: Page, kit: Kit) -> None:
    order_ids = []
    for _ in range(3):
        order_ids.append(kit.place())
        kit.engine.advance(1)
    ui_page.goto("/#/orders")
    links = ui_page.get_by_role("row").locator("a[href*='/orders/']")
    expect(links).to_have_count(3)
    found = [link.get_attribute("href") or "" for link in links.all()]
    assert [href.rpartition("/")[2] for href in found] == order_ids[::-1]


def test_numbers_are_shown_digit_by_digit_as_the_api_writes_them(ui_page: Page, kit: Kit) -> None:
    order_id = kit.place(tokenIn="BONK", tokenOut="SOL", amountIn="123456789.12345")
    tiny = kit.place(tokenIn="USDC", tokenOut="BONK", amountIn="0.000001", type="limit", limitPrice="0.00000001")
    ui_page.goto("/#/orders")
    await_status(ui_page, [order_id], "confirmed")
    record = kit.client().order(order_id)
    expect(row_of(ui_page, order_id)).to_contain_text("123456789.12345")
    expect(row_of(ui_page, order_id)).to_contain_text(f"{record.amount_out:f}")
    expect(row_of(ui_page, order_id)).to_contain_text(f"{record.executed_price:f}")
    expect(row_of(ui_page, tiny)).to_contain_text("0.000001")
    expect(row_of(ui_page, tiny)).to_contain_text("0.00000001")


def test_a_time_is_in_the_readers_zone_with_the_exact_one_as_its_title(ui_page: Page, kit: Kit) -> None:
    order_id = kit.place()
    ui_page.goto("/#/orders")
    time = row_of(ui_page, order_id).locator("time").first
    exact = time.get_attribute("datetime") or ""
    assert time.get_attribute("title") == exact == dumps(kit.client().order(order_id).raw["createdAt"]).strip('"')
    in_kolkata = ui_page.evaluate(
        "exact => new Date(exact).toLocaleTimeString('en-GB', {timeZone: 'Asia/Kolkata'})", exact
    )
    expect(time).to_contain_text(in_kolkata)


def test_text_of_users_is_text_and_stretches_nothing(ui_page: Page, kit: Kit) -> None:
    order_id = kit.place(clientOrderId=HOSTILE_ID, userId="a" * 64)
    ui_page.goto("/#/orders?clientOrderId=" + "".join(f"%{byte:02x}" for byte in HOSTILE_ID.encode()))
    expect(row_of(ui_page, order_id)).to_be_visible()
    expect(ui_page.locator("img")).to_have_count(0)
    assert_accessible(ui_page)
    keep_pictures(ui_page, "orders hostile")
