"""The addresses of an engine."""

from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

from orderengine.errors import InvalidArgument

_SOCKET_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


@dataclass(frozen=True, slots=True)
class Addresses:
    """The base addresses for HTTP and for sockets, without a slash at the end.

    A WebSocket API of API Gateway takes no path after its stage: with ``is_bare``, ``ws`` is the address of one.
    """

    http: str
    ws: str
    is_bare: bool = False

    def of_socket(self, path: str, query: tuple[tuple[str, str], ...]) -> str:
        base = self.ws if self.is_bare else f"{self.ws}{path}"
        return f"{base}?{urlencode(query)}" if query else base


def addresses(base_url: str, ws_url: str | None) -> Addresses:
    """The addresses below a base address. ``ws_url`` names that of sockets where it is another one.

    A ``ws_url`` with a path, such as the stage of API Gateway, or ``/`` alone, is used as it is.

    :raises InvalidArgument: for an address that is not ``http(s)://`` or ``ws(s)://``, or has a query.
    """
    http = _checked("base_url", base_url, ("http", "https"))
    if ws_url is None:
        scheme, rest = http.split("://", 1)
        return Addresses(http, f"{_SOCKET_SCHEMES[scheme]}://{rest}")
    ws = _checked("ws_url", ws_url, tuple(_SOCKET_SCHEMES))
    scheme, rest = ws.split("://", 1)
    return Addresses(http, f"{_SOCKET_SCHEMES[scheme]}://{rest}", is_bare=bool(urlsplit(ws_url.strip()).path))


def _checked(name: str, url: str, schemes: tuple[str, ...]) -> str:
    try:
        parts = urlsplit(url.strip())
        is_valid = parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_valid = False
    if is_valid and "@" in parts.netloc:
        raise InvalidArgument(f"{name} has a user or password, which would go astray: give an API key as key")
    if not is_valid or parts.query or parts.fragment or not url.strip().isprintable():
        raise InvalidArgument(f"{name} is {url!r}, and not an address such as {schemes[-1]}://engine.example")
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))
