"""A bot's own tests on the kit: they skip days, break venues, cut sockets and lose answers, all in a second.

pip install 'orderengine[test]' && pytest examples/test_my_bot.py

The fixture ``engine`` comes with the package: the real engine in this process, in virtual time. After each test it
checks that no order was lost, swapped twice, or filled below its minimum.
"""

from datetime import timedelta
from decimal import Decimal

import pytest

from orderengine import Client, Order, errors
from orderengine.testing.handle import VirtualEngine


def take_profit(client: Client, amount: str, price: str) -> Order:
    """The bot: it sells at a price, or gives up after an hour."""
    order = client.submit("SOL", "USDC", amount, limit_price=price, expires_in="1h")
    return order.result()


@pytest.fixture
def bot(engine: VirtualEngine) -> Client:
    client: Client = engine.client(user="bot-1")
    return client


def test_the_bot_sells_when_the_price_comes(engine: VirtualEngine, bot: Client) -> None:
    order = bot.submit("SOL", "USDC", "1.5", limit_price="300")
    engine.advance("30m")
    assert order.record().status == "open"
    engine.price("SOL/USDC", "310")
    assert order.result().raise_for_outcome().amount_out > Decimal(450)  # type: ignore[operator]  # it is filled


def test_the_bot_gives_up_after_an_hour(bot: Client, engine: VirtualEngine) -> None:
    begun = engine.now
    assert take_profit(bot, "1.5", "9000").status == "expired"
    assert engine.now >= begun + timedelta(hours=1)


def test_the_day_after_the_order_is_in_the_books(bot: Client, engine: VirtualEngine) -> None:
    order = bot.submit("SOL", "USDC", "1.5").result()
    engine.advance("1d")
    assert [one.id for one in bot.orders(until=engine.now)] == [order.id]


def test_a_dropped_transaction_is_tried_again(bot: Client, engine: VirtualEngine) -> None:
    engine.faults.add("tx_dropped:1")
    order = bot.submit("SOL", "USDC", "1.5").result()
    assert (order.status, order.attempts) == ("confirmed", 2)


def test_a_venue_that_is_down_ends_no_order(bot: Client, engine: VirtualEngine) -> None:
    engine.faults.add("venue_down:meteora")
    assert bot.submit("SOL", "USDC", "1.5").result().dex_used == "raydium"


def test_no_update_is_lost_with_the_socket(bot: Client, engine: VirtualEngine) -> None:
    seqs = []
    for update in bot.submit("SOL", "USDC", "1.5").watch():
        seqs.append(update.seq)
        engine.cut_sockets()
    assert seqs == list(range(1, len(seqs) + 1))
    assert bot.counters.gaps == bot.counters.gaps_filled


def test_a_lost_answer_places_one_order(bot: Client, engine: VirtualEngine) -> None:
    engine.lose_answers(1)
    order = bot.submit("SOL", "USDC", "1.5")
    assert order.replayed
    assert len(engine.orders) == 1


def test_an_engine_that_stays_mute_leaves_a_key_that_settles_it(bot: Client, engine: VirtualEngine) -> None:
    engine.lose_answers(rate=1.0)
    with pytest.raises(errors.OutcomeUnknown) as unknown:
        bot.submit("SOL", "USDC", "1.5")
    engine.lose_answers(rate=0.0)
    assert unknown.value.resolve().result().filled
    assert len(engine.orders) == 1
