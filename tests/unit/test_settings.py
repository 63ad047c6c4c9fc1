"""Settings come from environment variables, and an error names the invalid variable."""

from dataclasses import MISSING, FrozenInstanceError, fields
from decimal import Decimal
from typing import get_type_hints

import pytest

from chalicelib.settings import InvalidSettingsError, Settings, read_settings, tunable
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
        "API_KEYS_TABLE",
        "HIGH_PRIORITY_QUEUE_URL",
        "ORDERS_QUEUE_URL",
        "DEAD_LETTERS_QUEUE_URL",
        "UNPROCESSABLE_QUEUE_URL",
        "REPLAY_QUEUE_URL",
        "FAN_OUT_QUEUE_URL",
        "LOOKS_QUEUE_URL",
        "WEBSOCKET_ENDPOINT",
        "PUBLIC_WS_URL",
        "AUTH_SECRET",
        "STAGE",
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


KINDS = get_type_hints(Settings)
SAMPLES = {str: "7", int: "7", float: "7", Decimal: "7", bool: "on", str | None: "7"}
CHOICES = {
    "log_level": "DEBUG",
    "auth_issuer": "https://login.example.com",
    "cors_origin": "https://app.example",
}


@pytest.mark.parametrize("knob", KINDS)
def test_every_setting_is_read_from_the_variable_of_its_name(knob: str) -> None:
    kind, text = KINDS[knob], CHOICES.get(knob) or SAMPLES[KINDS[knob]]
    value = getattr(read_settings(REQUIRED | {"AUTH_AUDIENCE": "x", knob.upper(): text}), knob)
    assert value == {bool: True, int: 7, float: 7, Decimal: 7}.get(kind, text)
    assert isinstance(value, kind)


@pytest.mark.parametrize("knob", [name for name, kind in KINDS.items() if kind in (int, float, Decimal, bool)])
@pytest.mark.parametrize(
    "text", ["1e1", " 5", "5 ", "1_0", "\u0661", "+1", "-1", "0x1", "1,5", "NaN", "9" * 5000, "\x00"]
)
def test_a_number_or_switch_is_written_in_one_way(knob: str, text: str) -> None:
    with pytest.raises(InvalidSettingsError, match=knob.upper()):
        read_settings(REQUIRED | {knob.upper(): text})


def test_every_default_is_a_value_that_its_setting_may_have() -> None:
    shown = {
        field.name.upper(): "on" if field.default is True else "off" if field.default is False else str(field.default)
        for field in fields(Settings)
        if field.default is not MISSING and field.default is not None
    }
    assert read_settings(REQUIRED | shown) == read_settings(REQUIRED)


def test_an_error_names_every_invalid_variable_its_value_and_its_values() -> None:
    wrong = {"RATE_HORIZON_SECONDS": "901", "VENUE_TIME_SCALE": "1e99", "SIMULATION": "maybe", "LOG_LEVEL": "LOUD"}
    with pytest.raises(InvalidSettingsError) as refused:
        read_settings(REQUIRED | wrong)
    assert sorted(refused.value.problems) == [
        "LOG_LEVEL='LOUD' must be one of DEBUG, INFO, WARNING, ERROR",
        "RATE_HORIZON_SECONDS='901' must be a whole number of seconds from 0 to 900",
        "SIMULATION='maybe' must be on or off",
        "VENUE_TIME_SCALE='1e99' must be a number from 0 to 20",
    ]


@pytest.mark.parametrize(("text", "on"), [("on", True), ("ON", True), ("1", True), ("off", False), ("False", False)])
def test_a_boolean_is_read_from_its_usual_spellings(text: str, on: bool) -> None:
    assert read_settings(REQUIRED | {"SIMULATION": text}).simulation is on


@pytest.mark.parametrize(
    "origin", ["*", "https://app.example", "http://localhost:5173", "https://a-b.example:8443", "http://[::1]:3000"]
)
def test_an_origin_is_one_as_browsers_write_it(origin: str) -> None:
    assert read_settings(REQUIRED | {"CORS_ORIGIN": origin}).cors_origin == origin


@pytest.mark.parametrize(
    "origin",
    [
        *("https://app.example/", "https://App.example", "app.example", "ftp://app.example", "null", "**"),
        *("https://app.example:443", "http://app.example:80", "https://app.example:0", "https://", "https://a b"),
        *("https://a.example,https://b.example", "https://*.example", "https://user@app.example", "https://a'"),
        *("https://app.example\n", "https://" + "a" * 200),
    ],
)
def test_an_origin_that_no_browser_sends_is_refused(origin: str) -> None:
    with pytest.raises(InvalidSettingsError, match="CORS_ORIGIN"):
        read_settings(REQUIRED | {"CORS_ORIGIN": origin})


@pytest.mark.parametrize(
    ("text", "level"), [("", "INFO"), ("loud", "INFO"), ("DEBUG", "DEBUG"), ("CRITICAL", "ERROR")]
)
def test_a_setting_that_is_read_before_the_others_has_its_default_if_it_is_not_valid(text: str, level: str) -> None:
    assert tunable("log_level", {"LOG_LEVEL": text}) == level


def test_a_stage_that_an_earlier_version_deployed_with_the_level_critical_logs_errors() -> None:
    """A deployment keeps the value of the stage, and no line of the engine has a level above ERROR."""
    assert read_settings(REQUIRED | {"LOG_LEVEL": "CRITICAL"}).log_level == "ERROR"


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


@pytest.mark.parametrize(
    "variable",
    [
        *("QUOTE_THREADS", "PUSH_THREADS", "TRIGGER_THREADS", "AWS_CONNECTIONS", "TRIGGER_BATCH", "WATCHDOG_BATCH"),
        *("QUOTE_TIMEOUT_SECONDS", "AWS_READ_TIMEOUT_SECONDS", "POSTGRES_STATEMENT_TIMEOUT_SECONDS", "MAX_ATTEMPTS"),
        *("MARKET_TICK_SECONDS", "PENDING_DEADLINE_SECONDS", "IDEMPOTENCY_HOURS"),
    ],
)
def test_a_setting_that_must_be_positive_is_refused_by_its_variable(variable: str) -> None:
    with pytest.raises(ValueError, match=variable):
        read_settings(REQUIRED | {variable: "0"})


def test_an_issuer_needs_an_audience_in_one_line() -> None:
    with pytest.raises(InvalidSettingsError) as refused:
        read_settings(REQUIRED | {"AUTH_ISSUER": "https://login.example.com"})
    assert refused.value.problems == ("AUTH_ISSUER needs AUTH_AUDIENCE, which the tokens of the issuer must name",)


@pytest.mark.parametrize(
    "url",
    [
        *("https://login.example.com", "https://example.com:8443/realms/a", "https://EXAMPLE.com/"),
        *("http://localhost:9000", "http://127.0.0.1:9000/a"),
    ],
)
def test_an_issuer_is_an_https_address_or_on_this_machine(url: str) -> None:
    assert read_settings(REQUIRED | {"AUTH_ISSUER": url, "AUTH_AUDIENCE": "x"}).auth_issuer == url


@pytest.mark.parametrize(
    "url",
    [
        *("http://login.example.com", "login.example.com", "https://", "https://user:password@example.com"),
        *("https://example.com?x=1", "https://example.com#x", "https://exa mple.com", "http://localhost.example.com"),
        *("file:///etc/passwd", "https://example.com/" + "a" * 128, "https://example.com\n"),
    ],
)
def test_any_other_issuer_is_refused(url: str) -> None:
    with pytest.raises(InvalidSettingsError, match="AUTH_ISSUER"):
        read_settings(REQUIRED | {"AUTH_ISSUER": url, "AUTH_AUDIENCE": "x"})


def test_authentication_is_on_unless_it_is_switched_off() -> None:
    assert read_settings(REQUIRED).auth is True
    assert read_settings(REQUIRED | {"AUTH": "off"}).auth is False
