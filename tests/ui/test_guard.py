"""The guard sees what a page must never do, so that its silence says something."""

import time

import pytest
from playwright.sync_api import Browser, Page

from tests.ui.accessibility import assert_accessible
from tests.ui.guard import Guard
from tests.ui.kit import Kit


@pytest.fixture
def seen(browser: Browser, kit: Kit) -> Guard:
    """A guard that fails no test by itself."""
    return Guard(browser.new_context(base_url=kit.url), kit.url)


@pytest.fixture
def page(seen: Guard) -> Page:
    page = seen.context.new_page()
    page.goto("/")
    assert seen.faults() == []
    return page


@pytest.mark.parametrize(
    ("deed", "fault"),
    [
        ("console.error('an error')", "console error: an error"),
        ("console.warn('a warning')", "console warning: a warning"),
        ("setTimeout(() => { throw new Error('thrown'); })", "uncaught: Error: thrown"),
        ("Promise.reject(new Error('rejected')), 0", "uncaught: Error: rejected"),
        ("document.body.setAttribute('style', 'color: red')", "CSP violation: style-src-attr inline"),
        ("fetch('https://elsewhere.test/').catch(() => 0)", "CSP violation: connect-src https://elsewhere.test/"),
        ("new WebSocket('ws://elsewhere.test/'), 0", "CSP violation: connect-src ws://elsewhere.test/"),
        ("open('http://elsewhere.test/'), 0", "foreign request: http://elsewhere.test/"),
        ("open('http://elsewhere.test/'), 0", "request failed: GET http://elsewhere.test/"),
        ("fetch('/nothing').then(() => 0)", "the server responded with a status of 404"),
    ],
)
def test_the_guard_sees(page: Page, seen: Guard, deed: str, fault: str) -> None:
    page.evaluate(deed)
    deadline = time.monotonic() + 10
    while not any(fault in one for one in seen.faults()):
        assert time.monotonic() < deadline, seen.faults()


def test_the_guard_lets_pass_what_a_test_allows_by_name(page: Page, seen: Guard) -> None:
    page.evaluate("fetch('/nothing').then(() => 0)")
    page.wait_for_function("() => true")
    seen.allow_status(404)
    assert seen.faults() == []


def test_axe_sees_an_image_without_words_and_a_pale_text_in_one_scheme(page: Page, seen: Guard) -> None:
    page.evaluate("document.body.append(document.createElement('img'))")
    with pytest.raises(AssertionError, match="image-alt"):
        assert_accessible(page)
    page.evaluate("document.querySelector('img').remove()")
    assert_accessible(page)
    page.evaluate("document.querySelector('h1').style.color = 'light-dark(#ccc, #fff)'")
    with pytest.raises(AssertionError, match=r"(?s)in light colours.*color-contrast") as pale:
        assert_accessible(page)
    assert "dark colours" not in str(pale.value)
