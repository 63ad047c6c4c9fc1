"""The list of orders: rows that move, filters in the address, counts that lead to lists, and very many orders."""

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

from chalicelib.codec.exact_json import dumps
from tests.ui.accessibility import assert_accessible
from tests.ui.artefacts import keep_figures, keep_pictures
from tests.ui.frames import counted_frames
from tests.ui.guard import Guard
from tests.ui.kit import Kit
from tests.ui.module import await_status
from tests.ui.played import play, play_list, records_like

#: A record of a market order that has failed; the fields that are null are left out.
_RECORD = {
    "userId": "anonymous",
    "type": "market",
    "side": "sell",
    "tokenIn": "SOL",
    "tokenOut": "USDC",
    "amountIn": 1,
    "status": "failed",
    "seq": 3,
    "attempts": 1,
    "failCode": "NO_LIQUIDITY",
    "failReason": "raydium has no liquidity",
    "updatedAt": "2026-01-02T00:00:00.000Z",
}
_STATUSES = ["pending", "routing", "building", "submitted", "confirmed"]
#: Keeps the statuses that each row has shown, one after the other.
_WATCH_STATUSES = """() => {
    const seen = window.statusesSeen = {};
    new MutationObserver(() => document.querySelectorAll("tbody tr").forEach(row => {
        (seen[row.querySelector("a").title] ??= []).push(row.querySelector(".badge").textContent);
    })).observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true});
}"""


def rows(page: Page) -> Locator:
    return page.locator("tbody tr")


def row(page: Page, order_id: str) -> Locator:
    return rows(page).filter(has=page.locator(f"a[href$='{order_id}']"))


def record(**fields: Any) -> str:
    return dumps({**_RECORD, **fields})


def _ids(page: Page) -> list[str]:
    """The ids of the orders that are listed, newest first."""
    return [str(found) for found in rows(page).locator("a").evaluate_all("links => links.map(link => link.title)")]


def _height(shown: Locator) -> float:
    box = shown.bounding_box()
    assert box
    return box["height"]


def test_an_order_moves_in_its_row_and_never_goes_backward(ui_page: Page, kit: Kit) -> None:
    ui_page.goto("/")
    expect(ui_page.get_by_role("heading", name="No orders yet")).to_be_visible()
    ui_page.evaluate(_WATCH_STATUSES)
    order_id = kit.place()
    shown = row(ui_page, order_id)
    expect(shown).to_contain_text("confirmed")
    expect(shown).to_contain_text("market sell")
    expect(shown).to_contain_text(re.compile(r"1\.5 SOL → [\d.]+ USDC"))
    seen = ui_page.evaluate("id => statusesSeen[id]", order_id)
    assert seen == sorted(seen, key=_STATUSES.index), seen


def test_why_an_order_failed_opens_to_its_whole_text_which_is_never_markup(ui_page: Page) -> None:
    reason = "<img src=x> " + "a very long reason " * 20
    play_list(ui_page, records_like(record(failReason=reason), 1))
    ui_page.goto("/")
    shown = rows(ui_page).first
    expect(shown).to_contain_text("NO_LIQUIDITY")
    expect(shown.locator("img")).to_have_count(0)
    low = _height(shown)
    shown.locator("summary").focus()
    ui_page.keyboard.press("Enter")
    assert _height(shown) > low


def test_filters_live_in_the_address_and_the_back_button_undoes_them(ui_page: Page, kit: Kit) -> None:
    good, bad = kit.place(), kit.place(simulate="no_liquidity")
    other = kit.place(type="limit", limitPrice="900", userId="somebody")
    ui_page.goto("/")
    await_status(ui_page, [good], "confirmed")
    ui_page.get_by_label("Status").select_option("failed")
    expect(ui_page).to_have_url(re.compile("status=failed"))
    expect(rows(ui_page)).to_have_count(1)
    expect(row(ui_page, bad)).to_be_visible()
    ui_page.go_back()
    expect(rows(ui_page)).to_have_count(3)
    ui_page.get_by_label("User").fill("somebody")
    ui_page.keyboard.press("Enter")
    expect(row(ui_page, other)).to_be_visible()
    expect(rows(ui_page)).to_have_count(1)
    ui_page.get_by_role("link", name="All orders").click()
    expect(rows(ui_page)).to_have_count(3)
    expect(ui_page.get_by_label("User")).to_have_value("")


def test_the_links_of_other_views_lead_to_the_orders_that_they_name(ui_page: Page, kit: Kit) -> None:
    good, bad = kit.place(), kit.place(simulate="no_liquidity")
    kit.place(tokenIn="USDC", tokenOut="BONK", amountIn="5")
    ui_page.goto("/")
    await_status(ui_page, [good], "confirmed")
    await_status(ui_page, [bad], "failed")
    ui_page.goto("/#/orders?pair=SOL/USDC&status=confirmed")
    expect(rows(ui_page)).to_have_count(1)
    expect(row(ui_page, good)).to_be_visible()
    ui_page.goto("/#/orders?status=failed&from=2020-01-01T00:00:00.000Z")
    expect(row(ui_page, bad)).to_be_visible()
    expect(rows(ui_page)).to_have_count(1)


def test_a_filtered_list_takes_up_what_comes_to_match(ui_page: Page, kit: Kit) -> None:
    waiting = kit.place(type="limit", limitPrice="150")
    ui_page.goto("/#/orders?status=confirmed")
    expect(ui_page.get_by_text("No order matches the filters.")).to_be_visible()
    kit.engine.price("SOL/USDC", 250)
    expect(row(ui_page, waiting)).to_be_visible(timeout=15_000)


def test_a_time_is_picked_in_the_readers_zone(ui_page: Page, kit: Kit) -> None:
    order_id = kit.place()
    ui_page.goto("/#/orders?from=2020-01-31T22:00:00.000Z")
    expect(row(ui_page, order_id)).to_be_visible()
    # The tests are five and a half hours ahead.
    expect(ui_page.get_by_label("From")).to_have_value("2020-02-01T03:30")
    ui_page.get_by_label("To").fill("2021-01-01T00:00")
    ui_page.keyboard.press("Enter")
    expect(rows(ui_page)).to_have_count(0)


def test_a_filter_that_the_engine_refuses_is_told_at_its_field_and_the_list_stays(
    ui_page: Page, guard: Guard, kit: Kit
) -> None:
    guard.allow_status(400)
    kit.place(type="limit", limitPrice="900")
    ui_page.goto("/")
    expect(rows(ui_page)).to_have_count(1)
    ui_page.get_by_label("Pair").fill("SOLUSDC")
    ui_page.keyboard.press("Enter")
    expect(ui_page.get_by_role("alert")).to_contain_text("must be two tokens with a market")
    expect(ui_page.get_by_label("Pair")).to_have_attribute("aria-invalid", "true")
    expect(rows(ui_page)).to_have_count(1)
    assert_accessible(ui_page)
    keep_pictures(ui_page, "orders refused filter")
    ui_page.get_by_label("Pair").fill("usdc/sol".upper())
    ui_page.keyboard.press("Enter")
    expect(ui_page.get_by_role("alert")).to_have_count(0)
    expect(rows(ui_page)).to_have_count(1)


def test_a_count_leads_to_the_orders_that_it_counts(ui_page: Page, kit: Kit) -> None:
    bad = kit.place(simulate="no_liquidity")
    kit.place(type="limit", limitPrice="900")
    kit.engine.advance("20s")
    ui_page.goto("/")
    ui_page.get_by_role("link", name="1 failed").first.click()
    expect(ui_page).to_have_url(re.compile("status=failed&from="))
    expect(row(ui_page, bad)).to_be_visible()
    expect(rows(ui_page)).to_have_count(1)


def test_counts_that_the_history_cannot_give_are_said_to_be_missing(ui_page: Page) -> None:
    play(ui_page, "/api/stats", {"since": "2026-01-01T00:00:00.000Z", "userId": None, "execution": None})
    play_list(ui_page, records_like(record(), 1))
    ui_page.goto("/")
    expect(ui_page.get_by_text("Last day cannot be counted at the moment")).to_be_visible()


def test_an_id_of_255_right_to_left_emoji_breaks_no_layout(ui_page: Page, kit: Kit) -> None:
    client_id = "\u202e🚀ש" * 85
    order_id = kit.place(clientOrderId=client_id)
    ui_page.goto("/")
    expect(row(ui_page, order_id)).to_be_visible()
    ui_page.get_by_label("Client order id").fill(client_id)
    ui_page.keyboard.press("Enter")
    expect(ui_page).to_have_url(re.compile("clientOrderId="))
    expect(row(ui_page, order_id)).to_be_visible()
    keep_pictures(ui_page, "orders right to left")


def test_of_10000_orders_the_list_draws_the_newest_and_older_ones_on_request(ui_page: Page) -> None:
    play_list(ui_page, records_like(record(), 10_000))
    ui_page.goto("/")
    expect(rows(ui_page)).to_have_count(200)
    seen = set(_ids(ui_page))
    for oldest in (398, 597):
        ui_page.get_by_role("link", name="Older orders").click()
        # The oldest of a list is the newest of the next, which may begin within the same millisecond.
        expect(row(ui_page, max(seen))).to_have_count(1)
        expect(row(ui_page, f"{oldest:012d}")).to_have_count(1)
        seen |= set(_ids(ui_page))
    assert len(seen) == 598
    assert_accessible(ui_page)
    with counted_frames(ui_page) as frames:
        ui_page.mouse.move(600, 400)
        for _ in range(10):
            ui_page.mouse.wheel(0, 2000)
            ui_page.wait_for_timeout(50)
    keep_figures("200 rows scrolled", frames.figures)
    keep_pictures(ui_page, "orders many", full_page=False)
