"""The API keys of a deployment. An operator's command makes and revokes them; the engine reads them."""

from dataclasses import dataclass
from typing import Protocol

from chalicelib.domain.identity import Scope


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What the engine keeps of a key: its holder and rights, and a keyed hash of its text.

    Times are in seconds since the epoch. ``last_used_at`` may be an hour old.
    """

    id: str
    user_id: str
    scopes: frozenset[Scope]
    digest: str
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None
    last_used_at: int | None = None


class ApiKeys(Protocol):
    def find(self, key_id: str) -> ApiKey | None: ...

    def note_use(self, key_id: str, at: int, unless_since: int) -> None:
        """Note that the key was used ``at`` this time, unless a use at or after ``unless_since`` is noted already."""
        ...
