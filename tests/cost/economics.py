"""Prices of the engine beside the always-on pair, and what levers change."""

from dataclasses import dataclass

from tests.cost import idle, pair
from tests.cost.bills import bill
from tests.cost.doors import PROCESS
from tests.cost.durations import gb_seconds, memory_mb, seconds
from tests.cost.kinds import MARKET
from tests.cost.measurement import Measurement
from tests.cost.prices import GB, HOURS_A_MONTH, Bill, price
from tests.cost.recorded import postgres_bytes
from tests.scale.venue_times import mean_of_slowest, mean_seconds

MILLION = 1_000_000
_MOST_ORDERS = 10**12
SECONDS_A_MONTH = HOURS_A_MONTH * 3600
#: A table with provisioned capacity follows its load by auto scaling, which leaves this share unused.
_PROVISIONED_USE = 0.7
_BATCH = 5


@dataclass(frozen=True)
class Lever:
    """A change, the bill of an order with it, and what the change costs beside money."""

    name: str
    bill: Bill
    costs: str


def of_million(measurement: Measurement, kind: str = MARKET.name) -> Bill:
    return bill(kind, measurement.kinds[kind]).times(MILLION)


def idle_month(measurement: Measurement) -> Bill:
    return idle.month(measurement.minute, measurement.polls_a_minute)


def engine_month(measurement: Measurement, orders: float, kind: str = MARKET.name) -> Bill:
    """The bill of a month with so many orders of a kind, without the database."""
    return idle_month(measurement).plus(bill(kind, measurement.kinds[kind]).times(orders))


def break_even(measurement: Measurement, kind: str = MARKET.name) -> float:
    """The orders a month from which on the always-on pair is cheaper."""
    least, most = 0.0, float(_MOST_ORDERS)
    while most - least > 1:
        middle = (least + most) / 2
        if engine_month(measurement, middle, kind).usd() < pair.month(middle).usd():
            least = middle
        else:
            most = middle
    return most


def storage_year(measurement: Measurement) -> dict[str, float]:
    """USD a year for a million orders that are kept, by where they are."""
    dynamodb = measurement.dynamodb_bytes * MILLION / GB * 12
    history = postgres_bytes() * MILLION / GB * 12
    return {
        "DynamoDB with its indexes": dynamodb * price("dynamodb.gb_month"),
        "point-in-time recovery": dynamodb * price("dynamodb.pitr_gb_month"),
        "Postgres in two zones": history * price("rds.gp3_multi_az_gb_month"),
    }


def levers(measurement: Measurement) -> list[Lever]:
    """What was tried on a million market orders over HTTP."""
    now = of_million(measurement)
    waits = mean_of_slowest(_BATCH) - mean_seconds()
    return [
        Lever("as deployed", now, ""),
        Lever(
            "batches of 5, concurrency 2",
            _batched(measurement).times(MILLION),
            f"an environment is busy until the slowest of five has swapped: {waits:.1f} s longer on average, so ten "
            "slots do less; one crash or memory fault hits five orders; five share one CPU share",
        ),
        Lever("arm64", _on_arm(now), "the wheels of another platform, which CI does not run"),
        Lever(
            "HTTP API in place of the REST API",
            _with_http_api(now),
            "no gateway responses (the problem documents of 413, 429 and 5xx), no WAF, no resource policy",
        ),
        Lever(
            f"provisioned DynamoDB at {_PROVISIONED_USE:.0%} use",
            _provisioned(now),
            "for a steady load alone: a burst beyond it is throttled until auto scaling follows, after minutes",
        ),
        Lever("arm64 and HTTP API", _with_http_api(_on_arm(now)), "both of it"),
    ]


def _batched(measurement: Measurement) -> Bill:
    """An environment with a batch lasts as long as its slowest order, and its orders share the CPU."""
    plain = bill(MARKET.name, measurement.market)
    process = next(one for one in measurement.market if one.function == PROCESS)
    alone = gb_seconds(MARKET.name, process)
    memory = memory_mb(PROCESS)
    own = seconds(MARKET.name, process) - mean_seconds()
    batch = (mean_of_slowest(_BATCH) + own * _BATCH) * memory / 1024
    amounts = dict(plain.amounts)
    amounts["lambda.gb_second.x86"] += batch / _BATCH - alone
    amounts["lambda.request"] -= 1 - 1 / _BATCH
    # One receive and one delete serve the batch.
    amounts["sqs.request"] -= 2 * (1 - 1 / _BATCH)
    return Bill(amounts)


def _on_arm(now: Bill) -> Bill:
    return _replaced(now, "lambda.gb_second.x86", "lambda.gb_second.arm")


def _with_http_api(now: Bill) -> Bill:
    return _replaced(now, "rest.request", "http_api.request")


def _provisioned(now: Bill) -> Bill:
    """Units that are bought by the hour and used for the most part."""
    amounts = dict(now.amounts)
    for unit, capacity in (("write_unit", "write_capacity_hour"), ("read_unit", "read_capacity_hour")):
        amounts[f"dynamodb.{capacity}"] = amounts.pop(f"dynamodb.{unit}") / 3600 / _PROVISIONED_USE
    return Bill(amounts)


def _replaced(now: Bill, name: str, by: str) -> Bill:
    return Bill({by if one == name else one: amount for one, amount in now.amounts.items()})
