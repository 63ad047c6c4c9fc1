"""The client on the deployed system: each call and stream, blocking and awaited."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

import orderengine
from orderengine import AsyncClient, errors
from tests.e2e.client import HAPPY, PATIENCE_SECONDS, Client

pytestmark = pytest.mark.usefixtures("leaves_no_open_orders")

SEQUENCE = list(enumerate(HAPPY, start=1))
SWAP: Any = ("SOL", "USDC", "1.5")
#: Far above any price of the simulated market.
FAR = 100_000


@pytest.fixture
def user() -> str:
    return f"bot-{uuid4()}"


@pytest.fixture
def bot(client: Client, user: str) -> orderengine.Client:
    return client.engine_of(user)


def a_client(client: Client, user: str, **options: Any) -> orderengine.Client:
    """A client with its own connections and the defaults of users."""
    return orderengine.Client(client.http, **{"ws_url": client.ws, "key": client.key, "user": user, **options})


def test_an_order_is_placed_watched_and_filled(bot: orderengine.Client, user: str) -> None:
    order = bot.submit(*SWAP, slippage=10)
    assert [(update.seq, update.status) for update in order.watch(timeout=PATIENCE_SECONDS)] == SEQUENCE
    record = order.result()
    assert record.raise_for_outcome().filled
    assert (record.user_id, record.amount_in) == (user, Decimal("1.5"))
    assert bot.status(order.id).seq == record.seq == order.events()[-1].seq
    assert [update.seq for update in bot.watch(order.id, after=4)] == [5, 6]
    assert order.record(at_seq=1).status == "pending"


def test_an_order_that_fails_says_why(bot: orderengine.Client) -> None:
    record = bot.submit(*SWAP, simulate="no_liquidity").result(timeout=PATIENCE_SECONDS)
    with pytest.raises(errors.OrderFailed, match=str(record.fail_code)):
        record.raise_for_outcome()


def test_twenty_orders_are_gathered_in_their_order(bot: orderengine.Client) -> None:
    orders = [bot.submit("SOL", "USDC", 1, slippage=10) for _ in range(20)]
    records = bot.gather(orders, timeout=PATIENCE_SECONDS)
    assert [(record.id, record.status) for record in records] == [(order.id, "confirmed") for order in orders]
    assert bot.counters.gaps == bot.counters.gaps_filled


def test_a_second_client_follows_a_user_after_the_cursor_of_the_first(client: Client, user: str) -> None:
    with (
        a_client(client, user) as first,
        first.follow(since=datetime.now(UTC), timeout=PATIENCE_SECONDS) as feed,
    ):
        one = first.submit(*SWAP, slippage=10).id
        before = until_terminal(feed, one)
        # The last update is in hand, so it comes again.
        cursor = feed.cursor
    with a_client(client, user) as second, second.follow(cursor=cursor, timeout=PATIENCE_SECONDS) as feed:
        other = second.submit(*SWAP, slippage=10).id
        after = until_terminal(feed, one, other)
    assert before == {one: SEQUENCE}
    assert after == {one: SEQUENCE[-1:], other: SEQUENCE}


def until_terminal(feed: Iterator[orderengine.Update], *order_ids: str) -> dict[str, list[tuple[int, str]]]:
    """The updates of a feed, by order, until each of these orders is over."""
    found: dict[str, list[tuple[int, str]]] = {}
    waiting = set(order_ids)
    for update in feed:
        found.setdefault(update.order_id, []).append((update.seq, update.status))
        waiting -= {update.order_id} if update.is_terminal else set()
        if not waiting:
            break
    return found


def test_previews_quotes_and_explanations_are_exact(bot: orderengine.Client) -> None:
    quotes, preview = bot.quote(*SWAP), bot.preview(*SWAP, slippage=1)
    assert quotes.raydium
    assert quotes.meteora
    assert max(quotes.raydium.amount_out, quotes.meteora.amount_out) > preview.min_amount_out > 0  # type: ignore[operator]
    assert preview.amount_in_base == Decimal("1500000000")
    order = bot.submit(*SWAP, slippage=10)
    record = order.result(timeout=PATIENCE_SECONDS)
    explanation = order.explain()
    assert (explanation.id, explanation.seq, explanation.replay.matches) == (order.id, record.seq, True)
    assert explanation.decision
    assert explanation.decision.chosen == record.dex_used
    assert bot.health().status == "ok"


def test_statistics_are_those_of_the_clients_user(bot: orderengine.Client, user: str) -> None:
    bot.submit(*SWAP, slippage=10).result(timeout=PATIENCE_SECONDS)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (execution := bot.stats().execution) or execution.orders != {"confirmed": 1}:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert bot.stats().user_id == user


def test_an_amendment_and_a_cancel_say_what_an_order_has_become(bot: orderengine.Client) -> None:
    order = bot.submit("SOL", "USDC", 1, limit_price=FAR, expires_in="1h")
    stale = order.record()
    assert (stale.type, stale.time_in_force) == ("limit", "GTD")
    amended = bot.amend(stale, limit_price=FAR + 1)
    assert (amended.seq, amended.limit_price) == (stale.seq + 1, Decimal(FAR + 1))
    with pytest.raises(errors.MovedOn) as moved:
        bot.amend(stale, limit_price=FAR + 2)
    assert moved.value.verdict == ("moved_on", "open", amended.seq)
    assert order.cancel().outcome == "cancelled"
    with pytest.raises(errors.OrderCancelled):
        order.result().raise_for_outcome()
    with pytest.raises(errors.NotAmendable):
        bot.amend(order.id, limit_price=FAR)
    filled = bot.submit(*SWAP, slippage=10)
    last = filled.result(timeout=PATIENCE_SECONDS)
    with pytest.raises(errors.TooLate) as late:
        filled.cancel()
    assert late.value.verdict == ("too_late", "confirmed", last.seq)


def test_an_invalid_order_names_every_bad_field(bot: orderengine.Client) -> None:
    with pytest.raises(errors.Invalid) as refused:
        bot.submit("SOL", "SOL", -1, client_order_id="x" * 256)
    assert refused.value.fields.keys() == {"amountIn", "tokenOut", "clientOrderId"}
    assert refused.value.request_id
    with pytest.raises(errors.NotFound):
        bot.order(str(uuid4()))


def test_a_key_places_one_order_and_no_other(bot: orderengine.Client) -> None:
    key = str(uuid4())
    first, again = (bot.submit(*SWAP, slippage=10, idempotency_key=key) for _ in range(2))
    assert (again.id, first.replayed, again.replayed) == (first.id, False, True)
    with pytest.raises(errors.KeyReused):
        bot.submit("SOL", "USDC", 2, slippage=10, idempotency_key=key)


def test_lists_page_by_themselves_newest_first(bot: orderengine.Client, user: str) -> None:
    ids = [bot.submit("SOL", "USDC", 1, limit_price=FAR, client_order_id=f"{n}").id for n in range(5)][::-1]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while [order.id for order in bot.orders(status="open")] != ids:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    first = bot.page(limit=2)
    second = bot.page(limit=2, cursor=first.next_cursor)
    assert [order.id for page in (first, second) for order in page.orders] == ids[:4]
    assert [order.id for order in bot.orders(limit=3)] == ids[:3]
    assert [order.client_order_id for order in bot.orders(client_order_id="4")] == ["4"]
    cancelled = bot.cancel_all()
    assert ({order.id for order in cancelled.cancelled}, cancelled.more) == (set(ids), False)


def test_a_ticket_replaces_the_key_in_the_handshake(client: Client, user: str) -> None:
    with a_client(client, user, use_tickets=True) as bot:
        order = bot.submit(*SWAP, slippage=10)
        assert [update.seq for update in order.watch(timeout=PATIENCE_SECONDS)] == [1, 2, 3, 4, 5, 6]
        assert (bot.counters.long_polls, bot.counters.polls) == (0, 0)


def test_where_no_socket_opens_a_watch_waits_for_events(client: Client, user: str) -> None:
    with a_client(client, user, ws_url="ws://127.0.0.1:9") as bot:
        order = bot.submit(*SWAP, slippage=10)
        assert [update.seq for update in order.watch(timeout=PATIENCE_SECONDS)] == [1, 2, 3, 4, 5, 6]
        assert bot.counters.long_polls + bot.counters.polls > 0


def test_an_awaited_client_does_the_same(client: Client, user: str) -> None:
    async def trade() -> None:
        async with AsyncClient(client.http, ws_url=client.ws, key=client.key, user=user) as bot:
            first = await bot.submit(*SWAP, slippage=10)
            updates = [update async for update in first.watch(timeout=PATIENCE_SECONDS)]
            assert [(update.seq, update.status) for update in updates] == SEQUENCE
            others = await asyncio.gather(*(bot.submit("SOL", "USDC", 1, slippage=10) for _ in range(5)))
            records = await bot.gather(others, timeout=PATIENCE_SECONDS)
            assert [record.id for record in records] == [order.id for order in others]
            assert all(record.filled for record in records)
            assert (await first.record()).filled
            with pytest.raises(errors.TooLate):
                await first.cancel()

    asyncio.run(trade())


@pytest.mark.parametrize("stack", ["locked"], indirect=True, scope="session")
@pytest.mark.parametrize(("key", "code"), [(None, "MISSING_CREDENTIAL"), ("nonsense", "INVALID_CREDENTIAL")])
def test_a_wrong_credential_is_an_error_of_every_call_and_stream(
    client: Client, user: str, key: str | None, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OE_KEY", raising=False)
    order = client.engine_of(user).submit(*SWAP, slippage=10)
    with a_client(client, user, key=key) as stranger:
        calls: list[Any] = [
            lambda: stranger.submit(*SWAP, slippage=10),
            lambda: stranger.order(order.id),
            lambda: list(stranger.orders()),
            lambda: list(stranger.watch(order.id, timeout=PATIENCE_SECONDS)),
        ]
        for call in calls:
            with pytest.raises(errors.Unauthenticated) as refused:
                call()
            assert refused.value.code == code
