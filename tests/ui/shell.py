"""What a person does and reads on every view of the page."""

import re

from playwright.sync_api import Locator, Page, expect


def await_live(page: Page) -> None:
    """Wait until the socket is open and its streams are up to date."""
    expect(page.locator(".link.live")).to_be_visible()


def await_cut(page: Page) -> None:
    """Wait until the page says that the socket is cut off, and that it tries again."""
    expect(page.locator(".link.waiting")).to_contain_text("again")


def alerts(page: Page) -> Locator:
    """What the page says is wrong. An alert without words waits for something to say."""
    return page.get_by_role("alert").filter(has_text=re.compile(r"\S"))


def enter_key(page: Page, key: str) -> None:
    """Sign in with an API key, where the page asks for one."""
    page.get_by_label("API key").fill(key)
    page.keyboard.press("Enter")
