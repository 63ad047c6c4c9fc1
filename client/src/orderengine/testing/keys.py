"""API keys for a deployment with authentication."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from chalicelib.auth.derived_keys import derived_key
from chalicelib.auth.key_text import new_key
from chalicelib.auth.key_verifier import LABEL
from chalicelib.domain.identity import Scope
from chalicelib.ports.api_keys import ApiKey
from chalicelib.settings import Settings
from orderengine.testing.parts import Parts


def add_key(parts: Parts, settings: Settings, user_id: str, scopes: Iterable[Scope], **changes: Any) -> str:
    """Store a key of a user with these scopes, and return its text; ``changes`` replace stored fields."""
    made = new_key(settings.stage)
    digest = made.digest(derived_key(parts.secrets.read(settings.auth_secret), LABEL))
    now = int(parts.clock.now().timestamp())
    parts.api_keys.add(replace(ApiKey(made.id, user_id, frozenset(scopes), digest, now), **changes))
    return made.text
