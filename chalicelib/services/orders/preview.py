"""Preview of an order: its route and its minimum output now. A preview executes and stores no order."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.codec.times import to_ms
from chalicelib.domain.as_of import AsOf
from chalicelib.domain.events import QuotesReceived
from chalicelib.domain.failures import AttemptFailedError, Failure
from chalicelib.domain.identity import Caller, Scope
from chalicelib.domain.money import minimum_output
from chalicelib.domain.spec import OrderSpec
from chalicelib.domain.status import OrderType
from chalicelib.domain.swaps import SwapRequest
from chalicelib.routing.router import Route, Router
from chalicelib.services.orders.acceptance import PlanAcceptance, expiry
from chalicelib.services.orders.lookup import user_for


@dataclass(frozen=True, slots=True)
class Preview:
    """The order as it would execute now. Amounts are in base units.

    ``quotes`` is ``None`` where no route exists now: before a launch, or, with the reason in ``unfillable``, for an
    order that no venue can fill. ``marketable`` applies to limit orders alone.
    """

    spec: OrderSpec
    venues: tuple[str, ...]
    min_amount_out: int | None
    quotes: QuotesReceived | None = None
    unfillable: Failure | None = None
    marketable: bool | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PreviewOrder:
    router: Router
    plan: PlanAcceptance
    now: Callable[[], datetime]

    def __call__(self, caller: Caller, spec: OrderSpec) -> Preview:
        """Quotes, route and minimum output of an order, or why it has no route.

        :raises AttemptFailedError: if no venue answers for a market order, so that nothing is known.
        :raises PoolAlreadyLiveError: if the mint of a sniper order already has a pool.
        :raises BrokenRulesError: if the order's expiry has passed.
        :raises MissingScopeError: if the caller lacks ``read``, or names another user without ``operate``.
        """
        user_for(caller, spec.user_id, Scope.READ)
        now = self.now()
        as_of = AsOf(to_ms(now))
        state = self.plan(spec, now, as_of)
        preview = Preview(spec, self.router.venue_names, spec.limit_min_out)
        if spec.type is not OrderType.MARKET:
            preview = replace(preview, expires_at=expiry(spec, now))
        if spec.launch:
            return preview
        try:
            route = self._route(spec, as_of)
        except AttemptFailedError as error:
            if spec.type is OrderType.MARKET and error.retryable:
                raise
            return replace(preview, unfillable=error.failure, marketable=_if_limit(spec, marketable=False))
        minimum = spec.limit_min_out or minimum_output(route.chosen.amount_out, spec.slippage_bps)
        marketable = _if_limit(spec, marketable=state.marketable)
        return replace(preview, quotes=route.as_event(), min_amount_out=minimum, marketable=marketable)

    def _route(self, spec: OrderSpec, as_of: AsOf) -> Route:
        """The route now. A simulated fault that would leave none is left out.

        :raises AttemptFailedError: if no venue has a usable quote without the fault either.
        """
        request = SwapRequest(
            spec.pair,
            spec.token_in,
            spec.token_out,
            spec.amount_in,
            as_of=as_of,
            simulate=spec.simulate,
        )
        try:
            return self.router.route(request)
        except AttemptFailedError:
            if spec.simulate is None:
                raise
            return self.router.route(replace(request, simulate=None))


def _if_limit(spec: OrderSpec, *, marketable: bool) -> bool | None:
    return marketable if spec.type is OrderType.LIMIT else None
