"""The functions of the page by themselves."""

from collections.abc import Sequence

from playwright.sync_api import JSHandle, Page

#: A look at every frame would take time that the page's own work needs.
_POLLING_MS = 100

#: What tests use of the page's module.
EXPORTS = ("fold", "orders", "parseExact")


def page_module(page: Page) -> JSHandle:
    """The module that the page runs, with what its sources export. The page must be open."""
    return page.evaluate_handle("import(document.querySelector('script[type=module]').src)")


def await_status(page: Page, order_ids: Sequence[str], status: str) -> None:
    """Wait until the page knows each order in this status, whether it shows the order or not."""
    every = "([{orders}, ids, status]) => ids.every(id => orders.get(id)?.status === status)"
    page.wait_for_function(every, arg=[page_module(page), order_ids, status], polling=_POLLING_MS)
