"""Every setting of the engine with its unit and default, read from the environment once."""

import os
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from decimal import Decimal
from typing import Any

#: How the engine names itself to AWS.
USER_AGENT = "order-execution-engine"


@dataclass(frozen=True, slots=True)
class Settings:
    """The variable of a field is its name in capitals. Numbers are decimal text, switches on or off."""

    # The deployment sets the resources.
    orders_table: str
    streams_table: str
    ledger_table: str
    idempotency_table: str
    rate_limit_table: str
    market_table: str
    orders_queue_url: str
    high_priority_queue_url: str
    dead_letters_queue_url: str
    unprocessable_queue_url: str
    replay_queue_url: str
    looks_queue_url: str
    websocket_endpoint: str
    public_ws_url: str
    database_url: str
    aws_endpoint_url: str | None = None
    aws_region: str = "us-east-1"

    # The simulated venues.
    venue_time_scale: Decimal = Decimal(1)
    venue_profile: str = "realistic"
    venue_seed: str = "solana"
    venue_fault: str = ""
    simulation: bool = False

    # Open orders: limit and sniper.
    #: Pause between two looks of the market watcher, and between two of the watchdog.
    market_tick_seconds: int = 5
    #: Most orders of a pair or a launch that one look triggers; the next look continues.
    trigger_batch: int = 500
    trigger_threads: int = 8
    #: Age at which a process reads market data again.
    market_cache_seconds: float = 1.0
    #: Pause of an order after a trigger whose price moved away; each further miss doubles it, up to the maximum.
    retrigger_pause_seconds: float = 1.0
    max_retrigger_pause_seconds: float = 6 * 3600.0
    #: Mints that sniper orders wait for launch within this time. 0: only a market event launches them.
    simulated_launch_seconds: int = 0

    # Limits on accepted orders. 0 is no limit.
    #: Orders that may start in any minute. The engine delays more, and refuses those it would delay past the horizon.
    rate_limit_per_minute: int = 100
    #: SQS delays a message for at most 900 s.
    rate_horizon_seconds: int = 900
    #: Orders of one user that are neither open nor terminal.
    max_active_orders_per_user: int = 1000
    #: Open limit and sniper orders of one user.
    max_open_orders_per_user: int = 200

    # Attempts. The lease covers one attempt with its longest waits; the message's visibility timeout is set to it.
    max_attempts: int = 3
    backoff_base_seconds: float = 1.0
    backoff_cap_seconds: float = 20.0
    lease_seconds: int = 15
    #: Time that the queue has to deliver an order again before the watchdog sends it.
    deadline_grace_seconds: int = 15
    #: Time that a new order may wait in the queue before the watchdog sends it again.
    pending_deadline_seconds: int = 10
    #: Additional time while messages wait for a free processor, because the order's message may be one of them.
    backlog_patience_seconds: int = 120
    watchdog_batch: int = 200
    #: Age below which the order of a dead letter is queued again instead of failed. Workers that are killed one after
    #: another use up the receives of a message within two minutes; handlers that fail take longer than this.
    min_exhaustion_seconds: int = 300
    quote_timeout_seconds: float = 1.0
    #: A slow venue occupies a thread until it answers.
    quote_threads: int = 32

    # Calls to AWS, sockets and Postgres.
    aws_connect_timeout_seconds: float = 1.0
    aws_read_timeout_seconds: float = 3.0
    #: Pooled connections to DynamoDB, which the push threads share.
    aws_connections: int = 20
    push_connect_timeout_seconds: float = 0.5
    push_read_timeout_seconds: float = 1.0
    #: Time to push one event; sockets that take longer go to the replay queue.
    push_budget_seconds: float = 1.0
    push_threads: int = 8
    postgres_connect_timeout_seconds: int = 2
    postgres_statement_timeout_seconds: int = 2

    # Limits on requests.
    max_body_bytes: int = 16 * 1024
    idempotency_hours: int = 24
    #: API Gateway closes a WebSocket after two hours.
    connection_hours: int = 2


_SWITCH = {"on": True, "1": True, "true": True, "off": False, "0": False, "false": False, "": False}


#: Settings with which the engine cannot work if they are 0.
_POSITIVE = frozenset(
    {
        *("quote_threads", "push_threads", "trigger_threads", "trigger_batch", "watchdog_batch"),
        *("max_attempts", "lease_seconds", "max_body_bytes", "connection_hours", "market_tick_seconds"),
    }
)


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this process. An absent or empty variable means the default.

    :raises ValueError: naming every variable that is missing, or the variable whose value is not valid.
    """
    values: dict[str, Any] = {}
    for name, kind in Settings.__annotations__.items():
        variable = name.upper()
        text = environment.get(variable, "")
        if not text:
            continue
        try:
            values[name] = _parse(kind, text)
            if name in _POSITIVE and values[name] < 1:
                raise ValueError("out of range")
        except (ValueError, ArithmeticError, KeyError) as error:
            raise ValueError(f"{variable}={text!r} is not a valid value") from error
    required = [field.name for field in fields(Settings) if field.default is MISSING]
    if missing := [name.upper() for name in required if name not in values]:
        raise ValueError(f"missing settings: {', '.join(missing)}")
    return Settings(**values)


def _parse(kind: object, text: str) -> object:
    if kind is bool:
        return _SWITCH[text.lower()]
    if kind is int or kind is float or kind is Decimal:
        number = kind(text)
        if not 0 <= number < 10**9:
            raise ValueError("out of range")
        return number
    return text
