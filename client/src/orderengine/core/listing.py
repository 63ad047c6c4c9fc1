"""Lists of orders, page by page."""

from typing import Unpack

from orderengine.amounts import shown
from orderengine.core.calls import list_query, page
from orderengine.core.commands import Deliver, Flow
from orderengine.core.session import Session
from orderengine.core.terms import ListFilters
from orderengine.errors import InvalidArgument

MAX_PAGE = 200


def listing(session: Session, limit: int | None = None, **filters: Unpack[ListFilters]) -> Flow[None]:
    """Deliver the orders one by one, at most ``limit``.

    :raises InvalidArgument: at the call, for a filter that no list can have, or a limit that is not positive.
    """
    if limit is not None and (type(limit) is not int or limit < 1):
        raise InvalidArgument(f"limit is {shown(limit)}, and not a positive number")
    list_query(session, filters)
    return _pages(session, limit, filters)


def _pages(session: Session, limit: int | None, filters: ListFilters) -> Flow[None]:
    cursor, left = None, limit
    while True:
        found = yield from page(session, limit=min(left or MAX_PAGE, MAX_PAGE), cursor=cursor, **filters)
        for order in found.orders[:left]:
            yield Deliver(order)
        cursor, left = found.next_cursor, left and max(0, left - len(found.orders))
        if cursor is None or left == 0:
            return
