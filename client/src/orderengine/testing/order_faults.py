"""Faults of the venues for the orders that come next, as if their clients had asked for them with ``simulate``."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from chalicelib.domain.identity import Caller
from chalicelib.domain.spec import OrderSpec
from orderengine.testing.checks import whole


@dataclass
class _Planned:
    fault: str
    #: The orders that still get it; ``None`` means every one.
    left: int | None


@dataclass
class OrderFaults:
    """``check`` raises ``ValueError`` for a text that is no fault, with those that are."""

    check: Callable[[str], None]
    _planned: list[_Planned] = field(default_factory=list)
    #: The fault of each key: a repeat with the same key is the same order.
    _of_keys: dict[tuple[str, str], str | None] = field(default_factory=dict)

    def add(self, fault: str, orders: int | None = None) -> None:
        """Give the next ``orders`` orders this fault, or all until ``clear``: ``"tx_dropped:2"``, ``"slow:3000"``.

        Faults with a number of orders come first, one after the other; then the last one without a number.

        :raises ValueError: naming the faults that there are, and for a number of orders below 1.
        """
        self.check(fault)
        self._planned.append(_Planned(fault, None if orders is None else whole("orders", orders, 1)))

    def clear(self) -> None:
        """Let the next orders have no fault."""
        self._planned.clear()

    def submitted(self, spec: OrderSpec, key: str | None, submit: Callable[[OrderSpec], Any]) -> Any:
        """Submit the order with its fault. An order that asks for a fault itself keeps that one.

        An order that the engine refuses uses no fault up.
        """
        if spec.simulate:
            return submit(spec)
        names = [(spec.user_id, name) for name in (key, spec.client_order_id) if name]
        known = [self._of_keys[name] for name in names if name in self._of_keys]
        if known:
            return submit(replace(spec, simulate=known[0]))
        planned = self._next()
        fault = planned.fault if planned else None
        self._of_keys.update(dict.fromkeys(names, fault))
        if planned and planned.left:
            planned.left -= 1
        try:
            return submit(replace(spec, simulate=fault))
        except Exception:
            for name in names:
                self._of_keys.pop(name, None)
            if planned and planned.left is not None:
                planned.left += 1
            raise

    def _next(self) -> _Planned | None:
        counted = (one for one in self._planned if one.left)
        lasting = (one for one in reversed(self._planned) if one.left is None)
        return next(counted, None) or next(lasting, None)


@dataclass(frozen=True)
class FaultySubmit:
    """``SubmitOrder`` that gives orders their faults."""

    submit: Callable[..., Any]
    faults: OrderFaults

    def __call__(self, caller: Caller, spec: OrderSpec, *, idempotency_key: str | None = None, **more: Any) -> Any:
        def submit(faulty: OrderSpec) -> Any:
            return self.submit(caller, faulty, idempotency_key=idempotency_key, **more)

        return self.faults.submitted(spec, idempotency_key, submit)
