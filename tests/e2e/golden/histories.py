"""The scene of the order list: each filter, and paging."""

from tests.e2e.client import Json
from tests.e2e.golden.recorder import Recorder

_MARKET: Json = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": 2}
_SOL = "So11111111111111111111111111111111111111112"
_USDC = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"


def filters_and_pages(play: Recorder) -> None:
    """Place five orders of one user that differ in every property with a filter; apply each filter and page."""
    play.push("ORCA/SOL", 1)
    limit: Json = {"type": "limit", "tokenIn": "ORCA", "tokenOut": "SOL", "amountIn": 10, "limitPrice": 2}
    sniper: Json = {"type": "sniper", "tokenIn": "SOL", "tokenOut": play.mint("e"), "amountIn": 1}
    ids = []
    for step, order in {
        "failed": {**_MARKET, "simulate": "no_liquidity", "clientOrderId": "failed"},
        "confirmed": {**_MARKET, "simulate": "venue_down:meteora"},
        "open": limit,
        "expired": {**limit, "timeInForce": "IOC"},
        "waiting": sniper,
    }.items():
        ids.append(play.place(step, **order)["orderId"])
        if step not in ("open", "waiting"):
            play.until_terminal(ids[-1])
        play.listed(play.record(ids[-1]))
    created = [play.record(order_id)["createdAt"] for order_id in ids]
    mine = f"/api/orders?userId={play.user}"
    for step, query in {
        "all": "",
        "status": "&status=open",
        "type": "&type=market",
        "pair": "&pair=SOL/USDC",
        "pair by mints": f"&pair={_SOL}-{_USDC}",
        "pair inverted": "&pair=SOL/ORCA",
        "client order id": "&clientOrderId=failed",
        "from": f"&from={created[2]}",
        "to": f"&to={created[2]}",
        "from and to": f"&from={created[1]}&to={created[3]}",
        "several": "&type=limit&status=expired&pair=ORCA/SOL",
        "none": "&status=building",
    }.items():
        play.call(step, "GET", mine + query)
    cursor: str | None = ""
    number = 0
    while cursor is not None:
        number += 1
        more = f"&cursor={cursor}" if cursor else ""
        shown = {"path": f"{mine}&limit=2" + ("&cursor=<cursor>" if cursor else "")}
        cursor = play.call(f"page {number}", "GET", f"{mine}&limit=2{more}", shown=shown).body["nextCursor"]
    play.call("nobody's", "GET", f"{mine}-nobody")
