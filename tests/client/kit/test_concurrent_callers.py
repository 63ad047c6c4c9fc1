"""Clients of several threads, and of several tasks of an event loop, on one engine."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import current_thread

import pytest

from chalicelib.domain.status import Status
from chalicelib.ports.orders import StoredOrder
from orderengine.testing.handle import VirtualEngine
from tests.support.kit import ORDER, PATIENCE, body_of, opened, place, post, seqs_of


def test_threads_take_turns(engine: VirtualEngine) -> None:
    def life(number: int) -> list[int]:
        return seqs_of(opened(engine, f"/ws/orders/{place(engine, userId=f'bot-{number}')}"))

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(life, range(16))) == [[1, 2, 3, 4, 5, 6]] * 16


def test_a_task_that_waits_lets_the_others_act(engine: VirtualEngine) -> None:
    transport = engine.async_transport

    async def follow() -> list[str]:
        socket = await transport.open("/ws", (("userId", "bot"),), {}, PATIENCE)
        found = []
        while (text := await socket.receive(PATIENCE)) is not None:
            found.append(text)
        await socket.close()
        return found

    async def trade() -> str:
        await transport.sleep(5)
        response = await transport.send(post("/api/orders/execute", ORDER), PATIENCE)
        return str(body_of(response)["orderId"])

    async def both() -> tuple[list[str], str]:
        following, order_id = await asyncio.gather(follow(), trade())
        return following, order_id

    frames, order_id = asyncio.run(both())
    assert len([text for text in frames if order_id in text and "ORDER_UPDATE" in text]) == 6
    assert engine.orders[order_id].status is Status.CONFIRMED


def test_a_blocking_call_in_a_coroutine_does_not_wait_for_the_tasks_that_it_blocks(engine: VirtualEngine) -> None:
    async def both() -> float:
        napping = asyncio.create_task(engine.async_transport.sleep(1))
        await asyncio.sleep(0)
        order_id, began = place(engine), engine.now
        engine.client(user="bot").result(order_id)
        took = (engine.now - began).total_seconds()
        await napping
        return took

    assert asyncio.run(both()) > 1


def test_no_caller_sleeps_longer_than_it_asked_for(engine: VirtualEngine) -> None:
    async def nap(seconds: int) -> float:
        began = engine.now
        await engine.async_transport.sleep(seconds)
        return (engine.now - began).total_seconds()

    async def naps() -> list[float]:
        return await asyncio.gather(*map(nap, (5, 60, 1)))

    assert asyncio.run(naps()) == [5, 60, 1]


def test_what_the_engine_keeps_is_read_in_its_own_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server of the engine may write meanwhile."""
    engine = VirtualEngine(real_time=True)
    deployment, readers = engine._deployment, set()

    def all_orders() -> dict[str, StoredOrder]:
        readers.add(current_thread())
        return {}

    monkeypatch.setattr(deployment, "all_orders", all_orders)
    assert engine.orders == {}
    assert engine.driver.wait(lambda: deployment.is_settled, 1)
    assert readers == {engine.driver.call(current_thread)}
    engine.close()
