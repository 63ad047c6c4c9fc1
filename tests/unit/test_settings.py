"""Every knob comes from the environment, and a wrong one is named."""

from decimal import Decimal

import pytest

from chalicelib.settings import read_settings

REQUIRED = {
    name: "x"
    for name in (
        "ORDERS_TABLE",
        "STREAMS_TABLE",
        "LEDGER_TABLE",
        "IDEMPOTENCY_TABLE",
        "ORDERS_QUEUE_URL",
        "DEAD_LETTERS_QUEUE_URL",
        "STREAM_QUEUE_URL",
        "WEBSOCKET_ENDPOINT",
        "PUBLIC_WS_URL",
        "DATABASE_URL",
    )
}


def test_defaults_stand_where_nothing_is_set_or_it_is_empty() -> None:
    settings = read_settings(REQUIRED | {"VENUE_TIME_SCALE": "", "SIMULATION": ""})
    assert settings.venue_time_scale == 1
    assert settings.simulation is False
    assert settings.max_attempts == 3


def test_values_are_read_as_what_they_are() -> None:
    settings = read_settings(
        REQUIRED | {"VENUE_TIME_SCALE": "0.1", "SIMULATION": "on", "LEASE_SECONDS": "20", "AWS_REGION": "eu-west-1"}
    )
    assert settings.venue_time_scale == Decimal("0.1")
    assert settings.simulation is True
    assert settings.lease_seconds == 20
    assert settings.aws_region == "eu-west-1"


@pytest.mark.parametrize(
    ("variable", "value"),
    [("VENUE_TIME_SCALE", "fast"), ("VENUE_TIME_SCALE", "NaN"), ("LEASE_SECONDS", "-1"), ("SIMULATION", "maybe")],
)
def test_a_value_that_cannot_be_is_named(variable: str, value: str) -> None:
    with pytest.raises(ValueError, match=variable):
        read_settings(REQUIRED | {variable: value})


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(ValueError, match="orders_table"):
        read_settings({name: value for name, value in REQUIRED.items() if name != "ORDERS_TABLE"})
