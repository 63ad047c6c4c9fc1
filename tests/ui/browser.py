"""The browser of the tests: a Chromium that Playwright drives.

Playwright keeps an event loop in the thread that starts it, in which ``asyncio.run`` then fails: a browser ends with
the package of tests that uses it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, expect, sync_playwright

_ARGUMENTS = (
    # Chromium refuses its sandbox to root, which CI may be. The tests visit nothing but the page.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

#: How long Playwright waits for what a test expects: generous for a slow machine.
PATIENCE_MS = 30_000


@contextmanager
def launched(chromium: str) -> Iterator[Browser]:
    """The browser of this path, without a window unless ``HEADED`` is set."""
    headless = not os.environ.get("HEADED")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_ARGUMENTS, headless=headless)
        yield browser
        browser.close()
