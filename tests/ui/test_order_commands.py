"""The commands that the view of an order offers are run as they are copied."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.ui.kit import Kit

MINT = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"
_ORDERS: dict[str, dict[str, Any]] = {
    "market": {},
    "limit": {"type": "limit", "limitPrice": "900", "timeInForce": "IOC"},
    "sniper": {"type": "sniper", "tokenOut": MINT, "launch": {"mint": MINT, "minLiquidity": "5", "venue": "meteora"}},
}
_SAME = ("userId", "type", "side", "tokenIn", "tokenOut", "amountIn", "limitPrice", "timeInForce", "launch")


def _commands(page: Page, order_id: str) -> list[str]:
    page.goto(f"/#/orders/{order_id}")
    page.get_by_text("Copy as curl").click()
    blocks = page.locator("details", has_text="Copy as curl").locator("pre")
    expect(blocks).to_have_count(3)
    return blocks.all_text_contents()


def _run(command: str) -> str:
    """The output of a shell command, with the ``oe`` of this environment."""
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    done = subprocess.run(["sh", "-c", command], env={"PATH": path}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
@pytest.mark.parametrize("fields", _ORDERS.values(), ids=_ORDERS)
def test_curl_and_oe_place_the_same_order(kit: Kit, ui_page: Page, fields: dict[str, Any]) -> None:
    order_id = kit.place(userId="bot:1@x", **fields)
    curl, _, oe = _commands(ui_page, order_id)
    with kit.client() as client:
        first = client.order(order_id).raw
        for command in (curl, oe):
            again = client.order(json.loads(_run(command))["orderId"]).raw
            assert {name: again[name] for name in _SAME} == {name: first[name] for name in _SAME}


@pytest.mark.parametrize(("name", "end"), [("market", "confirmed"), ("limit", "expired")])
def test_the_python_of_an_order_places_the_same_order(kit: Kit, ui_page: Page, name: str, end: str) -> None:
    order_id = kit.place(**_ORDERS[name])
    program = _commands(ui_page, order_id)[1]
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert f"type='{name}'" in done.stdout
    assert end in done.stdout.lower()


def test_a_text_that_may_not_be_copied_is_selected(kit: Kit, ui_page: Page) -> None:
    ui_page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    curl = _commands(ui_page, kit.place())[0]
    ui_page.get_by_role("button", name="Copy").first.click()
    expect(ui_page.locator(".toast")).to_contain_text("Selected")
    assert ui_page.evaluate("getSelection().toString()") == curl
