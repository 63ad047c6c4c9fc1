"""The simulated chain's ledger in memory."""

from threading import Lock

from chalicelib.domain.failures import AttemptFailedError, FailureCode
from chalicelib.domain.swaps import Fill


class FakeLedger:
    """``Ledger`` in memory; the outcome of a signature never changes."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: dict[str, Fill | None] = {}

    def land(self, fill: Fill) -> Fill:
        with self._lock:
            kept = self._kept.setdefault(fill.signature, fill)
        if kept is None:
            raise AttemptFailedError(FailureCode.TX_DROPPED, "the transaction was voided before it landed")
        return kept

    def settle(self, signature: str, order_id: str, at_ms: int) -> Fill | None:
        with self._lock:
            return self._kept.setdefault(signature, None)

    def swaps_of(self, order_id: str) -> list[Fill]:
        with self._lock:
            return [fill for fill in self._kept.values() if fill and fill.order_id == order_id]

    def is_void(self, signature: str) -> bool:
        with self._lock:
            return signature in self._kept and self._kept[signature] is None
