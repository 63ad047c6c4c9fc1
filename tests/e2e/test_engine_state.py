"""The state of the deployed engine while orders run, wait and stream."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from orderengine.models.engine import BusySlot, EngineState
from tests.e2e.client import PATIENCE_SECONDS, Client

#: More orders than the slots execute between two looks at the state.
BURST = 40
MINT = "8szGkuLTAux9XMgZ2vtY39jVSowEcpBfFfD8hXSEqdGC"


def state_once(client: Client, holds: Callable[[EngineState], bool]) -> EngineState:
    """Wait for a state for which this holds. All sources must answer all the time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds(state := client.engine.engine()):
        assert state.outages == {}
        assert time.monotonic() < deadline, state
        time.sleep(0.2)
    return state


def busy_in(state: EngineState) -> dict[str, BusySlot]:
    return {slot.order_id: slot for slot in state.slots.busy} if state.slots else {}


def test_busy_slots_and_waiting_messages_are_those_of_the_orders_that_run(client: Client) -> None:
    placed: set[str] = set()
    busy: dict[str, BusySlot] = {}
    waited, deadline = 0, time.monotonic() + PATIENCE_SECONDS
    with ThreadPoolExecutor(8) as threads:
        while not busy or not waited:
            assert time.monotonic() < deadline
            burst = [threads.submit(client.accept, userId="runner") for _ in range(BURST)]
            state = client.engine.engine()
            placed |= {str(accepted.result()["orderId"]) for accepted in burst}
            waited = max(waited, state.waiting.normal or 0)
            busy |= {order_id: slot for order_id, slot in busy_in(state).items() if slot.user_id == "runner"}
    assert set(busy) <= placed
    for slot in busy.values():
        assert (slot.type, slot.side, slot.token_in, slot.token_out) == ("market", "sell", "SOL", "USDC")
        assert slot.status in ("routing", "building", "submitted")
        assert slot.attempt >= 1
        assert slot.lease_until > slot.since
    for order_id in placed:
        client.ended(order_id)
    state_once(client, lambda state: not busy_in(state).keys() & placed)


def test_open_orders_and_open_sockets_are_counted(client: Client) -> None:
    before = client.engine.engine().waiting.open
    assert before is not None
    limit = client.accept(userId="waiter", type="limit", limitPrice=100_000, slippage=None)
    launch = {"minLiquidity": 1}
    sniper = client.accept(userId="waiter", type="sniper", tokenOut=MINT, launch=launch, slippage=None)
    with client.socket("/ws"):
        state_once(client, lambda state: state.sockets is not None and state.sockets.open >= 1)
        state_once(
            client,
            lambda state: (
                state.waiting.open is not None
                and state.waiting.open.limit > before.limit
                and state.waiting.open.sniper > before.sniper
            ),
        )
    cancelled = {verdict.id for verdict in client.engine.cancel_all("waiter").cancelled}
    assert cancelled == {limit["orderId"], sniper["orderId"]}
