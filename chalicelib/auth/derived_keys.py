"""The keys that the engine derives from its one secret, so that no two uses share a key."""

import hmac


def derived_key(secret: str, label: str) -> bytes:
    """The key of 32 bytes for the use that ``label`` names."""
    return hmac.digest(secret.encode(), label.encode(), "sha256")
