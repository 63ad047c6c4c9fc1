"""API keys for tests, stored in a workbench."""

from typing import Any

from chalicelib.domain.identity import Scope
from orderengine.testing.keys import add_key
from tests.support.workbench import Workbench


def a_key(bench: Workbench, user_id: str = "alice", *scopes: Scope, **changes: Any) -> str:
    """Store a key with these scopes, or with all of them, and return its text; ``changes`` replace stored fields."""
    return add_key(bench, bench.engine.settings, user_id, scopes or Scope, **changes)
