"""``python -m tests.ui.pictures`` takes the pictures of the README: the orders at work, and one order."""

import sys
from pathlib import Path

from playwright.sync_api import Page, expect

from infra.project import ROOT
from tests.support.chromium import NO_CHROMIUM, find_chromium
from tests.ui.browser import launched
from tests.ui.kit import Kit, served_kit
from tests.ui.shell import await_live

DIRECTORY = ROOT / "docs" / "pictures"
#: A picture that is larger makes the README slow.
MAX_BYTES = 160_000
_MINT = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"
_LIMIT = {"type": "limit", "tokenIn": "SOL", "tokenOut": "USDC"}
#: What has happened before the picture, half a minute apart.
_PAST = (
    {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": "12.5"},
    {**_LIMIT, "amountIn": "40", "limitPrice": "118.5"},
    {"tokenIn": "USDC", "tokenOut": "BONK", "amountIn": "250"},
    {"tokenIn": "JUP", "tokenOut": "USDC", "amountIn": "1800", "simulate": "no_liquidity"},
    {"type": "sniper", "tokenIn": "USDC", "tokenOut": _MINT, "amountIn": "75", "slippage": "5"},
    {"tokenIn": "USDC", "tokenOut": "SOL", "amountIn": "1500", "simulate": "venue_down:meteora"},
    {**_LIMIT, "amountIn": "5", "limitPrice": "300", "timeInForce": "IOC"},
    {"tokenIn": "SOL", "tokenOut": "mSOL", "amountIn": "3"},
    {"type": "limit", "tokenIn": "USDC", "tokenOut": "SOL", "amountIn": "900", "limitPrice": "84"},
    {"tokenIn": "RAY", "tokenOut": "SOL", "amountIn": "640", "simulate": "network_error:1"},
    {"tokenIn": "USDT", "tokenOut": "WIF", "amountIn": "420"},
)
#: What executes while the picture is taken, one after the other.
_PRESENT = (
    {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": "7"},
    {"tokenIn": "PYTH", "tokenOut": "USDC", "amountIn": "2000", "simulate": "stale_quote:2"},
    {"tokenIn": "USDC", "tokenOut": "JTO", "amountIn": "310.75"},
    {"tokenIn": "SOL", "tokenOut": "BONK", "amountIn": "1.25", "simulate": "slow:5000"},
)
_RETRIED = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": "1.5", "simulate": "tx_dropped:1"}


def main() -> int:
    chromium = find_chromium()
    if chromium is None:
        print(f"No pictures: {NO_CHROMIUM}", file=sys.stderr)
        return 1
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    with launched(chromium) as browser, served_kit("pictures", venue_time_scale="1") as kit:
        retried = _live_through_the_past(kit)
        context = browser.new_context(base_url=kit.url, locale="en-GB", timezone_id="UTC", color_scheme="light")
        # The engine has been through minutes in a moment.
        context.clock.install(time=kit.engine.now)
        page = context.new_page()
        page.set_viewport_size({"width": 1280, "height": 640})
        page.goto("/#/orders")
        await_live(page)
        for order in _PRESENT:
            newest = kit.place(**order)
            expect(page.locator(f"a[href*='{newest}']").first).to_be_visible()
        _take(page, DIRECTORY / "orders.png")
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(f"/#/orders/{retried}")
        expect(page.get_by_text("Replayed")).to_be_visible()
        _take(page, DIRECTORY / "order.png")
    return 0


def _live_through_the_past(kit: Kit) -> str:
    for order in _PAST:
        kit.place(**order)
        kit.engine.advance("30s")
    retried = kit.place(**_RETRIED)
    kit.engine.advance("20s")
    return retried


def _take(page: Page, path: Path) -> None:
    """:raises ValueError: for a picture that is too large."""
    page.screenshot(path=path, animations="disabled")
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise ValueError(f"{path.name} has {size} bytes; the README takes {MAX_BYTES} at most")
    print(f"{path.relative_to(ROOT)}: {size} bytes")


if __name__ == "__main__":
    sys.exit(main())
