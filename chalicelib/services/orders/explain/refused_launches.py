"""Which condition of a sniper order would have accepted a launch that the order refused."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from chalicelib.codec.times import from_ms, to_ms
from chalicelib.domain.conditions import Launch
from chalicelib.domain.depth import Depth
from chalicelib.domain.events import LaunchRefused
from chalicelib.domain.failures import AttemptFailedError
from chalicelib.domain.money import written
from chalicelib.domain.orders import Order
from chalicelib.domain.spec import OrderSpec
from chalicelib.ports.hindsight import Hindsight
from chalicelib.routing.best_swap import best_swap
from chalicelib.services.orders.explain import wording
from chalicelib.services.orders.explain.explanation import Change, Counterfactual
from chalicelib.services.orders.explain.search import price_limit_for

#: The last refused launches that an explanation looks at.
_MAX_LAUNCHES = 10


def for_refused_launches(order: Order, hindsight: Hindsight) -> Iterator[Counterfactual]:
    """For each kind of condition, the value nearest to the order's that would have accepted one of its launches."""
    refused = [(one.data, one.at) for one in order.events if isinstance(one.data, LaunchRefused)][-_MAX_LAUNCHES:]
    best: dict[Change, Counterfactual] = {}
    for refusal, refused_at in refused:
        found = _of_launch(order.spec, refusal, refused_at, hindsight)
        if found and (found.change not in best or _is_nearer(found, best[found.change])):
            best[found.change] = found
    yield from best.values()


def _of_launch(
    spec: OrderSpec, refusal: LaunchRefused, refused_at: datetime, hindsight: Hindsight
) -> Counterfactual | None:
    """The one condition that would have accepted the launch; ``None`` if no single one would have."""
    wanted, launch = spec.launch, refusal.launch
    if wanted is None or (launch.quote is not None and launch.quote != spec.pair.quote.symbol):
        return None
    judged = _depth_judged(spec, refusal, hindsight)
    depth = judged or _depth_at(spec, launch, refused_at, hindsight)
    best = best_swap([depth], spec.side, spec.amount_in) if depth else None
    if best is None:
        return None
    missed = [
        *([Change.VENUE] if wanted.venue not in (None, launch.venue) else []),
        *([Change.MIN_LIQUIDITY] if launch.liquidity < (wanted.min_liquidity or 0) else []),
        *([Change.MAX_PRICE] if best.amount_out < (spec.limit_min_out or 0) else []),
    ]
    if len(missed) != 1:
        return None
    return _counterfactual(missed[0], spec, launch, best.amount_out, is_exact=judged is not None)


def _depth_judged(spec: OrderSpec, refusal: LaunchRefused, hindsight: Hindsight) -> Depth | None:
    """The pool that the engine judged; ``None`` if the refusal does not say when, or its market data is not kept."""
    if refusal.judged_at_ms is None:
        return None
    known_at, pool = from_ms(refusal.price_at_ms or 0), refusal.launch.opened
    market = hindsight.market(spec.pair, known_at, known_at, pool)
    venues = market.venues(refusal.judged_at_ms, refusal.price_at_ms, refusal.launch_slot) or {}
    venue = venues.get(pool.venue)
    try:
        return venue.depth(spec.pair, pool=pool) if venue else None
    except AttemptFailedError:
        return None


def _depth_at(spec: OrderSpec, launch: Launch, at: datetime, hindsight: Hindsight) -> Depth | None:
    """The pool at the time of the refusal, which is about when the engine judged it."""
    return hindsight.market(spec.pair, at, at, launch.opened).depth(launch.venue, to_ms(at))


def _counterfactual(
    change: Change, spec: OrderSpec, launch: Launch, output: int, *, is_exact: bool
) -> Counterfactual | None:
    pool = f"the pool on {wording.name_of(launch.venue)} at {wording.moment(from_ms(launch.at_ms))}"
    if change is Change.VENUE:
        text = f"The order would have accepted {pool}, but for the venue."
        return Counterfactual(change, launch.venue, is_exact, text)
    if change is Change.MIN_LIQUIDITY:
        liquidity = f"{written(launch.liquidity)} {wording.symbol(spec.token_in)}"
        text = f"A minimum liquidity of {liquidity} or less would have accepted {pool}."
        return Counterfactual(change, launch.liquidity, is_exact, text)
    limit = price_limit_for(spec, output)
    if limit is None:
        return None
    text = f"A maximum price of {wording.price(limit, spec.pair)} or more would have accepted {pool}."
    return Counterfactual(change, limit, is_exact, text)


def _is_nearer(one: Counterfactual, other: Counterfactual) -> bool:
    """True if the order has to give up less for the first: the higher liquidity, the lower price."""
    if not isinstance(one.value, Decimal) or not isinstance(other.value, Decimal):
        return False
    return one.value > other.value if one.change is Change.MIN_LIQUIDITY else one.value < other.value
