"""The history as a function sees it: on the first call it reads its address and loads its driver."""

import logging
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from chalicelib.domain.orders import Order
from chalicelib.domain.status import OrderType
from chalicelib.ports.history import (
    ExecutionQuality,
    History,
    HistoryTooSlowError,
    HistoryUnavailableError,
    OrderFilter,
    Page,
)
from chalicelib.ports.secrets import RenewableSecrets, SecretUnavailableError
from chalicelib.settings import Settings

if TYPE_CHECKING:
    from chalicelib.history.postgres import PostgresHistory

T = TypeVar("T")

#: Calls fail at once for this long after the address could not be read.
_PAUSE_SECONDS = 5.0
#: The least time between two readings of the address while Postgres is unavailable.
_RENEWAL_SECONDS = 60.0

log = logging.getLogger(__name__)


class HistoryOnDemand:
    """``History`` on the Postgres of the setting ``DATABASE_SECRET``.

    Most functions make no call, and the driver takes a fifth of a cold start. A password may change while a process
    runs, so a call that finds Postgres unavailable reads the address again, at most once a minute, and is repeated if
    the address is another.
    """

    def __init__(self, settings: Settings, secrets: RenewableSecrets, now: Callable[[], float] = monotonic) -> None:
        self._settings = settings
        self._secrets = secrets
        self._now = now
        # The threads of a process share one connection.
        self._lock = Lock()
        self._loaded: PostgresHistory | None = None
        self._secret = ""
        self._pause_ends = self._renewal_is_due = float("-inf")

    def record(self, order: Order) -> None:
        self._ask(lambda history: history.record(order))

    def page(self, wanted: OrderFilter, limit: int, cursor: str | None) -> Page:
        return self._ask(lambda history: history.page(wanted, limit, cursor))

    def settled(self, order_ids: Collection[str]) -> set[str]:
        return self._ask(lambda history: history.settled(order_ids))

    def quality(self, since: datetime, until: datetime | None = None, user_id: str | None = None) -> ExecutionQuality:
        return self._ask(lambda history: history.quality(since, until, user_id))

    def count_open(self, limit: int) -> Mapping[OrderType, int]:
        return self._ask(lambda history: history.count_open(limit))

    def ping(self) -> None:
        self._ask(lambda history: history.ping())

    def _ask(self, call: Callable[[History], T]) -> T:
        history = self._history()
        try:
            return call(history)
        except HistoryTooSlowError:
            raise
        except HistoryUnavailableError:
            if (renewed := self._renewed(history)) is history:
                raise
        return call(renewed)

    def _history(self) -> "PostgresHistory":
        """:raises HistoryUnavailableError: if the address cannot be read, or does not verify the server."""
        with self._lock:
            if self._loaded is None:
                if self._now() < self._pause_ends:
                    raise HistoryUnavailableError("the address of Postgres could not be read a moment ago")
                try:
                    self._loaded = self._opened(self._present_secret())
                except HistoryUnavailableError:
                    self._pause_ends = self._now() + _PAUSE_SECONDS
                    raise
            return self._loaded

    def _renewed(self, failed: "PostgresHistory") -> "PostgresHistory":
        """The history at the present address: ``failed`` itself, unless the address has changed."""
        with self._lock:
            if self._loaded is not failed or self._now() < self._renewal_is_due:
                return self._loaded or failed
            self._renewal_is_due = self._now() + _RENEWAL_SECONDS
            try:
                secret = self._present_secret()
                if secret != self._secret:
                    self._loaded = self._opened(secret)
                    failed.close()
            except HistoryUnavailableError:
                log.exception("the address of Postgres cannot be renewed")
            return self._loaded

    def _present_secret(self) -> str:
        try:
            return self._secrets.read_now(self._settings.database_secret)
        except SecretUnavailableError as error:
            raise HistoryUnavailableError(str(error)) from error

    def _opened(self, secret: str) -> "PostgresHistory":
        from chalicelib.history.address import address_in, check_verified, with_certificates
        from chalicelib.history.connection import InvalidAddressError
        from chalicelib.history.postgres import PostgresHistory

        settings = self._settings
        try:
            url = address_in(secret)
            # Only the functions in the emulator have its address; their server is on the same machine.
            if settings.aws_endpoint_url is None:
                check_verified(url)
        except InvalidAddressError as error:
            raise HistoryUnavailableError(f"the value of the secret {settings.database_secret} {error}") from error
        self._secret = secret
        return PostgresHistory(
            with_certificates(url),
            connect_timeout_seconds=settings.postgres_connect_timeout_seconds,
            statement_timeout_seconds=settings.postgres_statement_timeout_seconds,
            is_pooled=settings.postgres_pooled,
        )
