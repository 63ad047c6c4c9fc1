"""Finds credentials of the engine in files. detect-secrets loads this module from its own environment."""

import re

from detect_secrets.plugins.base import RegexBasedDetector


class EngineKeyDetector(RegexBasedDetector):  # type: ignore[misc]
    """API keys and tickets: a prefix, and 256 random bits with a checksum in base 62."""

    secret_type = "Credential of the order execution engine"  # noqa: S105
    denylist = (re.compile(r"\boe[et]_(?:[a-z]+_)?(?:[0-9A-Za-z]{12}_)?[0-9A-Za-z]{40,}"),)
