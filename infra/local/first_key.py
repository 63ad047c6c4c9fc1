"""The first API key of a local stack with authentication, which is the same at every start."""

import os
import time
from pathlib import Path

from chalicelib.auth.key_text import read_key
from chalicelib.domain.errors import InvalidCredentialError
from chalicelib.domain.identity import Scope
from infra.ops.api_key_table import create_key, key_table
from infra.ops.deployment import Deployment

STAGE = "local"
USER = "local"


def first_key(file: Path, deployment: Deployment) -> str:
    """Return the key in ``file``; make a key with every scope, and the file, unless it holds a valid one.

    :raises InfraError: if an older version deployed the stack.
    :raises BotoCoreError: if the emulator cannot be reached.
    :raises ClientError: if the emulator refuses a call.
    """
    text = file.read_text().strip() if file.exists() else ""
    if not _is_valid(text, deployment):
        text = create_key(deployment, STAGE, USER, frozenset(Scope), int(time.time()), None)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
            opened.write(text + "\n")
    return text


def _is_valid(text: str, deployment: Deployment) -> bool:
    try:
        key = key_table(deployment).find(read_key(text, STAGE).id)
    except InvalidCredentialError:
        return False
    return key is not None and key.revoked_at is None
