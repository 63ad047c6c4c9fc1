"""The rules of the front door: which requests open a socket. A test holds them equal to those of the deployments."""

import re
from collections.abc import Mapping

#: What the front door replaces in paths.
REWRITES = (("/{2,}", "/"), ("(.)/$", r"\1"))
#: The paths of the streams, each with the query parameter that takes its first group.
STREAMS: tuple[tuple[str, str | None], ...] = (
    ("^/ws/orders/([A-Za-z0-9-]+)$", "orderId"),
    ("^/ws$", None),
    ("^/api/orders/connect$", None),
    ("^/api/orders/execute$", None),
)


def rewritten(path: str) -> str:
    """The path without repeated and trailing slashes."""
    for find, replace in REWRITES:
        path = re.sub(find, replace, path)
    return path


def stream_of(path: str) -> Mapping[str, str] | None:
    """The query parameters that a stream path stands for; ``None`` for any other path."""
    for pattern, parameter in STREAMS:
        if found := re.match(pattern, path):
            return {parameter: found[1]} if parameter else {}
    return None
