"""Faults that a client may ask of the simulated venues, to test its own error handling."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.failures import AttemptFailedError, FailureCode

#: Fails the first ``n`` attempts while quoting, with this code.
_QUOTE_FAULTS = {"network_error": FailureCode.NETWORK_ERROR, "venue_timeout": FailureCode.VENUE_TIMEOUT}
#: Fails the first ``n`` attempts when the transaction is sent, with this code; no swap lands.
_SEND_FAULTS = {
    "stale_quote": FailureCode.STALE_QUOTE,
    "slippage": FailureCode.SLIPPAGE_EXCEEDED,
    "tx_dropped": FailureCode.TX_DROPPED,
}
_CODES = {**_QUOTE_FAULTS, **_SEND_FAULTS}
_REPLY_LOST = "landed_reply_lost"
_VENUE_DOWN = "venue_down"
_SLOW = "slow"
_COUNTED = {*_QUOTE_FAULTS, *_SEND_FAULTS, _REPLY_LOST}
#: A slow order holds one of the processor's slots, and its attempt must end well within the lease.
_MAX_SLOW_MS = 5_000


def check_fault(text: str, venues: Sequence[str]) -> None:
    """:raises ValueError: with the syntax, if the text is not a fault of a simulation with these venues."""
    try:
        fault = Fault.parse(text)
    except ValueError:
        raise ValueError(f"must be {syntax(venues)}") from None
    is_elsewhere = fault.name == _VENUE_DOWN and fault.argument not in venues
    is_too_slow = fault.name == _SLOW and int(fault.argument) > _MAX_SLOW_MS
    if not fault.name or is_elsewhere or is_too_slow:
        raise ValueError(f"must be {syntax(venues)}")


def syntax(venues: Sequence[str]) -> str:
    """The faults that a client may ask for, in words."""
    counted = ", ".join(f"{name}:n" for name in (*_QUOTE_FAULTS, *_SEND_FAULTS, _REPLY_LOST))
    return f"one of {counted}, no_liquidity, venue_down:{'|'.join(venues)}, slow:ms (at most {_MAX_SLOW_MS})"


def fault_pattern(venues: Sequence[str]) -> str:
    """The faults that a client may ask for, as a regular expression."""
    thousands = _MAX_SLOW_MS // 1000
    slow_ms = f"[0-9]{{1,3}}|[1-{thousands - 1}][0-9]{{3}}|{thousands}000"
    counted = f"({'|'.join(sorted(_COUNTED))}):[1-9][0-9]{{0,4}}"
    return f"^({counted}|no_liquidity|{_VENUE_DOWN}:({'|'.join(venues)})|{_SLOW}:({slow_ms}))$"


def describe_fault(text: str) -> str:
    """What the fault does to an order, in a sentence.

    :raises ValueError: if the text names no fault.
    """
    fault = Fault.parse(text)
    match fault.name:
        case "no_liquidity":
            effect = "no venue has liquidity, and the order fails"
        case "venue_down":
            effect = f"{fault.argument} does not answer, and the other venues decide"
        case "slow":
            effect = f"the swap takes {fault.argument} ms longer"
        case "landed_reply_lost":
            effect = f"the swap lands {_attempts(fault)}, its answer is lost, and the ledger tells the outcome"
        case _:
            code = _CODES[fault.name].value
            effect = f"it fails with {code} {_attempts(fault)}, and is retried if attempts are left"
    return f"The order has the simulated fault {text}: when it is executed, {effect}."


def _attempts(fault: "Fault") -> str:
    number = int(fault.argument)
    return "in the first attempt" if number == 1 else f"in each of the first {number} attempts"


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault: its name, and the number of attempts it affects, a venue, or milliseconds."""

    name: str = ""
    argument: str = ""

    @classmethod
    def parse(cls, text: str | None) -> "Fault":
        """The fault of a text; no text is no fault.

        :raises ValueError: if the text names no fault.
        """
        if not text:
            return cls()
        name, _, argument = text.partition(":")
        number = int(argument) if argument.isascii() and argument.isdigit() and len(argument) < 6 else -1
        known = (
            (name in _COUNTED and number > 0)
            or (name == "no_liquidity" and not argument)
            or (name == _VENUE_DOWN and argument)
            or (name == _SLOW and number >= 0)
        )
        if not known:
            raise ValueError(f"{text!r} is not a fault")
        return cls(name, argument)

    @property
    def extra_ms(self) -> int:
        """How much longer the swap takes. An earlier version accepted orders that asked for more than the maximum."""
        return min(int(self.argument), _MAX_SLOW_MS) if self.name == _SLOW else 0

    def on_quote(self, venue: str, attempt: int, at_ms: int) -> None:
        """:raises AttemptFailedError: if this fault hits the quoting of this venue in this attempt."""
        if self.name == "no_liquidity":
            raise AttemptFailedError(FailureCode.NO_LIQUIDITY, f"{venue} has no liquidity for this pair", at_ms=at_ms)
        if self.name == _VENUE_DOWN and self.argument == venue:
            raise AttemptFailedError(FailureCode.VENUE_UNAVAILABLE, f"{venue} is down", at_ms=at_ms)
        if self.name in _QUOTE_FAULTS and attempt <= int(self.argument):
            raise AttemptFailedError(_QUOTE_FAULTS[self.name], f"{venue} could not be reached", at_ms=at_ms)

    def on_send(self, venue: str, attempt: int, at_ms: int) -> None:
        """:raises AttemptFailedError: if this fault keeps the transaction of this attempt from landing."""
        if self.name in _SEND_FAULTS and attempt <= int(self.argument):
            raise AttemptFailedError(_SEND_FAULTS[self.name], f"{venue} did not land the transaction", at_ms=at_ms)

    def on_reply(self, venue: str, attempt: int) -> None:
        """:raises AttemptFailedError: if the transaction landed and this fault loses the venue's answer."""
        if self.name == _REPLY_LOST and attempt <= int(self.argument):
            raise AttemptFailedError(FailureCode.TX_OUTCOME_UNKNOWN, f"the answer of {venue} was lost")
