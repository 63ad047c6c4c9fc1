"""The page as the front door of a stack serves it, minified: with authentication and without."""

from playwright.sync_api import Page, expect

from tests.e2e.client import Client
from tests.support.stack import RunningStack
from tests.ui.artefacts import keep_pictures
from tests.ui.shell import await_live, enter_key


def test_the_page_follows_an_order_that_is_placed_elsewhere(
    ui_page: Page, client: Client, stack: RunningStack
) -> None:
    ui_page.goto("/")
    if stack.key:
        enter_key(ui_page, stack.key)
    await_live(ui_page)
    order_id = client.accept()["orderId"]
    row = ui_page.locator("tbody tr").filter(has=ui_page.locator(f"a[href$='{order_id}']"))
    expect(row).to_contain_text("confirmed")
    ui_page.goto(f"/#/orders/{order_id}")
    keep_pictures(ui_page, f"stack order {'locked' if stack.key else 'open'}")
