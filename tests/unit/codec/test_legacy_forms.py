"""Events and messages of version 1, as the last engine of that version wrote them, are read in full.

``legacy/events.json`` holds one event of every kind with the specification of its order, ``legacy/messages.json`` an
order message and a replay message of every kind. The texts are literal: the engine that wrote them no longer exists.
``stored/version_2.json`` holds the same in the present form. A test that fails there reports a change of the stored
form: data that is in the tables and the queues would no longer be read, so such a change needs a new version.
"""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest

from chalicelib.api.frames import event_body
from chalicelib.api.meta import meta_of
from chalicelib.codec.events import data_to_json, event_from_json, event_to_json, quotes_from_json
from chalicelib.codec.exact_json import dumps, loads
from chalicelib.codec.messages import order_message, read_order_message
from chalicelib.codec.orders import spec_from_dict
from chalicelib.codec.replays import read_replay_message, replay_message
from chalicelib.codec.times import from_text, to_ms
from chalicelib.domain.conditions import Amendment, Launch, TimeInForce
from chalicelib.domain.events import (
    Accepted,
    Amended,
    AttemptStarted,
    Building,
    Cancelled,
    Confirmed,
    Event,
    EventData,
    Expired,
    Failed,
    LaunchRefused,
    LaunchTriggered,
    Opened,
    OpenTerms,
    PriceMovedAway,
    PriceTriggered,
    QuotesReceived,
    Submitted,
    TriggeredAtEntry,
    VenueAnswer,
    VenueQuote,
)
from chalicelib.domain.failures import Failure, FailureCode
from chalicelib.domain.orders import Order
from chalicelib.domain.spec import OrderSpec
from chalicelib.domain.status import OrderType, Status
from chalicelib.domain.tokens import BY_SYMBOL, Side
from chalicelib.ports.orders import StoredOrder
from chalicelib.ports.streams import (
    CheckSocket,
    CloseSockets,
    FollowUser,
    NotifyFollowers,
    OpenStream,
    RetrySocket,
    StreamReplay,
    Subscriber,
)

LEGACY = Path(__file__).with_name("legacy")
EVENTS = loads((LEGACY / "events.json").read_text())
MESSAGES = loads((LEGACY / "messages.json").read_text())
VERSION_2 = loads(Path(__file__).with_name("stored").joinpath("version_2.json").read_text())
TEXTS: dict[str, str] = {name: one["text"] for name, one in EVENTS["events"].items()}
SPECS: dict[str, OrderSpec] = {
    name: spec_from_dict(EVENTS["specs"][one["spec"]]) for name, one in EVENTS["events"].items()
}
NOON = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
IN_THIRTY_DAYS = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
IN_TWO_DAYS = datetime(2026, 1, 3, 12, 0, 1, tzinfo=UTC)
MINT = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"
HASH = "4wfSfnMt1XxGWjnTY4aPcBMAf3Ns8zZbncMxnQuYrioEL6dWpAPokuEUvYLj59R9iHFF6ZsCNTZqLoD7fLWTSYL9"
SNIPER_HASH = "3exY5ymUWkwTXt2a1KymKw9WKRsr3NcJfQ3K1Z3mEM65w9F4XRNqXUeHn2yJjhgi2rPwFPsEd4Em72F8cbnA5rj"
ORDER_ID = "00000000-0000-4000-8000-000000000015"
RAYDIUM = VenueQuote(
    price=Decimal("100.542466667"),
    amount_out=150_813_700,
    fee=3_750_000,
    fee_bps=Decimal(25),
    price_impact_pct=Decimal("0.003"),
    liquidity=Decimal("5039873.469233"),
)
METEORA = VenueQuote(
    price=Decimal("97.188908"),
    amount_out=145_783_362,
    fee=3_000_743,
    fee_bps=Decimal("20.005"),
    price_impact_pct=Decimal("0.0025"),
    liquidity=Decimal("5898702.277903"),
)
LAUNCHED = VenueQuote(
    price=Decimal("0.00100350626595"),
    amount_out=996_505_985,
    fee=2_500_000,
    fee_bps=Decimal(25),
    price_impact_pct=Decimal("0.0997"),
    liquidity=Decimal(1000),
)
NOT_LANDED = "raydium did not land the transaction"
ONLY_VENUE = "raydium is the only venue with a quote"


def launch(pool: str, slot: int, liquidity: str, second: int) -> Launch:
    """Version 1 did not store the time of a launch, nor its quote token: the time is that of the event."""
    at_ms = to_ms(NOON.replace(second=second))
    return Launch(MINT, "raydium", pool, slot, Decimal("0.001"), Decimal(liquidity), at_ms)


DATA: dict[str, EventData] = {
    "pending": Accepted(),
    "pending_with_start": Accepted(datetime(2026, 1, 1, 12, 1, tzinfo=UTC)),
    "attempt_started": AttemptStarted(),
    "attempt_after_failure": AttemptStarted(Failure(FailureCode.STALE_QUOTE, NOT_LANDED)),
    "quotes": QuotesReceived(
        (VenueAnswer("raydium", RAYDIUM), VenueAnswer("meteora", METEORA)),
        "raydium",
        "raydium returns 3.3355 % more, net of fees",
    ),
    "quotes_with_error": QuotesReceived(
        (
            VenueAnswer("raydium", RAYDIUM),
            VenueAnswer("meteora", failure=Failure(FailureCode.VENUE_UNAVAILABLE, "meteora is down")),
        ),
        "raydium",
        ONLY_VENUE,
    ),
    "quotes_of_one_pool": QuotesReceived(
        (VenueAnswer("raydium", LAUNCHED), VenueAnswer("meteora")), "raydium", ONLY_VENUE
    ),
    "building": Building("raydium", 149_305_563, ("wrapSol", "swap")),
    "submitted": Submitted("raydium", HASH),
    "confirmed": Confirmed("raydium", HASH, 150_813_700, Decimal("100.542466667"), Decimal(0)),
    "confirmed_sniper": Confirmed("raydium", SNIPER_HASH, 996_505_985, Decimal("0.00100350626595"), Decimal(0)),
    "cancelled": Cancelled(),
    "failed": Failed(Failure(FailureCode.NO_LIQUIDITY, "raydium has no liquidity for this pair")),
    "failed_after_retries": Failed(Failure(FailureCode.STALE_QUOTE, NOT_LANDED)),
    "failed_by_the_queue": Failed(Failure(FailureCode.QUEUE_EXHAUSTED, "the order could not be processed")),
    "opened": Opened(OpenTerms(Decimal("160.5"), TimeInForce.GTC, IN_THIRTY_DAYS, 321_000_000), marketable=False),
    "opened_with_date": Opened(
        OpenTerms(Decimal(50), TimeInForce.GTD, datetime(2026, 1, 1, 18, tzinfo=UTC), 4_000_000_000), marketable=False
    ),
    "opened_marketable": Opened(
        OpenTerms(Decimal(1000), TimeInForce.GTC, IN_THIRTY_DAYS, 200_000_000), marketable=True
    ),
    "opened_at_once": Opened(
        OpenTerms(Decimal(1000), TimeInForce.IOC, min_amount_out=2_000_000_000), marketable=False
    ),
    "opened_for_launch": Opened(OpenTerms(time_in_force=TimeInForce.GTC, expires_at=IN_THIRTY_DAYS, mint=MINT)),
    "amended": Amended(
        OpenTerms(Decimal("161.25"), TimeInForce.GTD, IN_TWO_DAYS, 322_500_000),
        Amendment(Decimal("161.25"), 50, IN_TWO_DAYS),
    ),
    "amended_price": Amended(
        OpenTerms(Decimal(170), TimeInForce.GTD, IN_TWO_DAYS, 340_000_000), Amendment(limit_price=Decimal(170))
    ),
    "launch_refused": LaunchRefused(launch("pool-1", 7, "12.5", 1), "liquidity of 12.5 is less than 50"),
    "missed": PriceMovedAway(NOT_LANDED, 1),
    "triggered_at_entry": TriggeredAtEntry(),
    "triggered_by_price": PriceTriggered("raydium", Decimal("253.6573765")),
    "triggered_by_launch": LaunchTriggered(launch("pool-2", 8, "1000", 2)),
    "expired": Expired(),
    "expired_with_reason": Expired("its time was up"),
    "expired_with_code": Expired(
        "every venue would return less than the minimum output", FailureCode.SLIPPAGE_EXCEEDED
    ),
}
REPLAYS: dict[str, StreamReplay] = {
    "handshake_for_an_order": OpenStream("socket-1", {"orderId": ORDER_ID, "afterSeq": "2"}),
    "handshake_for_a_user": OpenStream("socket-2", {"userId": "alice"}, coarse=True),
    "first_look": FollowUser(Subscriber("socket-1"), "tester", look=1),
    "next_look": FollowUser(Subscriber("socket-1", via_user=True), "tester", look=2),
    "slow_socket": RetrySocket(Subscriber("socket-1", via_user=True), ORDER_ID, after_seq=1, tries=1),
    "followers": NotifyFollowers(ORDER_ID),
}


@pytest.fixture(params=TEXTS)
def name(request: pytest.FixtureRequest) -> str:
    """An event of version 1."""
    return str(request.param)


def test_there_is_an_event_of_every_kind_and_every_status() -> None:
    assert {type(data) for data in DATA.values()} == set(get_args(EventData))
    assert {loads(text)["status"] for text in TEXTS.values()} == set(Status)
    assert DATA.keys() == TEXTS.keys()


def test_an_event_of_version_1_is_read_as_its_typed_event(name: str) -> None:
    stored = loads(TEXTS[name])
    event = event_from_json(TEXTS[name])
    assert event == Event(stored["seq"], stored["attempt"], from_text(stored["at"]), DATA[name])
    assert event.status == stored["status"]


def test_a_client_sees_the_meta_of_version_1_unchanged(name: str) -> None:
    """No key is absent, and none is new. The order of the keys is the same too."""
    written = TEXTS[name].partition('"meta":')[2].removesuffix("}")
    assert dumps(meta_of(SPECS[name], event_from_json(TEXTS[name]))) == written


def test_a_client_sees_an_event_of_version_1_unchanged(name: str) -> None:
    order = Order("id", SPECS[name])
    body = loads(dumps(event_body(order, event_from_json(TEXTS[name]))))
    del body["phase"]
    assert body == loads(TEXTS[name])


def test_an_event_of_version_1_that_is_written_again_is_the_same_event_of_version_2(name: str) -> None:
    event = event_from_json(TEXTS[name])
    assert event_to_json(event) == VERSION_2["events"][name]
    assert event_from_json(VERSION_2["events"][name]) == event


def test_the_first_event_has_the_trace_id_of_its_request_and_is_read_without_one_too() -> None:
    event = Event(1, 0, NOON, Accepted(trace_id="0af7651916cd43dd8448eb211c80319c"))
    stored = VERSION_2["pending_with_trace"]
    assert event_to_json(event) == stored
    assert event_from_json(stored) == event
    earlier = event_from_json(VERSION_2["events"]["pending"])
    assert Order.replayed("id", SPECS["pending"], (earlier,)).trace_id is None


@pytest.mark.parametrize("kind", ["quotes", "quotes_with_error", "quotes_of_one_pool"])
def test_quotes_that_the_history_stores_in_either_version_are_the_same(kind: str) -> None:
    meta = TEXTS[kind].partition('"meta":')[2].removesuffix("}")
    assert quotes_from_json(meta) == quotes_from_json(data_to_json(DATA[kind])) == DATA[kind]


@pytest.mark.parametrize("kind", ["attempt_started", "confirmed", "opened"])
def test_a_meta_without_quotes_is_not_read_as_quotes(kind: str) -> None:
    meta = TEXTS[kind].partition('"meta":')[2].removesuffix("}")
    with pytest.raises(ValueError, match="no quotes"):
        quotes_from_json(meta)


def test_an_order_message_of_version_1_is_read_as_the_order_that_was_sent() -> None:
    spec = OrderSpec(
        user_id="tester",
        type=OrderType.LIMIT,
        side=Side.SELL,
        token_in=BY_SYMBOL["SOL"],
        token_out=BY_SYMBOL["USDC"],
        amount_in=2 * 10**9,
        slippage_bps=100,
        simulate="slippage:1",
        limit_price=Decimal(160),
        time_in_force=TimeInForce.GTC,
    )
    opened = Opened(OpenTerms(Decimal(160), TimeInForce.GTC, IN_THIRTY_DAYS, 320_000_000), marketable=False)
    order = Order.accepted("00000000-0000-4000-8000-000000000011", spec, NOON)
    order = order.after(opened, NOON).after(PriceTriggered("raydium", Decimal("253.6573765")), NOON)
    assert loads(MESSAGES["order"])["v"] == 1
    message = read_order_message(MESSAGES["order"])
    assert message == StoredOrder(order, published=3)
    assert order_message(message) == VERSION_2["order"]
    assert read_order_message(VERSION_2["order"]) == message


def test_there_is_a_replay_of_every_kind_that_version_1_had() -> None:
    later = {CheckSocket, CloseSockets}
    assert {type(replay) for replay in REPLAYS.values()} == set(get_args(StreamReplay)) - later
    assert REPLAYS.keys() == MESSAGES["replays"].keys()


@pytest.mark.parametrize("kind", REPLAYS)
def test_a_replay_of_version_1_is_read_as_its_own_kind(kind: str) -> None:
    text = MESSAGES["replays"][kind]
    assert loads(text)["v"] == 1
    replay = read_replay_message(text)
    assert replay == REPLAYS[kind]
    assert replay_message(replay) == VERSION_2["replays"][kind]
    assert read_replay_message(VERSION_2["replays"][kind]) == replay


@pytest.mark.parametrize(
    "damage",
    [
        {"trigger": "flying"},
        {"trigger": "price", "dex": "raydium", "price": "much"},
        {"trigger": "price", "dex": "raydium"},
        {"trigger": "launch", "launch": {"mint": MINT}},
        {},
    ],
)
def test_a_damaged_event_of_version_1_is_not_read(damage: dict[str, Any]) -> None:
    stored = loads(TEXTS["triggered_by_price"]) | {"meta": damage}
    with pytest.raises((ValueError, LookupError, TypeError, ArithmeticError)):
        event_from_json(dumps(stored))


def test_an_order_of_version_1_events_is_replayed_to_the_same_order() -> None:
    events = tuple(
        event_from_json(TEXTS[step])
        for step in ("pending", "attempt_started", "quotes", "building", "submitted", "confirmed")
    )
    order = Order.replayed("id", SPECS["confirmed"], events)
    assert (order.status, order.venue, order.tx_hash) == (Status.CONFIRMED, "raydium", HASH)
    assert (order.amount_out, order.min_amount_out) == (150_813_700, 149_305_563)
    assert order.quotes == DATA["quotes"]


def test_a_launch_that_version_1_refused_is_still_known_to_be_refused() -> None:
    events = tuple(event_from_json(TEXTS[step]) for step in ("pending", "opened_for_launch", "launch_refused"))
    order = Order.replayed("id", SPECS["launch_refused"], events)
    assert order.was_refused(f"{MINT}#pool-1#7")
    assert not order.was_refused(f"{MINT}#pool-2#8")
