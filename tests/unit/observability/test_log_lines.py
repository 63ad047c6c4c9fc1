"""A log line has the ids of its entry and, in CloudWatch's Embedded Metric Format, the values that it counts."""

import json
import logging
import subprocess
import sys
from concurrent.futures import wait
from datetime import UTC, datetime

import pytest
from jsonschema_rs import validate

from chalicelib.domain.orders import Order
from chalicelib.observability import context, metrics
from chalicelib.observability.lines import note
from chalicelib.threads import threads
from infra.project import ROOT
from tests.support.lines import engine_lines, values_of
from tests.support.specs import a_spec

NOW = datetime(2026, 1, 1, tzinfo=UTC)
log = logging.getLogger("chalicelib.test")

#: The JSON schema of the specification of the format, as far as it concerns scalar values.
FORMAT = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "properties": {
                "Timestamp": {"type": "integer"},
                "CloudWatchMetrics": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["Namespace", "Dimensions", "Metrics"],
                        "properties": {
                            "Namespace": {"type": "string", "minLength": 1, "maxLength": 1024},
                            "Dimensions": {
                                "type": "array",
                                "minItems": 1,
                                "items": {
                                    "type": "array",
                                    "minItems": 1,
                                    "maxItems": 30,
                                    "items": {"type": "string"},
                                },
                            },
                            "Metrics": {
                                "type": "array",
                                "items": {
                                    "type": "object",
                                    "required": ["Name"],
                                    "properties": {
                                        "Name": {"type": "string", "minLength": 1, "maxLength": 1024},
                                        "Unit": {"enum": ["Count", "Milliseconds", "Seconds"]},
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}


def test_a_line_counts_in_the_form_that_cloudwatch_extracts() -> None:
    with engine_lines() as lines:
        note("ended", metrics.ORDERS_ENDED.of(part="failed"), metrics.ORDER_TIME.of(1250), attempts=3)
    [line] = lines
    validate(FORMAT, line)
    assert {one["Namespace"] for one in line["_aws"]["CloudWatchMetrics"]} == {"OrderExecutionEngine"}
    assert (line["message"], line["attempts"], line["Stack"]) == ("ended", 3, "engine-test")
    assert values_of(lines, "OrdersEnded") == [("failed", 1)]
    assert values_of(lines, "OrderTime") == [(None, 1250)]


def test_a_line_that_counts_nothing_has_no_metric() -> None:
    with engine_lines() as lines:
        note("amended")
    assert lines[0].keys() == {"timestamp", "level", "logger", "message"}


def test_every_error_counts_as_a_caught_failure_whoever_logs_it() -> None:
    with engine_lines() as lines:
        log.error("bad")
        note("worse", metrics.MESSAGES_FAILED.of(), level=logging.ERROR)
        log.warning("fine")
    assert values_of(lines, "CaughtFailures") == [(None, 1), (None, 1)]
    assert values_of(lines, "MessagesFailed") == [(None, 1)]


_AT_LEVEL = """
import logging
from chalicelib import logs
from chalicelib.observability import metrics
from chalicelib.observability.lines import note
logs.configure_logging()
note("accepted", metrics.ORDERS_ACCEPTED.of())
note("amended")
logging.getLogger("chalicelib.x").warning("not so bad")
logging.getLogger("chalicelib.x").error("bad")
"""


def test_a_log_level_hides_lines_but_no_metric() -> None:
    environment = {"PYTHONPATH": str(ROOT), "LOG_LEVEL": "ERROR", "STACK_NAME": "engine-prod"}
    environment["AWS_LAMBDA_FUNCTION_NAME"] = "engine-prod-ProcessOrders-AbC123"
    done = subprocess.run(
        [sys.executable, "-c", _AT_LEVEL], env=environment, capture_output=True, text=True, check=True
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["message"] for line in lines] == ["accepted", "bad"]
    assert {(line["function"], line["Stack"]) for line in lines} == {("ProcessOrders", "engine-prod")}
    assert (lines[0]["OrdersAccepted"], lines[1]["CaughtFailures"]) == (1, 1)


def test_the_threads_of_an_entry_log_its_ids() -> None:
    pool = threads(2, "test")
    with engine_lines() as lines, context.entry(messageId="m-1"):
        wait([pool.submit(log.info, "from a thread") for _ in range(2)])
        context.concerns(an_order("one", "a" * 32))
        pool.submit(log.info, "later").result()
    pool.submit(log.info, "of no entry").result()
    assert [(line["messageId"], line.get("orderId")) for line in lines] == [("m-1", None)] * 2 + [("m-1", "one")]
    assert lines[-1]["traceId"] == "a" * 32


def test_a_line_is_written_while_another_thread_of_the_entry_notes_its_order() -> None:
    pool = threads(1, "test")
    with context.entry(messageId="m-1"):
        reading = iter(context.ids().items())
        next(reading)
        pool.submit(context.concerns, an_order("one", "a" * 32)).result()
        assert list(reading) == [], "the ids that a line is being written with do not change"
        assert context.ids() == {"messageId": "m-1", "orderId": "one", "traceId": "a" * 32}


def test_a_request_keeps_its_own_trace_id_and_an_event_names_that_of_its_order() -> None:
    with engine_lines() as lines, context.entry(requestId="r-1", traceId="b" * 32):
        context.concerns(an_order("one", "a" * 32))
        log.info("of the request")
        note("amended", about=an_order("one", "a" * 32))
    assert [line["traceId"] for line in lines] == ["b" * 32, "a" * 32]
    assert {line["orderId"] for line in lines} == {"one"}


def test_orders_apart_do_not_mix_their_ids() -> None:
    with engine_lines() as lines, context.entry(messageId="m-1"):
        for name in ("one", "two"):
            with context.apart(an_order(name, name[0] * 32)):
                log.info("of an order")
        log.info("of the look")
    assert [line.get("orderId") for line in lines] == ["one", "two", None]


@pytest.mark.parametrize("trace_id", [None, "c" * 32])
def test_an_order_of_an_earlier_version_has_no_trace_id(trace_id: str | None) -> None:
    with engine_lines() as lines, context.entry(messageId="m-1"):
        note("ended", about=an_order("one", trace_id))
    assert lines[0].get("traceId") == trace_id


def an_order(order_id: str, trace_id: str | None) -> Order:
    return Order.accepted(order_id, a_spec(), NOW, trace_id=trace_id)
