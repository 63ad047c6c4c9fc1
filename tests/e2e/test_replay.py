"""An operator replays orders of the deployed system: each matches to the last digit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.ops.deployment import Deployment, local_deployment
from infra.ops.replay import described, main, replay
from tests.e2e.client import Client
from tests.e2e.test_doctor import operate
from tests.support.stack import RunningStack

pytestmark = pytest.mark.usefixtures("leaves_no_open_orders")

MINT = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"
#: Few lives with every kind of value that a replay computes. The unit tests replay each fault, and random lives.
LIVES: dict[str, dict[str, Any]] = {
    "a swap that fails, then one that fills": {"simulate": "slippage:1"},
    "no venue has a quote": {"simulate": "no_liquidity"},
    "one venue has a quote, below the minimum": {
        "type": "limit",
        "limitPrice": "1000000",
        "timeInForce": "IOC",
        "simulate": "venue_down:raydium",
    },
}
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def deployed(stack: RunningStack) -> Deployment:
    return local_deployment(stack.endpoints)


@pytest.fixture
def command(stack: RunningStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the command against a stack, by default the running one; returns its exit code, output and errors."""

    def run(order_id: str, state_dir: Path = stack.state_dir) -> tuple[int, str, str]:
        monkeypatch.setenv("STATE_DIR", str(state_dir))
        monkeypatch.setattr("sys.argv", ["replay", order_id])
        code = main()
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def ended(client: Client, *order_ids: str) -> None:
    for order_id in order_ids:
        client.ended(order_id)


def test_orders_of_every_kind_replay_while_prices_are_pushed(client: Client, deployed: Deployment) -> None:
    order_ids = []
    for number, fields in enumerate(LIVES.values()):
        client.push_event(type="price", pair="JUP/USDC", price=f"0.8{number}")
        order_ids.append(str(client.accept(tokenIn="JUP", **fields)["orderId"]))
    ended(client, *order_ids)
    for name, order_id in zip(LIVES, order_ids, strict=True):
        report = replay(deployed, order_id)
        assert (report.differences, report.unknown) == ((), 0), name
        assert report.checked > 0, name


def test_a_sniper_order_whose_fill_comes_from_the_ledger_replays(client: Client, deployed: Deployment) -> None:
    order_id = str(client.accept(type="sniper", tokenOut=MINT, amountIn=1, simulate="landed_reply_lost:1")["orderId"])
    client.push_event(
        type="pool_created", mint=MINT, venue="raydium", pool="replayed", slot=1, price="0.001", liquidity=1000
    )
    ended(client, order_id)
    report = replay(deployed, order_id)
    assert (report.differences, report.unknown) == ((), 0)
    assert report.checked > 0


def test_the_command_prints_what_differs(
    client: Client, stack: RunningStack, tables: dict[str, Any], command: Command
) -> None:
    order_id = str(client.accept()["orderId"])
    ended(client, order_id)
    sound = f"Order {order_id}: 20 values computed again, all as the order keeps them.\n"
    assert command(order_id) == (0, sound, "")
    item = tables["orders"].get_item(Key={"orderId": order_id})["Item"]
    events = [text.replace('"min_amount_out":', '"min_amount_out":1') for text in item["events"]]
    tables["orders"].put_item(Item={**item, "events": events})
    try:
        changed = operate(stack.state_dir, "infra.ops.replay", order_id)
    finally:
        tables["orders"].put_item(Item=item)
    assert changed.returncode == 1
    first, difference = changed.stdout.splitlines()
    assert first == f"Order {order_id}: 20 values computed again, 1 differ."
    assert "seq 4  minAmountOutBase: kept 1" in difference


def test_an_order_that_does_not_exist_is_named(command: Command, tmp_path: Path) -> None:
    code, printed, error = command("nothing")
    assert (code, printed) == (2, "")
    assert error.startswith("There is no order nothing in engine-local")
    assert command("nothing", tmp_path) == (2, "", "No stack is running: start it with make run.\n")


def test_an_order_on_its_way_has_nothing_to_replay_yet(client: Client, deployed: Deployment) -> None:
    order_id = str(client.accept(type="limit", limitPrice=1000)["orderId"])
    assert described(replay(deployed, order_id)) == f"Order {order_id} keeps nothing that can be computed again."
    client.engine.cancel(order_id)
