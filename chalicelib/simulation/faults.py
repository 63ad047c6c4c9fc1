"""Faults a client may ask the simulated venues for, so that its own error handling can be tried."""

from dataclasses import dataclass

from chalicelib.domain.failures import AttemptFailedError, FailureCode

#: Fails the first ``n`` attempts while quoting, with this code.
_QUOTE_FAULTS = {"network_error": FailureCode.NETWORK_ERROR, "venue_timeout": FailureCode.VENUE_TIMEOUT}
#: Fails the first ``n`` attempts when the transaction is sent, with this code; nothing lands.
_SEND_FAULTS = {
    "stale_quote": FailureCode.STALE_QUOTE,
    "slippage": FailureCode.SLIPPAGE_EXCEEDED,
    "tx_dropped": FailureCode.TX_DROPPED,
}
_REPLY_LOST = "landed_reply_lost"
_COUNTED = {*_QUOTE_FAULTS, *_SEND_FAULTS, _REPLY_LOST}
_VENUES = ("raydium", "meteora")
_MAX_SLOW_MS = 10_000

SYNTAX = (
    "one of "
    + ", ".join(f"{name}:n" for name in (*_QUOTE_FAULTS, *_SEND_FAULTS, _REPLY_LOST))
    + f", no_liquidity, venue_down:{'|'.join(_VENUES)}, slow:ms (at most {_MAX_SLOW_MS})"
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: its name and, by name, the number of attempts it hits, a venue, or milliseconds."""

    name: str = ""
    argument: str = ""

    @classmethod
    def parse(cls, text: str | None) -> "Fault":
        """:raises ValueError: if the text is not of ``SYNTAX``."""
        if not text:
            return cls()
        name, _, argument = text.partition(":")
        number = int(argument) if argument.isascii() and argument.isdigit() and len(argument) < 6 else -1
        known = (
            (name in _COUNTED and number > 0)
            or (name == "no_liquidity" and not argument)
            or (name == "venue_down" and argument in _VENUES)
            or (name == "slow" and 0 <= number <= _MAX_SLOW_MS)
        )
        if not known:
            raise ValueError(f"must be {SYNTAX}")
        return cls(name, argument)

    @property
    def extra_ms(self) -> int:
        """How much longer the swap takes."""
        return int(self.argument) if self.name == "slow" else 0

    def on_quote(self, venue: str, attempt: int) -> None:
        """:raises AttemptFailedError: if this fault hits the quoting of this venue in this attempt."""
        if self.name == "no_liquidity":
            raise AttemptFailedError(FailureCode.NO_LIQUIDITY, f"{venue} has no liquidity for this pair")
        if self.name == "venue_down" and self.argument == venue:
            raise AttemptFailedError(FailureCode.VENUE_UNAVAILABLE, f"{venue} is down")
        if self.name in _QUOTE_FAULTS and attempt <= int(self.argument):
            raise AttemptFailedError(_QUOTE_FAULTS[self.name], f"{venue} could not be reached")

    def on_send(self, venue: str, attempt: int) -> None:
        """:raises AttemptFailedError: if this fault keeps the transaction of this attempt from landing."""
        if self.name in _SEND_FAULTS and attempt <= int(self.argument):
            raise AttemptFailedError(_SEND_FAULTS[self.name], f"{venue} did not land the transaction")

    def on_reply(self, venue: str, attempt: int) -> None:
        """:raises AttemptFailedError: if the transaction landed and this fault loses the venue's answer."""
        if self.name == _REPLY_LOST and attempt <= int(self.argument):
            raise AttemptFailedError(FailureCode.TX_OUTCOME_UNKNOWN, f"the answer of {venue} was lost")
