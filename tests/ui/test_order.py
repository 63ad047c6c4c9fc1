"""The view of an order, used as a person would."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.ui.accessibility import assert_accessible
from tests.ui.artefacts import keep_pictures
from tests.ui.guard import Guard
from tests.ui.kit import Kit

UNKNOWN = "11111111-1111-4111-8111-111111111111"
#: Right-to-left letters, an override of direction, and a character beyond the basic plane: 255 characters in all.
HOSTILE_ID = "\u202e<b>אב😀" * 36 + "xyz"

_RECORD_STEPS = """() => {
    const places = window.places = [];
    new MutationObserver(() => {
        const items = [...document.querySelectorAll(".steps li")];
        places.push(items.findIndex(item => item.ariaCurrent === "step"));
    }).observe(document.body, {subtree: true, childList: true, characterData: true, attributes: true});
}"""


def _open(page: Page, order_id: str, at: str = "") -> None:
    page.goto(f"/#/orders/{order_id}{at}")
    page.get_by_role("slider").wait_for()


def _badge(page: Page) -> Locator:
    return page.locator("main > .row .badge")


def test_the_step_bar_of_a_retried_order_never_goes_backward(kit: Kit, ui_page: Page) -> None:
    ui_page.goto("/")
    ui_page.evaluate(_RECORD_STEPS)
    _open(ui_page, kit.place(simulate="tx_dropped:2"))
    expect(_badge(ui_page)).to_have_text("confirmed")
    places = [place for place in ui_page.evaluate("places") if place >= 0]
    assert places == sorted(places)
    expect(ui_page.locator("tr", has_text="attempt 3").first).to_be_visible()
    expect(ui_page.get_by_text("Attempt 2 fails:")).to_contain_text("TX_DROPPED")


def test_the_slider_shows_the_order_as_it_stood_at_each_event(kit: Kit, ui_page: Page) -> None:
    order_id = kit.place(simulate="slippage:1")
    with kit.client() as client:
        seq = client.result(order_id).seq
        past = [client.order(order_id, at_seq=at) for at in range(1, seq + 1)]
    _open(ui_page, order_id, "?at=1")
    slider = ui_page.get_by_role("slider")
    slider.focus()
    for at, record in enumerate(past[:-1], 1):
        expect(_badge(ui_page)).to_have_text(record.status)
        assert ui_page.url.endswith(f"at={at}")
        assert (slider.get_attribute("aria-valuetext") or "") != ""
        slider.press("ArrowRight")
    expect(_badge(ui_page)).to_have_text("confirmed")
    slider.press("ArrowLeft")
    ui_page.get_by_role("button", name="Now").click()
    expect(slider).to_have_value(str(seq))


def test_both_quotes_are_shown_as_the_api_wrote_them(kit: Kit, ui_page: Page) -> None:
    order_id = kit.place()
    with kit.client() as client:
        record = client.result(order_id)
    _open(ui_page, order_id)
    for name in ("rQuote", "mQuote"):
        expect(ui_page.locator("main")).to_contain_text(str(record.raw["quotes"][name]["amountOut"]))
    expect(ui_page.get_by_text("✓ won")).to_have_count(1)
    expect(ui_page.get_by_text("Gained")).to_be_visible()
    expect(ui_page.get_by_text("Replayed")).to_be_visible()


def test_a_missing_quote_is_told_with_its_reason(kit: Kit, ui_page: Page) -> None:
    _open(ui_page, kit.place(simulate="venue_down:raydium"))
    expect(ui_page.locator("tr", has_text="raydium").first).to_contain_text("raydium is down")


def test_a_cancel_asks_once_more_and_tells_its_outcome(kit: Kit, ui_page: Page) -> None:
    _open(ui_page, kit.place(type="limit", limitPrice="900"))
    ui_page.get_by_text("Cancel …").click()
    ui_page.get_by_role("button", name="Yes, cancel this order").click()
    expect(ui_page.locator(".toast")).to_contain_text("cancelled: the order is cancelled at event 3")
    expect(_badge(ui_page)).to_have_text("cancelled")


@pytest.mark.engine(venue_time_scale="1")
def test_a_cancel_that_comes_too_late_tells_which_event_won(kit: Kit, ui_page: Page, guard: Guard) -> None:
    guard.allow_status(409)
    _open(ui_page, kit.place(simulate="slow:5000"))
    expect(_badge(ui_page)).to_have_text("submitted")
    ui_page.get_by_text("Cancel …").click()
    ui_page.get_by_role("button", name="Yes, cancel this order").click()
    expect(ui_page.get_by_role("alert")).to_contain_text("The order is submitted and can no longer be cancelled.")


def test_an_order_that_moved_on_is_amended_only_once_its_reader_knows(kit: Kit, ui_page: Page, guard: Guard) -> None:
    guard.allow_status(412)
    order_id = kit.place(type="limit", limitPrice="900")
    _open(ui_page, order_id)
    ui_page.get_by_text("Amend …").click()
    with kit.client() as client:
        client.amend(order_id, limit_price="880")
        ui_page.get_by_label("Limit price").fill("870")
        ui_page.get_by_role("button", name="Amend").click()
        expect(ui_page.get_by_role("alert")).to_contain_text("The order is now open and at seq 3.")
        expect(ui_page.locator(".outcome")).to_contain_text("880")
        assert str(client.order(order_id).limit_price) == "880"
        ui_page.get_by_role("button", name="Amend").click()
        expect(ui_page.locator(".toast")).to_contain_text("amended")
        assert str(client.order(order_id).limit_price) == "870"


def test_a_wrong_amendment_is_told_at_its_field(kit: Kit, ui_page: Page, guard: Guard) -> None:
    guard.allow_status(422)
    _open(ui_page, kit.place(type="limit", limitPrice="900"))
    ui_page.get_by_text("Amend …").click()
    ui_page.get_by_label("Limit price").fill("cheap")
    ui_page.get_by_role("button", name="Amend").click()
    expect(ui_page.get_by_label("Limit price")).to_have_attribute("aria-invalid", "true")
    expect(ui_page.get_by_label("Limit price")).to_have_accessible_description("must be a finite decimal number")


@pytest.mark.parametrize(("order_id", "title"), [(UNKNOWN, "Order not found"), ("nonsense", "Malformed request")])
def test_an_order_that_cannot_be_read_is_told(ui_page: Page, guard: Guard, order_id: str, title: str) -> None:
    guard.allow_status(400, 404)
    ui_page.goto(f"/#/orders/{order_id}")
    expect(ui_page.get_by_role("alert")).to_contain_text(title)
    expect(ui_page.get_by_role("link", name="All orders")).to_be_visible()


def test_an_order_is_read_once_the_api_answers_again(kit: Kit, ui_page: Page, guard: Guard) -> None:
    guard.allow_status(503)
    order_id = kit.place()
    ui_page.route("**/api/orders/*", lambda route: route.fulfill(status=503, body="<h1>Bad</h1>"))
    ui_page.goto(f"/#/orders/{order_id}")
    expect(ui_page.get_by_role("alert").first).to_contain_text("No answer from the engine")
    ui_page.unroute("**/api/orders/*")
    expect(ui_page.get_by_role("slider")).to_be_visible()
    expect(ui_page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("confirmed", {}),
        ("retried", {"simulate": "tx_dropped:2"}),
        ("degraded", {"simulate": "venue_down:raydium"}),
        ("failed", {"simulate": "no_liquidity"}),
        ("open", {"type": "limit", "limitPrice": "900", "clientOrderId": HOSTILE_ID}),
        ("missed", {"type": "limit", "limitPrice": "60", "simulate": "slippage:2"}),
    ],
)
def test_every_kind_of_order_is_accessible_and_fits_each_width(
    kit: Kit, ui_page: Page, name: str, fields: dict[str, str]
) -> None:
    order_id = kit.place(**fields)
    _open(ui_page, order_id)
    if name != "open":
        with kit.client() as client:
            client.result(order_id)
    expect(ui_page.get_by_text("Replayed")).to_be_visible()
    ui_page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert_accessible(ui_page)
    keep_pictures(ui_page, f"order-{name}", full_page=name == "retried")
