"""The locks of a migration: one run at a time, and no statement that keeps writers waiting.

A statement that waits for its lock has every later writer behind it. It therefore gives up after 1.2 seconds, and is
repeated after a pause in which the writers go on.
"""

import logging
import time
from collections.abc import Callable

import psycopg
from psycopg.rows import TupleRow

#: Longest wait for a lock, and the longest wait for one that lets writers pass. PostgreSQL ends an autovacuum that is
#: in the way after its ``deadlock_timeout`` of a second, and a record waits for two.
_LOCK_TIMEOUT_SECONDS = 1.2
_PATIENT_LOCK_TIMEOUT_SECONDS = 600.0
#: Time that a statement may wait for locks in all its attempts, with the pauses between them.
_LOCK_SECONDS = 120.0
_LOCK_PAUSE_SECONDS = 0.5
#: Time that another run may take.
_TURN_SECONDS = 600.0
_TURN_PAUSE_SECONDS = 0.2
#: An advisory lock key, reserved for migrations.
_LOCK_KEY = 0x6F726465_72730001

log = logging.getLogger(__name__)


class MigrationError(Exception):
    """The schema cannot be migrated."""


class MigrationBusyError(MigrationError):
    """Another run does not end."""


def take_turn(connection: psycopg.Connection[TupleRow]) -> None:
    """Keep other runs out until the session ends.

    A run that waits sleeps between two statements: an index that is built concurrently waits for running statements.

    :raises MigrationBusyError: if another run does not end.
    """
    deadline = time.monotonic() + _TURN_SECONDS
    while connection.execute("select pg_try_advisory_lock(%s)", [_LOCK_KEY]).fetchone() != (True,):
        if time.monotonic() >= deadline:
            raise MigrationBusyError(f"another run has not ended after {_TURN_SECONDS:g} s")
        time.sleep(_TURN_PAUSE_SECONDS)


def repeat_until_locked(
    connection: psycopg.Connection[TupleRow], work: Callable[[], None], *, writers_wait: bool
) -> None:
    """Do work that can be repeated if it does not get a lock.

    Waiting alone counts, because a backfill may work for hours before it meets a locked row.

    :raises psycopg.errors.LockNotAvailable: if it does not get its locks in time.
    """
    timeout_seconds = _LOCK_TIMEOUT_SECONDS if writers_wait else _PATIENT_LOCK_TIMEOUT_SECONDS
    connection.execute("select set_config('lock_timeout', %s, false)", [f"{timeout_seconds * 1000:.0f}ms"])
    waited_seconds = 0.0
    while True:
        try:
            return work()
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            waited_seconds += timeout_seconds + _LOCK_PAUSE_SECONDS
            if waited_seconds >= _LOCK_SECONDS:
                raise
            log.info("the migration waits for a lock")
            time.sleep(_LOCK_PAUSE_SECONDS)
