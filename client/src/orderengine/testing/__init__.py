"""The engine in a test's own process, in virtual time, without AWS, Docker or Postgres: ``with engine() as e:``.

The kit runs the real handlers and use cases on fakes. Its import loads nothing of the engine; ``engine`` does.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from orderengine.testing.errors import InvariantError

if TYPE_CHECKING:
    from orderengine.testing.handle import VirtualEngine

__all__ = ["InvariantError", "VirtualEngine", "engine"]


def __getattr__(name: str) -> Any:
    """``VirtualEngine``, the type of the fixture, which is loaded when a tester names it.

    :raises ImportError: saying what to install, if a package is missing.
    """
    if name != "VirtualEngine":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from orderengine.testing.handle import VirtualEngine
    except ModuleNotFoundError as error:
        raise ImportError(f"the test kit needs {error.name}: pip install 'orderengine[test]'") from error
    return VirtualEngine


@contextmanager
def engine(seed: str | int = "orders", **settings: Any) -> "Iterator[VirtualEngine]":
    """An engine of its own, whose invariants are checked at the end of the block.

    ``seed`` decides prices, latencies and chance. ``settings`` are those of the engine, as ``auth=True``,
    ``rate_limit_per_minute=60`` or ``max_attempts=5``; without them it has no authentication and no rate limit.

    :raises InvariantError: at the end, with every violation.
    :raises TypeError: for a name that is no setting.
    :raises ValueError: naming each setting whose value is not valid.
    :raises ImportError: saying what to install, if a package is missing.
    """
    made: VirtualEngine = __getattr__("VirtualEngine")(seed, settings)
    try:
        yield made
        made.finish()
    finally:
        made.close()
