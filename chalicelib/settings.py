"""Every knob of the engine, read from the environment once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

#: How the engine names itself to AWS.
USER_AGENT = "order-execution-engine"


@dataclass(frozen=True, slots=True)
class Settings:
    """Names, units and defaults. Seconds where a name says so; a number in the environment is decimal text."""

    # Where things are. Set by the deployment.
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

    # Waiting orders: limit and sniper.
    #: How often the market is looked at, within the minute of the schedule that does it.
    market_tick_seconds: float = 5.0
    #: One look triggers so many orders of a pair, or of a launch, at most; the next one goes on.
    trigger_batch: int = 500
    trigger_threads: int = 8
    #: What is known of the market is looked up again after this long.
    market_cache_seconds: float = 1.0
    #: An order that triggered and whose price left may trigger again after this long, and each time twice as long.
    retrigger_pause_seconds: float = 1.0
    max_retrigger_pause_seconds: float = 6 * 3600.0
    #: Unknown mints that somebody waits for launch a pool within so many seconds. 0: only when told of.
    simulated_launch_seconds: int = 0

    # How much is taken in. 0 is no limit.
    #: Orders that may start in any minute; more are delayed, and refused once the delay would pass the horizon.
    rate_limit_per_minute: int = 100
    #: SQS can delay a message for so long.
    rate_horizon_seconds: int = 900
    #: Orders of one user that are on their way, neither open nor over.
    max_active_orders_per_user: int = 1000
    #: Open limit and sniper orders of one user.
    max_open_orders_per_user: int = 200

    # Attempts. The lease covers one attempt with its longest waits; it is also the message's visibility.
    max_attempts: int = 3
    backoff_base_seconds: float = 1.0
    backoff_cap_seconds: float = 20.0
    lease_seconds: int = 15
    #: How long the queue may take to bring an order back before the watchdog asks.
    deadline_grace_seconds: int = 15
    #: A new order waits in the queue at most this long before the watchdog sends it again.
    pending_deadline_seconds: int = 60
    watchdog_batch: int = 200
    quote_timeout_seconds: float = 1.0
    #: A venue that is late holds a thread until it answers.
    quote_threads: int = 32

    # Calls to the adapters.
    aws_connect_timeout_seconds: float = 1.0
    aws_read_timeout_seconds: float = 3.0
    #: Connections kept open to DynamoDB; the push threads use them side by side.
    aws_connections: int = 20
    push_connect_timeout_seconds: float = 0.5
    push_read_timeout_seconds: float = 1.0
    #: One event is pushed for this long at most; sockets not served by then go to the stream queue.
    push_budget_seconds: float = 1.0
    push_threads: int = 8
    postgres_connect_timeout_seconds: int = 2
    postgres_statement_timeout_seconds: int = 2

    # Limits at the door.
    max_body_bytes: int = 16 * 1024
    idempotency_hours: int = 24
    #: API Gateway closes a WebSocket after two hours.
    connection_hours: int = 2


_SWITCH = {"on": True, "1": True, "true": True, "off": False, "0": False, "false": False, "": False}


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this process; absent or empty variables leave the default.

    :raises ValueError: naming the variable that is missing or cannot be read.
    """
    values: dict[str, Any] = {}
    for name, kind in Settings.__annotations__.items():
        variable = name.upper()
        text = environment.get(variable, "")
        if not text:
            continue
        try:
            values[name] = _parse(kind, text)
        except (ValueError, ArithmeticError, KeyError) as error:
            raise ValueError(f"{variable}={text!r} is not a valid value") from error
    try:
        return Settings(**values)
    except TypeError as error:
        raise ValueError(f"settings are incomplete: {error}") from error


def _parse(kind: object, text: str) -> object:
    if kind is bool:
        return _SWITCH[text.lower()]
    if kind is int or kind is float or kind is Decimal:
        number = kind(text)
        if not 0 <= number < 10**9:
            raise ValueError("out of range")
        return number
    return text
