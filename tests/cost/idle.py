"""The bill of a month without orders: the schedule, the pollers, and what is paid by the month."""

from collections import Counter
from functools import partial
from typing import Any

from chalicelib.codec.looks import look_message
from chalicelib.consumers.looks import run_looks
from chalicelib.ports.queues import LooksOfMinute
from infra.aws.all_alarms import ALARMS
from infra.aws.template import Template
from tests.cost.bills import PLATFORM_LOG_BYTES
from tests.cost.durations import gb_seconds
from tests.cost.prices import GB, MINUTES_A_MONTH, Bill
from tests.cost.site import Invocation, Site

#: Lambda polls a queue with five long polls of 20 seconds. A mapping with a maximum concurrency never has fewer;
#: others go down to two. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
_POLLERS, _FEWEST_POLLERS = 5, 2
_POLLS_A_MINUTE = 3
#: The secrets of the API keys and of the database's address.
_SECRETS = 2
LOOKS = "run_looks"
IDLE = "idle"
_QUEUE = "LooksQueue"


def measure_minute(site: Site) -> list[Invocation]:
    """The invocations of one minute in which no order waits and none runs.

    The looks that the minute's message asks for run at once, as nothing they find depends on the time.
    """
    site.take()
    bodies = [look_message(LooksOfMinute())]
    while bodies:
        record = {"body": bodies.pop(0), "messageId": "look", "attributes": {}}
        site.invoke(LOOKS, partial(run_looks, site.engine, {"Records": [record]}))
        if record["body"] == look_message(LooksOfMinute()):
            bodies += [body for queue, body in site.last_sent() if queue == _QUEUE]
    return site.take()


def month(minute: list[Invocation], polls_a_minute: int) -> Bill:
    """The bill of a month of such minutes."""
    amounts: Counter[str] = Counter()
    add: Any = amounts
    for one in minute:
        add["lambda.gb_second.x86"] += gb_seconds(IDLE, one) * MINUTES_A_MONTH
        add["lambda.request"] += MINUTES_A_MONTH
        add["dynamodb.write_unit"] += one.usage.write_units * MINUTES_A_MONTH
        add["dynamodb.read_unit"] += one.usage.read_units * MINUTES_A_MONTH
        # Lambda deletes the message of each look; the polls that receive it are counted below.
        add["sqs.request"] += (one.usage.number("sqs") + 1) * MINUTES_A_MONTH
        add["logs.gb"] += (one.log_bytes + PLATFORM_LOG_BYTES) / GB * MINUTES_A_MONTH
    add["sqs.request"] += polls_a_minute * MINUTES_A_MONTH
    # An alarm on an expression costs each of its metrics.
    add["cloudwatch.alarm"] += sum(alarm.paid_metrics for alarm in ALARMS)
    add["secret.month"] += _SECRETS
    return Bill(amounts)


def polls(template: Template) -> int:
    """The requests a minute of Lambda's pollers at empty queues."""
    found = 0
    for resource in template["Resources"].values():
        for event in resource.get("Properties", {}).get("Events", {}).values():
            bounded = "ScalingConfig" in event["Properties"]
            found += (_POLLERS if bounded else _FEWEST_POLLERS) * _POLLS_A_MINUTE
    return found
