"""API keys for tests, stored in a workbench."""

from dataclasses import replace
from typing import Any

from chalicelib.auth.derived_keys import derived_key
from chalicelib.auth.key_text import new_key
from chalicelib.auth.key_verifier import LABEL
from chalicelib.domain.identity import Scope
from chalicelib.ports.api_keys import ApiKey
from tests.support.workbench import Workbench


def a_key(bench: Workbench, user_id: str = "alice", *scopes: Scope, **changes: Any) -> str:
    """Store a key with these scopes, or with all of them, and return its text; ``changes`` replace stored fields."""
    settings = bench.engine.settings
    made = new_key(settings.stage)
    digest = made.digest(derived_key(bench.secrets.read(settings.auth_secret), LABEL))
    now = int(bench.clock.now().timestamp())
    bench.api_keys.add(replace(ApiKey(made.id, user_id, frozenset(scopes or Scope), digest, now), **changes))
    return made.text
