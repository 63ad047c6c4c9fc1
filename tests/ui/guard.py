"""Watches a page for what must never happen on it, whatever a test does."""

import re
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, WebError, WebSocket

#: Chromium's report of a socket that is refused, or ends without a close frame.
CUT_SOCKET = "WebSocket connection to"

_REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", event =>
    console.error(`CSP violation: ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`));
"""
#: The page itself ends requests that it no longer needs.
_ABORTED = "net::ERR_ABORTED"


class Guard:
    """The faults of all pages of a context: errors and warnings on the console, uncaught exceptions, violations of
    the page's policy, requests to other origins, and requests that fail.
    """

    def __init__(self, context: BrowserContext, home: str) -> None:
        """``home`` is the address of the engine, whose origin is the only one that a page may talk to."""
        self._home = urlsplit(home).netloc
        #: The context of the pages.
        self.context = context
        self._faults: list[str] = []
        self._allowed: list[str] = []
        context.add_init_script(_REPORT_VIOLATIONS)
        context.on("console", self._on_console)
        context.on("weberror", self._on_error)
        context.on("request", self._on_request)
        context.on("requestfailed", self._on_failure)
        context.on("page", self._on_page)

    def allow(self, *texts: str) -> None:
        """Let faults pass that have one of these texts: what the test itself has broken."""
        self._allowed.extend(texts)

    def allow_status(self, *statuses: int) -> None:
        """Let Chromium report answers with these statuses, which it does for every one from 400 on."""
        self.allow(*(f"the server responded with a status of {status} " for status in statuses))

    def faults(self) -> list[str]:
        """The faults so far that are not allowed."""
        for page in self.context.pages:
            # An answer of the page comes after all events that it has sent before.
            page.evaluate("0")
        return [fault for fault in self._faults if not any(text in fault for text in self._allowed)]

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._faults.append(f"console {message.type}: {message.text} ({message.location['url']})")

    def _on_error(self, error: WebError) -> None:
        self._faults.append(f"uncaught: {error.error.stack or error.error}")

    def _on_request(self, request: Request) -> None:
        self._check_origin(request.url)

    def _on_failure(self, request: Request) -> None:
        if request.failure != _ABORTED:
            self._faults.append(f"request failed: {request.method} {request.url}: {request.failure}")

    def _on_page(self, page: Page) -> None:
        page.on("websocket", self._on_socket)

    def _on_socket(self, socket: WebSocket) -> None:
        self._check_origin(socket.url)

    def _check_origin(self, url: str) -> None:
        if urlsplit(url).netloc != self._home and not re.match("about:", url):
            self._faults.append(f"foreign request: {url}")
