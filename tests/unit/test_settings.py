"""Settings come from environment variables, and an error names the invalid variable."""

from dataclasses import FrozenInstanceError
from decimal import Decimal

import pytest

from chalicelib.settings import Settings, read_settings
from tests.support.workbench import a_workbench

REQUIRED = {
    name: "x"
    for name in (
        "ORDERS_TABLE",
        "STREAMS_TABLE",
        "LEDGER_TABLE",
        "IDEMPOTENCY_TABLE",
        "RATE_LIMIT_TABLE",
        "MARKET_TABLE",
        "HIGH_PRIORITY_QUEUE_URL",
        "ORDERS_QUEUE_URL",
        "DEAD_LETTERS_QUEUE_URL",
        "UNPROCESSABLE_QUEUE_URL",
        "REPLAY_QUEUE_URL",
        "LOOKS_QUEUE_URL",
        "WEBSOCKET_ENDPOINT",
        "PUBLIC_WS_URL",
        "DATABASE_URL",
    )
}


def test_an_unset_or_empty_variable_means_the_default() -> None:
    settings = read_settings(REQUIRED | {"VENUE_TIME_SCALE": "", "SIMULATION": ""})
    assert settings.venue_time_scale == 1
    assert settings.simulation is False
    assert settings.max_attempts == 3


def test_values_are_read_with_the_type_of_their_setting() -> None:
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
def test_an_invalid_value_is_named_by_its_variable(variable: str, value: str) -> None:
    with pytest.raises(ValueError, match=variable):
        read_settings(REQUIRED | {variable: value})


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(ValueError, match="ORDERS_TABLE"):
        read_settings({name: value for name, value in REQUIRED.items() if name != "ORDERS_TABLE"})


SAMPLES = {str: "7", int: "7", float: "7", Decimal: "7", bool: "on", str | None: "7"}


@pytest.mark.parametrize("knob", Settings.__annotations__)
def test_every_setting_is_read_from_the_variable_of_its_name(knob: str) -> None:
    kind = Settings.__annotations__[knob]
    value = getattr(read_settings(REQUIRED | {knob.upper(): SAMPLES[kind]}), knob)
    assert value == {bool: True, int: 7, float: 7, Decimal: 7}.get(kind, "7")
    assert isinstance(value, kind)


@pytest.mark.parametrize(("text", "on"), [("on", True), ("ON", True), ("1", True), ("off", False), ("False", False)])
def test_a_boolean_is_read_from_its_usual_spellings(text: str, on: bool) -> None:
    assert read_settings(REQUIRED | {"SIMULATION": text}).simulation is on


def test_latency_can_be_switched_off() -> None:
    assert read_settings(REQUIRED | {"VENUE_TIME_SCALE": "0"}).venue_time_scale == 0


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("VENUE_TIME_SCALE", "Infinity"),
        ("VENUE_TIME_SCALE", "sNaN"),
        ("VENUE_TIME_SCALE", "-0.1"),
        ("LEASE_SECONDS", "1.5"),
        ("LEASE_SECONDS", "1000000000"),
        ("BACKOFF_CAP_SECONDS", "nan"),
        ("BACKOFF_CAP_SECONDS", "inf"),
        ("SIMULATION", "yes please"),
    ],
)
def test_a_number_or_boolean_out_of_bounds_is_named(variable: str, value: str) -> None:
    with pytest.raises(ValueError, match=variable):
        read_settings(REQUIRED | {variable: value})


@pytest.mark.parametrize(("variable", "knob"), [("VENUE_PROFILE", "venue_profile"), ("VENUE_FAULT", "venue_fault")])
def test_a_misspelt_choice_is_refused_at_startup(variable: str, knob: str) -> None:
    with pytest.raises(ValueError, match=variable):
        a_workbench(**{knob: getattr(read_settings(REQUIRED | {variable: "misspelt"}), knob)})


def test_settings_are_immutable() -> None:
    with pytest.raises(FrozenInstanceError):
        read_settings(REQUIRED).max_attempts = 4  # type: ignore[misc]


def test_other_variables_are_ignored() -> None:
    assert read_settings(REQUIRED | {"PATH": "/bin", "MAX_ATTEMPT": "9"}) == read_settings(REQUIRED)


@pytest.mark.parametrize("variable", ["QUOTE_THREADS", "PUSH_THREADS", "TRIGGER_THREADS", "MAX_ATTEMPTS"])
def test_a_setting_that_must_be_positive_is_refused_by_its_variable(variable: str) -> None:
    with pytest.raises(ValueError, match=variable):
        read_settings(REQUIRED | {variable: "0"})
