"""The log line of an event. ``chalicelib.logs`` turns it into JSON, with its ids and the values that it counts."""

import logging
from typing import Any

from chalicelib.domain.orders import Order
from chalicelib.observability.context import ids_of
from chalicelib.observability.metrics import Measured

#: ``LOG_LEVEL`` does not apply to the lines that count something: see ``chalicelib.logs``.
COUNTED = logging.getLogger("chalicelib.metrics")
_NOTED = logging.getLogger("chalicelib.events")


def note(
    message: str,
    *measured: Measured,
    about: Order | None = None,
    level: int = logging.INFO,
    caught: BaseException | bool | None = None,
    **fields: Any,
) -> None:
    """Log an event and count its values.

    ``about`` is the order that it concerns, whatever else the entry concerns. ``caught`` is its exception; True means
    the one that is being handled.
    """
    logger = COUNTED if measured else _NOTED
    if logger.isEnabledFor(level):
        logger.log(
            level,
            message,
            extra={"measured": measured, **fields, **(ids_of(about) if about else {})},
            exc_info=caught,
        )
