"""The market of the kit: prices and launches as they are told, and settings of the engine."""

import pytest

from chalicelib.domain.errors import RefusedError
from chalicelib.domain.status import Status
from orderengine.core.commands import Request
from orderengine.testing import engine as an_engine
from orderengine.testing.handle import VirtualEngine
from tests.support.kit import ORDER, asked, body_of, get, opened, place, post, seqs_of

MINT = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"


def test_a_limit_order_fills_once_its_price_is_told(engine: VirtualEngine) -> None:
    order_id = place(engine, type="limit", limitPrice="150")
    engine.advance("1h")
    assert engine.orders[order_id].status is Status.OPEN
    assert engine.price("SOL/USDC", 250) == 1
    engine.advance("5s")
    assert engine.orders[order_id].status is Status.CONFIRMED


def test_a_sniper_order_buys_at_the_launch(engine: VirtualEngine) -> None:
    order_id = place(engine, type="sniper", tokenIn="USDC", tokenOut=MINT, amountIn="15", slippage="5")
    assert engine.orders[order_id].status is Status.OPEN
    assert engine.launch(MINT, venue="raydium", price="0.001", liquidity=10_000)
    assert not engine.launch(MINT, venue="raydium", price="0.001", liquidity=10_000)
    engine.advance("10s")
    assert engine.orders[order_id].status is Status.CONFIRMED


def test_a_price_of_no_market_is_refused_in_words(engine: VirtualEngine) -> None:
    with pytest.raises(RefusedError, match="pair: must be two tokens"):
        engine.price("SOL/EUR", 250)


@pytest.mark.engine(seed="quotes")
def test_prices_follow_from_the_seed(engine: VirtualEngine) -> None:
    asking = get("/api/quotes", tokenIn="SOL", tokenOut="USDC", amountIn="1")
    with an_engine(seed="quotes") as equal, an_engine(seed="others") as different:
        first, second, third = (body_of(asked(one, asking)) for one in (engine, equal, different))
    assert first == second
    assert first != third


def test_equal_seeds_and_calls_make_equal_lives() -> None:
    def life(seed: int) -> list[object]:
        with an_engine(seed=seed) as engine:
            order_ids = [place(engine) for _ in range(3)]
            engine.faults.add("network_error:2")
            order_ids.append(place(engine))
            engine.lose_answers(rate=0.5)
            engine.settle()
            return [engine.now, *(engine.orders[order_id] for order_id in order_ids)]

    assert life(3) == life(3)
    assert life(3) != life(4)


def test_two_engines_of_a_process_share_nothing() -> None:
    with an_engine(seed="a") as first, an_engine(seed="b", rate_limit_per_minute=1) as second:
        order_id = place(first)
        place(second)
        second.advance("1h")
        assert first.orders.keys() == {order_id}
        assert (second.now - first.now).total_seconds() == 3600
        assert asked(second, get(f"/api/orders/{order_id}")).status == 404


@pytest.mark.engine(rate_limit_per_minute=1)
def test_settings_are_those_of_the_engine(engine: VirtualEngine) -> None:
    place(engine)
    second = place(engine)
    engine.advance("30s")
    assert engine.orders[second].status is Status.PENDING
    engine.advance("1m")
    assert engine.orders[second].status is Status.CONFIRMED


def test_a_setting_that_is_not_valid_is_named() -> None:
    with pytest.raises(ValueError, match=r"^max_attempts='0' must be a whole number"), an_engine(max_attempts=0):
        pass
    with pytest.raises(ValueError, match=r"^seed='x+[.]*' must be"), an_engine(seed="x" * 1000):
        pass
    with (
        pytest.raises(ValueError, match=r"^auth_issuer needs auth_audience"),
        an_engine(auth_issuer="https://i.test"),
    ):
        pass
    for wrong in ({"rate_limit": 1}, {"real_time": True}):
        with pytest.raises(TypeError, match=f"no settings of the engine: {next(iter(wrong))};"), an_engine(**wrong):
            pass


@pytest.mark.engine(auth=True)
def test_a_key_is_of_a_user_with_scopes_that_there_are(engine: VirtualEngine) -> None:
    with pytest.raises(ValueError, match="'' is no user"):
        engine.key("")
    with pytest.raises(ValueError, match="admin"):
        engine.key("alice", scopes=["admin"])


@pytest.mark.engine(auth=True)
def test_with_authentication_a_key_names_the_user(engine: VirtualEngine) -> None:
    order = {name: value for name, value in ORDER.items() if name != "userId"}
    assert asked(engine, post("/api/orders/execute", order)).status == 401
    key = f"Bearer {engine.key('alice')}"
    placed = asked(engine, post("/api/orders/execute", order, authorization=key))
    order_id = body_of(placed)["orderId"]
    assert engine.orders[order_id].spec.user_id == "alice"
    assert seqs_of(opened(engine, f"/ws/orders/{order_id}", authorization=key)) == [1, 2, 3, 4, 5, 6]
    stranger = Request("GET", f"/api/orders/{order_id}", (), {"authorization": f"Bearer {engine.key('bob')}"}, None)
    assert asked(engine, stranger).status == 404
    reader = f"Bearer {engine.key('alice', scopes=['read'])}"
    assert asked(engine, post("/api/orders/execute", order, authorization=reader)).status == 403
