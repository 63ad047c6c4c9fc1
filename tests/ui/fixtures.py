"""The fixtures of tests in a browser. The packages of such tests import them, and name the site that they visit."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.support.chromium import NO_CHROMIUM, find_chromium
from tests.ui.artefacts import path_of
from tests.ui.browser import PATIENCE_MS, launched
from tests.ui.guard import Guard

#: Half an hour beside the zones that most machines have, so that no time is right by chance.
_CONTEXT = {
    "locale": "en-GB",
    "timezone_id": "Asia/Kolkata",
    "viewport": {"width": 1280, "height": 800},
}


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The browser that the tests of a package share."""
    chromium = find_chromium()
    if chromium is None:
        pytest.skip(NO_CHROMIUM)
    with launched(chromium) as browser:
        yield browser


@pytest.fixture
def guard(browser: Browser, site_url: str, request: pytest.FixtureRequest) -> Iterator[Guard]:
    """Fails the test for what its pages must never do. A test that fails leaves a trace in ``build/ui/traces``.

    ``@pytest.mark.browser(viewport=..., color_scheme=...)`` gives the options of the context.
    """
    mark = request.node.get_closest_marker("browser")
    options: dict[str, Any] = {**_CONTEXT, **(mark.kwargs if mark else {})}
    failed_before = request.session.testsfailed
    context = browser.new_context(base_url=site_url, **options)
    context.set_default_timeout(PATIENCE_MS)
    context.tracing.start(snapshots=True)
    guard = Guard(context, site_url)
    yield guard
    faults = guard.faults()
    if faults or request.session.testsfailed > failed_before:
        context.tracing.stop(path=path_of("traces", request.node.nodeid, "zip"))
    context.close()
    assert not faults, "\n".join(faults)


@pytest.fixture
def ui_page(guard: Guard) -> Page:
    """A page of a context of its own, which has not yet gone anywhere; ``goto("/")`` opens the site."""
    return guard.context.new_page()
