"""The tables of ``docs/scaling.md`` that come from the measurement, as Markdown by the name of their place."""

from collections.abc import Iterable, Sequence

from tests.cost import economics, pair
from tests.cost.bills import bill, totals
from tests.cost.doors import API, PROCESS
from tests.cost.durations import seconds
from tests.cost.economics import MILLION, SECONDS_A_MONTH
from tests.cost.kinds import LIMIT, MARKET, MARKET_WITH_SOCKET
from tests.cost.measurement import Measurement
from tests.cost.partitions import shared_partitions
from tests.cost.prices import GB
from tests.cost.prices import table as price_table
from tests.cost.recorded import postgres_bytes
from tests.cost.site import USER

RATES = (10, 1_000, 100_000)
_MONTHS = (0, 10_000, 100_000, MILLION, 10 * MILLION, 100 * MILLION)
_SERVICES = {
    "lambda": "Lambda",
    "dynamodb": "DynamoDB",
    "rest": "REST API",
    "websocket": "WebSocket API",
    "cloudfront": "CloudFront",
    "sqs": "SQS",
    "logs": "logs",
}
_FIXED = {"cloudwatch": "alarms", "secret": "secrets"}


def tables(measurement: Measurement) -> dict[str, str]:
    """Every table by the name of its place in the document."""
    return {
        "usage": _usage(measurement),
        "functions": _functions(measurement),
        "partitions": _partitions(measurement),
        "rates": _rates(measurement),
        "price": _price(measurement),
        "idle": _idle(measurement),
        "storage": _storage(measurement),
        "months": _months(measurement),
        "levers": _levers(measurement),
        "prices": _prices(),
    }


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first column is text and whose others are numbers."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _usage(measurement: Measurement) -> str:
    rows = []
    for kind, invocations in measurement.kinds.items():
        one = totals(kind, invocations)
        rows.append(
            [
                kind,
                str(one.invocations),
                str(one.aws_calls),
                str(one.write_units),
                f"{one.read_units:g}",
                str(one.sqs_requests),
                str(one.pushes),
                f"{one.log_bytes / 1024:.1f}",
                f"{one.gb_seconds:.2f}",
            ]
        )
    return markdown(["order", "invocations", "AWS calls", "WRU", "RRU", "SQS", "pushes", "log KB", "GB-s"], rows)


def _functions(measurement: Measurement) -> str:
    """The calls of a market order, function by function."""
    rows = []
    for one in measurement.market:
        calls = ", ".join(f"{number} {name}" for name, number in sorted(one.usage.calls.items()))
        units = {**one.usage.writes}
        writes = ", ".join(f"{number} {where}" for where, number in sorted(units.items()))
        rows.append([f"`{one.function}`", calls, writes])
    lines = [["function", "calls", "write units"], ["---"] * 3, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _partitions(measurement: Measurement) -> str:
    rows = []
    for what, kind in (("market", MARKET.name), ("limit", LIMIT.name)):
        for row in shared_partitions(measurement.kinds[kind], USER):
            rows.append([f"{what}: `{row.table}`, {row.key}", f"{row.units:g}", f"{row.orders_per_second:,.0f}"])
    return markdown(["partition key that orders share", "WRU an order", "orders/s at 1,000 WRU/s"], rows)


def _rates(measurement: Measurement) -> str:
    """What each rate of market orders, with a socket each, asks of the services."""
    plain = totals(MARKET.name, measurement.market)
    followed = totals(MARKET_WITH_SOCKET.name, measurement.kinds[MARKET_WITH_SOCKET.name])
    process = next(one for one in measurement.market if one.function == PROCESS)
    accept = next(one for one in measurement.market if one.function == API)
    cycle, answer = seconds(MARKET.name, process), seconds(MARKET.name, accept)
    needs = [
        ("processor slots (environments with a batch of 1)", cycle),
        ("environments of the API", answer),
        ("messages in flight in the orders queue", cycle),
        ("write units a second, over HTTP alone", plain.write_units),
        ("pushes a second, with a socket each", followed.pushes),
        ("new sockets a second, with one each", 1),
        ("records a second in Postgres", process.history_calls),
        ("GB a day of logs", plain.log_bytes * 86_400 / GB),
        ("USD a day, over HTTP alone", economics.of_million(measurement).usd() / MILLION * 86_400),
    ]
    rows = [[name, *(_rounded(need * rate) for rate in RATES)] for name, need in needs]
    return markdown(["needed at so many orders a second", *(f"{rate:,}" for rate in RATES)], rows)


def _rounded(number: float) -> str:
    """Three significant digits."""
    return f"{float(f'{number:.3g}'):,.10g}"


def _price(measurement: Measurement) -> str:
    rows = []
    for kind, invocations in measurement.kinds.items():
        million = bill(kind, invocations).times(MILLION)
        rows.append([kind, *(f"{million.usd(name):.1f}" for name in _SERVICES), f"**{million.usd():.1f}**"])
    return markdown(["a million orders, USD", *_SERVICES.values(), "sum"], rows)


def _idle(measurement: Measurement) -> str:
    month = economics.idle_month(measurement)
    names = {**_SERVICES, **_FIXED}
    rows = [[names[service], f"{usd:.2f}"] for service, usd in month.services().items() if usd >= 0.005]
    rows.append(["**sum**", f"**{month.usd():.2f}**"])
    rows.append(["with the free tier", f"{month.after_free_tier().usd():.2f}"])
    return markdown(["a month without orders", "USD"], rows)


def _storage(measurement: Measurement) -> str:
    sizes = [measurement.dynamodb_bytes, measurement.dynamodb_bytes, postgres_bytes()]
    yearly = economics.storage_year(measurement).items()
    rows = [[where, f"{size / 1024:.1f}", f"{usd:.1f}"] for (where, usd), size in zip(yearly, sizes, strict=True)]
    return markdown(["where", "KB an order", "USD a year for a million orders"], rows)


def _months(measurement: Measurement) -> str:
    rows = []
    for orders in _MONTHS:
        one = economics.engine_month(measurement, orders)
        socket = economics.engine_month(measurement, orders, MARKET_WITH_SOCKET.name)
        other = pair.month(orders)
        rows.append(
            [
                f"{orders:,}",
                f"{orders / SECONDS_A_MONTH:.3g}",
                f"{one.usd():,.0f}",
                f"{one.after_free_tier().usd():,.0f}",
                f"{socket.usd():,.0f}",
                f"{other.usd():,.0f}",
                str(pair.tasks(orders)),
            ]
        )
    header = ["orders a month", "a second", "engine", "with the free tier", "a socket each", "pair", "its tasks"]
    points = []
    for what, kind in (("over HTTP alone", MARKET.name), ("with a socket on each order", MARKET_WITH_SOCKET.name)):
        at = economics.break_even(measurement, kind)
        points.append(
            f"- Break-even {what}: **{at / MILLION:.1f} million orders a month**, "
            f"{at / SECONDS_A_MONTH:.2f} a second through the whole month."
        )
    database = f"Both need Postgres: {pair.database().usd():.0f} USD a month more, in neither column."
    return "\n\n".join([markdown(header, rows), "\n".join(points), database])


def _levers(measurement: Measurement) -> str:
    found = economics.levers(measurement)
    now = found[0].bill.usd()
    rows = []
    for lever in found:
        change = lever.bill.usd() - now
        rows.append([lever.name, f"{lever.bill.usd():.1f}", f"{change:+.1f}" if change else "", lever.costs])
    lines = [["lever", "USD a million", "change", "what it costs"], ["---", "---:", "---:", "---"], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _prices() -> str:
    known = price_table()
    rows = []
    for name, one in known["prices"].items():
        seen = "memory" if one["seen"] == "memory" else f"[here]({one['seen']})"
        rows.append([f"`{name}`", f"{one['usd']:.10f}".rstrip("0"), one["unit"], f"[AWS]({one['source']})", seen])
    head = [["name", "USD", "for one", "list", "read"], ["---", "---:", "---", "---", "---"]]
    lines = "\n".join(f"| {' | '.join(line)} |" for line in [*head, *rows])
    return f"{known['region']}, {known['date']}.\n\n{lines}"
