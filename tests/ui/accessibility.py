"""Judges a page by axe, which is evaluated by the browser itself, so that the page's policy stays as it is."""

from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

#: The rules of axe that judge colours: only these can differ between the schemes.
_OF_COLOURS = ["color-contrast", "link-in-text-block"]


def assert_accessible(page: Page) -> None:
    """Hold the page as it is against every rule of axe, and in the other colours against those of colours.

    :raises AssertionError: with the report of axe.
    """
    # A colour that is still changing has not the contrast that it will have.
    page.emulate_media(reduced_motion="reduce")
    reports = {"light": _violations(page, "light"), "dark": _violations(page, "dark", {"runOnly": _OF_COLOURS})}
    page.emulate_media(color_scheme="null", reduced_motion="null")
    found = [f"in {scheme} colours: {report}" for scheme, report in reports.items() if report]
    assert not found, "\n\n".join(found)


def _violations(page: Page, scheme: Literal["light", "dark"], options: dict[str, Any] | None = None) -> str:
    page.emulate_media(color_scheme=scheme)
    results = Axe().run(page, options=options)
    return str(results.generate_report()) if results.violations_count else ""
