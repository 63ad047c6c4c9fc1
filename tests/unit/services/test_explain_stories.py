"""The story of each kind of order and end: its sentences, attempts and summary, held against the events."""

from datetime import timedelta
from decimal import Decimal
from re import findall
from uuid import uuid4

import pytest

from chalicelib.codec.times import milliseconds
from chalicelib.domain.conditions import Amendment, TimeInForce
from chalicelib.domain.events import AttemptStarted, Confirmed, Failed, QuotesReceived
from chalicelib.domain.failures import Failure, FailureCode
from chalicelib.domain.money import to_human_units, written
from chalicelib.domain.orders import Order
from chalicelib.domain.status import Status
from chalicelib.domain.tokens import Side
from chalicelib.services.orders.explain.attempts import attempts_of
from chalicelib.services.orders.explain.decisions import decisions_of
from chalicelib.services.orders.explain.past_orders import orders_before
from chalicelib.services.orders.explain.story import story_of
from chalicelib.services.orders.explain.wording import duration
from tests.support.callers import ANYONE
from tests.support.explanations import Explaining, an_explaining_bench, before_each_swap
from tests.support.open_orders import a_launch, a_limit, a_sniper, accept
from tests.support.order_builders import NOON, building, missed, opened, pending, routed, spec, submitted

#: A move of the price between quote and swap, which the swap knows because the market's cache is older by then.
SECONDS_OF_A_MOVE = 1.5


@pytest.fixture
def world() -> Explaining:
    world = an_explaining_bench(venue_time_scale=Decimal(1))
    world.push(100)
    return world


def move(world: Explaining, price: Decimal | str) -> None:
    world.push(price)
    world.bench.clock.sleep(SECONDS_OF_A_MOVE)


def outcomes(world: Explaining, order_id: str) -> list[tuple[int, str, str | None]]:
    return [
        (attempt.number, attempt.outcome.value, attempt.error.code.value if attempt.error else None)
        for attempt in world.explain(order_id).attempts
    ]


def test_a_filled_market_order_tells_both_outputs_the_minimum_and_the_fill(world: Explaining) -> None:
    order_id = world.bench.submit()
    world.bench.process_all()
    order, texts = world.bench.order(order_id), world.texts(order_id)
    quotes, fill = order.events[2].data, order.events[-1].data
    assert isinstance(quotes, QuotesReceived)
    assert isinstance(fill, Confirmed)
    chosen, other = (quotes.quote_of(venue) for venue in ("raydium", "meteora"))
    assert chosen
    assert other
    returned, more = (to_human_units(units, 6) for units in (chosen.amount_out, chosen.amount_out - other.amount_out))
    assert texts[0] == "Accepted: a market order to sell 1.5 SOL for USDC, with a slippage tolerance of 1 %."
    assert texts[1] == "Attempt 1 of 3 begins: the engine asks every venue for a quote."
    assert texts[2].startswith(
        f"Quotes received. Raydium returns {written(returned)} USDC net of fees, {more} USDC ("
    )
    assert f"the quote of {written(returned)} USDC less 1 % slippage" in texts[3]
    assert order.tx_hash
    assert order.tx_hash[:8] in texts[4]
    assert f"swapped 1.5 SOL for {written(to_human_units(fill.amount_out, 6))} USDC" in texts[5]
    took = duration(milliseconds(order.events[-1].at - order.events[0].at))
    assert world.explain(order_id).summary.startswith(f"Confirmed {took} after acceptance: 1.5 SOL for ")
    assert outcomes(world, order_id) == [(1, "confirmed", None)]


def test_the_times_of_the_steps_are_those_of_the_events(world: Explaining) -> None:
    order_id = world.bench.submit(simulate="tx_dropped:1")
    world.bench.process_all()
    story, events = world.body(order_id)["story"], world.bench.order(order_id).events
    assert [step["seq"] for step in story] == [event.seq for event in events]
    assert sum(step["durationMs"] or 0 for step in story) == story[-1]["sinceAcceptedMs"]
    assert story[-1]["durationMs"] is None
    spans = [events[index + 1].at - event.at for index, event in enumerate(events[:-1])]
    assert [step["durationMs"] for step in story[:-1]] == [span // timedelta(milliseconds=1) for span in spans]


def test_a_degraded_route_names_the_venue_without_a_quote(world: Explaining) -> None:
    order_id = world.bench.submit(simulate="venue_down:raydium")
    world.bench.process_all()
    explanation = world.explain(order_id)
    assert "Meteora is the only venue with a usable quote" in explanation.story[2].text
    assert "Without a usable quote: raydium is down (VENUE_UNAVAILABLE)." in explanation.story[2].text
    assert "It asks for the simulated fault venue_down:raydium." in explanation.story[0].text
    assert explanation.decision
    assert (explanation.decision.rule, explanation.decision.gain) == ("ONLY_QUOTE", None)


def test_a_retry_tells_its_error_and_keeps_the_minimum(world: Explaining) -> None:
    order_id = world.bench.submit(simulate="tx_dropped:1")
    world.bench.process_all()
    order, explanation = world.bench.order(order_id), world.explain(order_id)
    minimum = f"{written(to_human_units(order.min_amount_out or 0, 6))} USDC"
    first, second = explanation.attempts
    assert (first.outcome.value, second.outcome.value) == ("retried", "confirmed")
    assert first.handling == (
        f"The engine tries again with fresh quotes, as attempt 2 of 3, and keeps the minimum output of {minimum}."
    )
    error = "raydium did not land the transaction (TX_DROPPED)"
    assert explanation.story[5].text == f"Attempt 1 fails: {error}. Attempt 2 of 3 follows with fresh quotes."
    assert f"at least {minimum}, the minimum of the first attempt" in explanation.story[7].text
    assert "in its 2nd attempt" in explanation.summary
    assert [len(attempt["decisions"]) for attempt in world.body(order_id)["attempts"]] == [1, 1]


@pytest.mark.parametrize(
    ("fault", "code", "attempts", "handling"),
    [
        ("network_error:9", "NETWORK_ERROR", 3, "It was attempt 3 of 3, so the order fails. No swap landed."),
        ("no_liquidity", "NO_LIQUIDITY", 1, "Another attempt could not mend this, so the order fails at once."),
        ("slippage:9", "SLIPPAGE_EXCEEDED", 3, "It was attempt 3 of 3, so the order fails. No swap landed."),
    ],
)
def test_a_simulated_failure_has_no_counterfactual(
    world: Explaining, fault: str, code: str, attempts: int, handling: str
) -> None:
    order_id = world.bench.submit(simulate=fault)
    world.bench.process_all()
    explanation = world.explain(order_id)
    assert outcomes(world, order_id)[-1] == (attempts, "failed", code)
    assert (explanation.attempts[-1].handling or "").startswith(handling)
    assert explanation.summary.endswith(f"({code}). The order asked for the simulated fault {fault}.")
    assert explanation.counterfactuals == []


def test_an_order_that_the_queue_gave_up_is_not_blamed_on_its_terms(world: Explaining) -> None:
    order_id = world.bench.submit()
    stored = world.bench.orders.get(order_id)
    assert stored
    exhausted = Failed(Failure(FailureCode.QUEUE_EXHAUSTED, "the order could not be processed"))
    world.bench.orders.write(
        stored, stored.order.after(exhausted, world.bench.clock.now()), lease=None, deadline_ms=None
    )
    explanation = world.explain(order_id)
    assert explanation.summary.endswith(
        "No term of the order caused this; the same order may fill when it is placed again."
    )
    assert explanation.story[-1].text == (
        "Failed without an attempt: the order could not be processed (QUEUE_EXHAUSTED). Nothing was traded."
    )
    assert (explanation.attempts, explanation.counterfactuals) == ([], [])


def test_a_limit_order_that_fills_at_once_says_so(world: Explaining) -> None:
    order_id = accept(world.bench, a_limit(90))
    world.bench.process_all()
    texts = world.texts(order_id)
    assert (
        texts[1] == "The whole size can be traded at once at 90 USDC per SOL or more, net of fees, at least 180 USDC."
    )
    assert texts[2] == "Triggered at once, because it can be filled now."
    assert "at least 180 USDC, the minimum that the limit price sets" in texts[5]


def test_an_amended_order_tells_its_first_terms_and_its_new_ones(world: Explaining) -> None:
    order_id = accept(world.bench, a_limit("150.50"))
    amendment = Amendment(limit_price=Decimal(120), expires_at=world.bench.clock.now().replace(hour=18))
    world.bench.engine.amend(ANYONE, order_id, amendment)
    texts = world.texts(order_id)
    assert "at 150.5 USDC per SOL or more" in texts[0]
    assert "at 150.5 USDC per SOL or more, net of fees, at least 301 USDC, until 2026-01-31 12:00:00 UTC" in texts[1]
    assert texts[2] == (
        "Amended on request: the limit is now 120 USDC per SOL or more, the order now expires at "
        "2026-01-01 18:00:00 UTC. The whole size has to bring at least 240 USDC."
    )
    assert "can be traded at 120 USDC per SOL or more" in world.explain(order_id).summary


def test_a_missed_order_is_open_again_and_its_attempts_share_a_number(
    world: Explaining, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = accept(world.bench, a_limit(120))
    with monkeypatch.context() as moved:
        before_each_swap(moved, lambda: move(world, "110"))
        for _ in range(2):
            world.push(125)
            world.bench.process_all()
            world.bench.clock.sleep(600)
    assert outcomes(world, order_id) == [(1, "reopened", "SLIPPAGE_EXCEEDED")] * 2
    texts = world.texts(order_id)
    assert [text for text in texts if text.startswith("The order misses")] == [
        "The order misses its price: raydium would return less than the minimum output. It is open again; "
        "no attempt is used up.",
        "The order misses its price: raydium would return less than the minimum output. It is open again, for the "
        "2nd time; no attempt is used up.",
    ]
    assert "It triggered and missed its price 2 times." in world.explain(order_id).summary
    assert "Attempt 1 of 3 begins once more: the engine asks every venue for a quote." in texts
    world.bench.clock.sleep(31 * 86_400)
    world.bench.engine.market.look()
    assert (
        world.texts(order_id)[-1] == "Expired 31 days after acceptance; it waited for its price. Nothing was traded."
    )


def test_an_immediate_order_expires_with_the_error_of_its_attempt(world: Explaining) -> None:
    order_id = accept(world.bench, a_limit(120, time_in_force=TimeInForce.IOC))
    world.bench.process_all()
    explanation = world.explain(order_id)
    assert outcomes(world, order_id) == [(1, "expired", "SLIPPAGE_EXCEEDED")]
    assert explanation.story[0].text.startswith("Accepted: an immediate-or-cancel limit order to sell 2 SOL")
    assert explanation.story[1].text.endswith("now; the order is immediate-or-cancel.")
    assert explanation.attempts[0].handling == (
        "An immediate-or-cancel order does not wait, so it expires. No swap landed."
    )


def test_a_cancelled_order_traded_nothing(world: Explaining) -> None:
    order_id = accept(world.bench, a_limit(80, Side.BUY))
    world.bench.clock.sleep(90)
    world.bench.engine.cancel(ANYONE, order_id)
    explanation = world.explain(order_id)
    assert explanation.story[-1].text == "Cancelled on request. Nothing was traded."
    assert explanation.summary.startswith(
        "Cancelled 1 min 30 s after acceptance: a limit order to buy SOL with 200 USDC."
    )


def test_a_sniper_order_tells_each_launch(world: Explaining) -> None:
    order_id = accept(world.bench, a_sniper(min_liquidity=Decimal(2000), max_price=Decimal("0.0020")))
    wanted = "the first pool of 7xKX…gAsU with at least 2000 SOL of liquidity and a price of 0.002 SOL per 7xKX…gAsU"
    assert wanted in world.explain(order_id).summary
    assert world.explain(order_id).summary.endswith("No pool of this token was opened while it waited.")
    world.announce(a_launch(world.bench))
    assert world.texts(order_id)[-1] == (
        "Raydium opens a pool with 1000 SOL of liquidity at 0.001 SOL per 7xKX…gAsU. The order refuses it: liquidity "
        "of 1000 is less than 2000."
    )
    world.announce(a_launch(world.bench, "deeper", 2, liquidity=Decimal(5000)))
    world.bench.process_all()
    texts = world.texts(order_id)
    assert texts[3].endswith("It meets the order's conditions and triggers it.")
    assert texts[4] == "Attempt 1 of 3 begins: the engine asks Raydium for a quote."
    assert "Raydium has the launched pool: " in texts[5]
    assert world.bench.order(order_id).status is Status.CONFIRMED


def test_a_sniper_order_that_expires_says_what_came(world: Explaining) -> None:
    order_id = accept(world.bench, a_sniper(venue="meteora"))
    world.announce(a_launch(world.bench))
    world.bench.clock.sleep(30 * 86_400)
    world.bench.engine.market.look()
    explanation = world.explain(order_id)
    assert (
        explanation.story[-1].text
        == "Expired 30 days after acceptance; it waited for its launch. Nothing was traded."
    )
    assert "A launch was refused, the last one because: launched on raydium, not on meteora." in explanation.summary


@pytest.mark.parametrize(
    ("order", "state"),
    [
        (pending(), "It waits in the queue."),
        (routed(pending()), "It is asking the venues for quotes."),
        (building(routed(pending())), "It has a transaction ready to send."),
        (submitted(building(routed(pending()))), "It has sent its swap and waits for the outcome."),
    ],
)
def test_an_order_on_its_way_says_where_it_is(world: Explaining, order: Order, state: str) -> None:
    world.bench.orders.create(order, deadline_ms=0)
    explanation = world.explain(order.order_id)
    assert explanation.summary.endswith(state)
    assert explanation.counterfactuals == []
    assert all(attempt.outcome.value == "running" for attempt in explanation.attempts)


def test_a_miss_of_an_earlier_version_keeps_no_code(world: Explaining) -> None:
    order = missed(opened(spec(type="limit", limit_price=Decimal(100))))
    [attempt] = attempts_of(order, 3)
    assert (attempt.outcome.value, attempt.error) == ("reopened", None)


def test_no_sentence_has_a_float_an_exponent_or_a_trailing_zero(world: Explaining) -> None:
    order_id = accept(world.bench, a_limit("100.00", amount_in=10))
    world.bench.process_all()
    order = world.bench.order(order_id)
    before = orders_before(order)
    story = story_of(order, before, decisions_of(order, before), 3)
    for step in story:
        numbers = findall(r"\d+\.\d+", step.text)
        assert not [number for number in numbers if number.endswith("0")], step.text
        assert "E-" not in step.text


def test_a_retry_before_any_quote_has_an_attempt_without_a_decision(world: Explaining) -> None:
    order = pending(order_id=str(uuid4())).after(AttemptStarted(), NOON, next_attempt=True)
    failure = Failure(FailureCode.NETWORK_ERROR, "raydium could not be reached")
    order = order.after(AttemptStarted(failure), NOON, next_attempt=True)
    first, second = attempts_of(order, 3)
    assert (first.outcome.value, first.error, second.outcome.value) == ("retried", failure, "running")
    assert first.handling == "The engine tries again with fresh quotes, as attempt 2 of 3."
