"""The credential: is it good, and what may it do. Each probe is one that changes nothing."""

from collections.abc import Iterator
from uuid import UUID

from orderengine import Client, errors
from orderengine.cli.doctoring.check import Check, State, failure

#: No order has it, so cancelling it needs the scope and does nothing.
_NO_ORDER = UUID(int=0)
_FORBIDDEN, _UNAUTHENTICATED, _LIMITED = 403, 401, 429


def scopes(client: Client, has_key: bool) -> Iterator[Check]:
    try:
        found = {
            "read": client.request("GET", "/api/orders", query={"limit": "1"}).status,
            "trade": client.request("DELETE", f"/api/orders/{_NO_ORDER}").status,
            "operate": client.request("POST", "/api/market/events", body={}).status,
        }
    except errors.OrderEngineError as error:
        yield failure("credential", error, "the connection breaks; see the checks above")
        return
    yield _verdict(found, has_key)


def _verdict(found: dict[str, int], has_key: bool) -> Check:
    may = [scope for scope, status in found.items() if status not in (_FORBIDDEN, _UNAUTHENTICATED)]
    if _LIMITED in found.values():
        return Check("credential", State.WARN, "the engine is too busy to tell", "try again later")
    if _UNAUTHENTICATED in found.values():
        what = "is not accepted: it is wrong, expired or revoked" if has_key else "is needed, and none is given"
        return Check("credential", State.FAIL, f"a key {what}", "give a good one with --key-file, OE_KEY or --key")
    if not may:
        return Check("credential", State.FAIL, "the key may do nothing", "ask the operator for the scopes it needs")
    if not has_key and len(may) == len(found):
        return Check("credential", State.OK, "none is given, and the engine asks for none")
    missing = [scope for scope in found if scope not in may]
    detail = f"may {', '.join(may)}" + (f"; may not {', '.join(missing)}" if missing else "")
    state = State.OK if "trade" in may else State.WARN
    return Check("credential", state, detail, "" if "trade" in may else "it cannot place orders")
