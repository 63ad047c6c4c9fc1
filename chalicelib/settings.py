"""Every setting of the engine with its unit and default, read from the environment once."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, get_type_hints

from chalicelib.setting_rules import IssuerUrl, Number, OneOf, Origin, Rule, Switch, Text, seconds, whole

#: How the engine names itself to AWS.
USER_AGENT = "order-execution-engine"
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
#: The longest delay of a message in SQS.
MAX_DELAY_SECONDS = 900
#: The longest message of a WebSocket in API Gateway.
MAX_FRAME_BYTES = 128 * 1024
#: The environments of all functions together in a new AWS account.
NEW_ACCOUNT_CONCURRENCY = 10
#: Lambda allows 4 KB of environment for all settings together.
_MAX_TEXT = 64
_MAX_SHOWN_CHARACTERS = 80

_Timeout = Annotated[float, seconds(0.01, 30)]
_PostgresTimeout = Annotated[int, whole(1, 30, "seconds")]
_Delay = Annotated[float, seconds(0, MAX_DELAY_SECONDS)]
_Threads = Annotated[int, whole(1, 256, "threads")]
_Batch = Annotated[int, whole(1, 10_000, "orders")]
#: 0 is no limit.
_OrderLimit = Annotated[int, whole(0, 1_000_000, "orders")]


@dataclass(frozen=True, slots=True)
class Settings:
    """The variable of a field is its name in capitals. The annotation of a field states its unit and its values."""

    # The deployment sets the resources.
    orders_table: str
    streams_table: str
    ledger_table: str
    idempotency_table: str
    rate_limit_table: str
    market_table: str
    api_keys_table: str
    orders_queue_url: str
    high_priority_queue_url: str
    dead_letters_queue_url: str
    unprocessable_queue_url: str
    replay_queue_url: str
    fan_out_queue_url: str
    looks_queue_url: str
    websocket_endpoint: str
    public_ws_url: str
    #: The name of the secret from which the keys that the engine signs and hashes with derive.
    auth_secret: str
    stage: str
    aws_endpoint_url: str | None = None
    aws_region: str = "us-east-1"
    #: The secret with the address of Postgres. Only the functions that use the history have it.
    database_secret: str = ""
    #: The most environments of the HTTP API, which alone has this. 0: nothing but the account bounds them.
    api_concurrency: Annotated[int, whole(0, 99_999, "environments")] = 0
    #: No line has the level CRITICAL, which would hide every failure.
    log_level: Annotated[str, OneOf(LOG_LEVELS, earlier=(("CRITICAL", "ERROR"),))] = "INFO"

    # Authentication. Off, everybody may do everything in the name of every user.
    auth: Annotated[bool, Switch()] = True
    #: The OIDC issuer whose tokens count beside API keys, and the audience that the tokens must name. Empty: none.
    auth_issuer: Annotated[str, IssuerUrl()] = ""
    auth_audience: Annotated[str, Text(_MAX_TEXT)] = ""
    #: The claim that names the user.
    auth_user_claim: Annotated[str, Text(_MAX_TEXT)] = "sub"
    #: The origin whose pages may read answers. Empty: the API's own alone, or every origin without authentication.
    cors_origin: Annotated[str, Origin()] = ""
    # The simulated venues.
    venue_time_scale: Annotated[Decimal, Number(Decimal, Decimal(0), Decimal(20))] = Decimal(1)
    venue_profile: Annotated[str, Text(_MAX_TEXT)] = "realistic"
    venue_seed: Annotated[str, Text(_MAX_TEXT)] = "solana"
    venue_fault: Annotated[str, Text(_MAX_TEXT)] = ""
    simulation: Annotated[bool, Switch()] = False

    # Open orders: limit and sniper.
    #: Pause between two looks of the market watcher, and between two of the watchdog.
    market_tick_seconds: Annotated[int, whole(1, 60, "seconds")] = 5
    #: Most orders of a side of a pair or of a launch that a market event triggers at once; the looks continue.
    trigger_batch: _Batch = 500
    #: Threads that trigger orders, and as many for other parallel parts of a use case: prices, cancels, probes.
    trigger_threads: _Threads = 8
    #: Age at which a process reads market data again.
    market_cache_seconds: Annotated[float, seconds(0, 60)] = 1.0
    #: Pause of an order after a trigger whose price moved away; each further miss doubles it, up to the maximum.
    retrigger_pause_seconds: Annotated[float, seconds(0, 86_400)] = 1.0
    max_retrigger_pause_seconds: Annotated[float, seconds(0, 86_400)] = 6 * 3600.0
    #: Mints that sniper orders wait for launch within this time. 0: only a market event launches them.
    simulated_launch_seconds: Annotated[int, whole(0, 7 * 86_400, "seconds")] = 0

    # Limits on accepted orders. 0 is no limit.
    #: Orders that may start in any minute. The engine delays more, and refuses those it would delay past the horizon.
    rate_limit_per_minute: _OrderLimit = 100
    #: SQS bounds the horizon: the delay of a message is the delay of its order.
    rate_horizon_seconds: Annotated[int, whole(0, MAX_DELAY_SECONDS, "seconds")] = MAX_DELAY_SECONDS
    #: Orders of one user that are neither open nor terminal.
    max_active_orders_per_user: _OrderLimit = 1000
    #: Open limit and sniper orders of one user.
    max_open_orders_per_user: _OrderLimit = 200

    # Attempts. The lease covers one attempt with its longest waits; the message's visibility timeout is set to it.
    max_attempts: Annotated[int, whole(1, 100, "attempts")] = 3
    backoff_base_seconds: _Delay = 1.0
    backoff_cap_seconds: _Delay = 20.0
    lease_seconds: Annotated[int, whole(1, MAX_DELAY_SECONDS, "seconds")] = 15
    #: Time that the queue has to deliver an order again before the watchdog sends it.
    deadline_grace_seconds: Annotated[int, whole(0, 3600, "seconds")] = 15
    #: Time that a new order may wait in the queue before the watchdog sends it again.
    pending_deadline_seconds: Annotated[int, whole(1, 3600, "seconds")] = 10
    #: Additional time while messages wait for a free processor, because the order's message may be one of them.
    backlog_patience_seconds: Annotated[int, whole(0, 3600, "seconds")] = 120
    watchdog_batch: _Batch = 200
    #: Age below which the order of a dead letter is queued again instead of failed. Workers that are killed one after
    #: another use up the receives of a message within two minutes; handlers that fail take longer than this.
    min_exhaustion_seconds: Annotated[int, whole(0, 86_400, "seconds")] = 300
    quote_timeout_seconds: _Timeout = 1.0
    #: A slow venue occupies a thread until it answers.
    quote_threads: _Threads = 32

    # Calls to AWS, sockets and Postgres.
    aws_connect_timeout_seconds: _Timeout = 1.0
    aws_read_timeout_seconds: _Timeout = 3.0
    #: Pooled connections to DynamoDB, which the push threads share.
    aws_connections: Annotated[int, whole(1, 256, "connections")] = 20
    push_connect_timeout_seconds: _Timeout = 0.5
    push_read_timeout_seconds: _Timeout = 1.0
    #: Time to push one event to the order's own subscribers; sockets that take longer go to the replay queue.
    push_budget_seconds: _Timeout = 1.0
    #: Time after which a worker that serves a group of subscribers leaves the rest to the next message.
    fan_out_seconds: _Timeout = 8.0
    push_threads: _Threads = 8
    postgres_connect_timeout_seconds: _PostgresTimeout = 2
    postgres_statement_timeout_seconds: _PostgresTimeout = 2
    #: The address is that of a pooler in transaction mode. The server's role then needs a statement timeout.
    postgres_pooled: Annotated[bool, Switch()] = False

    # Limits on requests.
    #: Requests of an authenticated user over HTTP, counted in windows of ten seconds: a sixth in each. 0 is no limit.
    max_requests_per_minute: Annotated[int, whole(0, 1_000_000, "requests")] = 1200
    #: Requests that may wait for an event at once. Each takes an environment of the API, of which half never wait:
    #: half of ``api_concurrency``, or of ``NEW_ACCOUNT_CONCURRENCY`` without it.
    max_event_waits: Annotated[int, whole(1, 1000, "waits")] = 50
    #: The same for one user, with authentication. 0 is no limit.
    max_event_waits_per_user: Annotated[int, whole(0, 1000, "waits")] = 10
    max_body_bytes: Annotated[int, whole(1, MAX_FRAME_BYTES, "bytes")] = 16 * 1024
    idempotency_hours: Annotated[int, whole(1, 365 * 24, "hours")] = 24
    #: API Gateway closes a WebSocket after two hours.
    connection_hours: Annotated[int, whole(1, 24, "hours")] = 2

    # Limits on sockets. 0 is no limit.
    #: Open sockets of one user, with authentication.
    max_sockets_per_user: Annotated[int, whole(0, 1000, "sockets")] = 10
    #: Subscriptions that the messages on one socket make.
    max_subscriptions_per_socket: Annotated[int, whole(0, 1000, "subscriptions")] = 50
    #: Messages on one socket in a minute of the clock, all at once or spread over it.
    max_messages_per_minute: Annotated[int, whole(0, 1_000_000, "messages")] = 600


_DEFAULTS = {field.name: field.default for field in fields(Settings) if field.default is not MISSING}


class InvalidSettingsError(ValueError):
    """Variables are missing or have no valid value. The message has one line for each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this process. An absent or empty variable means the default.

    :raises InvalidSettingsError: naming every variable that is missing, and every variable whose value is not valid.
    """
    values, problems = _values(environment)
    required = [field.name for field in fields(Settings) if field.name not in _DEFAULTS]
    if missing := [name.upper() for name in required if name not in values]:
        problems.append(f"missing settings: {', '.join(missing)}")
    if problems:
        raise InvalidSettingsError(problems)
    return Settings(**values)


def invalid_settings(environment: Mapping[str, str]) -> list[str]:
    """One line for each variable whose value is not valid."""
    return _values(environment)[1]


def tunable(name: str, environment: Mapping[str, str] = os.environ) -> Any:
    """The value of one setting that has a default, for code that must work before the engine refuses its settings.

    A value that is not valid means the default.
    """
    rule, text = _rules()[name], environment.get(name.upper(), "")
    try:
        return rule.read(text) if rule and text else _DEFAULTS[name]
    except ValueError:
        return _DEFAULTS[name]


def invalid_value(variable: str, text: str, allowed: object) -> str:
    """The line that names a variable, its value and the values that it may have."""
    shown = text if len(text) <= _MAX_SHOWN_CHARACTERS else f"{text[:_MAX_SHOWN_CHARACTERS]}..."
    return f"{variable}={shown!r} must be {allowed}"


def _values(environment: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    values: dict[str, Any] = {}
    problems = []
    for name, rule in _rules().items():
        variable = name.upper()
        if text := environment.get(variable, ""):
            try:
                values[name] = rule.read(text) if rule else text
            except ValueError:
                problems.append(invalid_value(variable, text, rule))
    if values.get("auth_issuer") and not values.get("auth_audience"):
        problems.append("AUTH_ISSUER needs AUTH_AUDIENCE, which the tokens of the issuer must name")
    return values, problems


@cache
def _rules() -> dict[str, Rule | None]:
    """The rule of each setting; the deployment's resources have none."""
    hints = get_type_hints(Settings, include_extras=True)
    return {name: getattr(hint, "__metadata__", (None,))[0] for name, hint in hints.items()}
