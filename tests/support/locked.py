"""A stack with authentication, and the API keys that a test needs."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from chalicelib.domain.identity import ANONYMOUS, Scope
from infra.ops import keys
from infra.ops.deployment import Deployment, local_deployment
from tests.e2e.client import Client
from tests.support.stack import RunningStack, running_stack

#: Quick venues, and no limits that a test's own traffic would reach.
SETTINGS = {
    "AUTH": "on",
    "VENUE_TIME_SCALE": "0.1",
    "RATE_LIMIT_PER_MINUTE": "0",
    "MARKET_TICK_SECONDS": "1",
    "MAX_REQUESTS_PER_MINUTE": "0",
    "MAX_SOCKETS_PER_USER": "0",
    # As without authentication, so that the answers are the same.
    "CORS_ORIGIN": "*",
}
#: A flood of messages is no fault of a test that sends random ones.
WITHOUT_SOCKET_LIMITS = {"MAX_MESSAGES_PER_MINUTE": "0", "MAX_SUBSCRIPTIONS_PER_SOCKET": "0"}


@dataclass(frozen=True)
class LockedStack:
    """A running stack with ``AUTH=on``, and what its operator knows of it."""

    stack: RunningStack
    deployment: Deployment

    @property
    def first_key(self) -> str:
        """The key that the launcher shows."""
        return (self.stack.state_dir / "first-key").read_text().strip()

    def key(self, user: str, *scopes: Scope) -> str:
        """A new API key, to read and trade unless it is to have other scopes."""
        return keys.create(self.deployment, "local", user, ",".join(scopes or (Scope.READ, Scope.TRADE)), None)

    def client(self, credential: str | None) -> Client:
        """A client with a key or a token; ``None`` has none."""
        return Client(self.stack.endpoints["http"], self.stack.endpoints["ws"], credential)


@contextlib.contextmanager
def locked_stack(state_dir: Path, **settings: str) -> Iterator[LockedStack]:
    """A stack with authentication; ``settings`` are further variables of its environment."""
    with running_stack(state_dir, {**SETTINGS, **settings}) as stack:
        yield LockedStack(stack, local_deployment(stack.endpoints))


def operated(locked: LockedStack) -> RunningStack:
    """The stack with the key of an operator, whose own orders are those of requests that name no user on a stack
    without authentication.
    """
    return replace(locked.stack, key=locked.key(ANONYMOUS, *Scope))
