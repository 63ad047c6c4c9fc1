"""The ``meta`` of each kind of event, as ``meta_of`` writes it: ``<Event>Meta`` for each class of event data.

Amounts and prices are in human units, ``...Base`` are integers in base units as text.
"""

from decimal import Decimal
from typing import Literal, TypedDict

from chalicelib.api.quotes import FailureBody, RouteBody


class LaunchedPoolBody(TypedDict):
    """A launch: the pool that a market feed announced."""

    mint: str
    venue: str
    pool: str
    slot: int
    price: Decimal
    liquidity: Decimal


class TermsBody(TypedDict, total=False):
    """The terms of an open order after the event, as far as they apply to its type."""

    limitPrice: Decimal
    timeInForce: str
    expiresAt: str
    minAmountOut: Decimal
    minAmountOutBase: str
    mint: str


class AmendedBody(TypedDict, total=False):
    """The terms that an amendment changes."""

    limitPrice: Decimal
    slippageBps: int
    expiresAt: str


class AcceptedMeta(TypedDict, total=False):
    """pending: the engine accepts the order, and delays it until ``startsAt`` if that is given.

    ``traceId`` is the one of the request that placed the order.
    """

    startsAt: str
    traceId: str


class OpenedMeta(TermsBody, total=False):
    """open: a limit or sniper order begins to wait."""

    marketableAtEntry: bool


class AmendedMeta(TermsBody):
    """open: the client changes the terms."""

    amended: AmendedBody


class LaunchRefusedMeta(TypedDict):
    """open: a launch does not meet the filters of the order, which goes on waiting."""

    reason: str
    launchId: str
    launch: LaunchedPoolBody


class PriceMovedAwayMeta(TypedDict):
    """open: the price left the limit between trigger and swap, for the ``rearmed``-th time."""

    reason: str
    rearmed: int


class TriggeredAtEntryMeta(TypedDict):
    """triggered: the order can be filled when it is accepted, or is IOC."""

    trigger: Literal["entry"]


class PriceTriggeredMeta(TypedDict):
    """triggered: the whole order can be filled at a price that meets the limit."""

    trigger: Literal["price"]
    dex: str
    price: Decimal


class LaunchTriggeredMeta(TypedDict):
    """triggered: a launch meets the filters of a sniper order."""

    trigger: Literal["launch"]
    launch: LaunchedPoolBody


class AttemptStartedMeta(TypedDict, total=False):
    """routing: an attempt begins; ``lastError`` is the failure of the attempt before."""

    lastError: FailureBody


class QuotesReceivedMeta(RouteBody):
    """routing: the quotes of all venues and the choice."""


class BuildingMeta(TypedDict):
    """building: the transaction is built for the chosen quote; ``steps`` are its instructions."""

    dex: str
    minAmountOut: Decimal
    minAmountOutBase: str
    steps: list[str]


class SubmittedMeta(TypedDict):
    """submitted: the transaction with this signature is about to be sent."""

    dex: str
    txHash: str


class ConfirmedMeta(TypedDict):
    """confirmed: the swap landed."""

    dex: str
    txHash: str
    executedPrice: Decimal
    executionPrice: Decimal
    amountOut: Decimal
    amountOutBase: str
    slippagePct: Decimal | None


class FailedMeta(FailureBody):
    """failed: the engine gives the order up. ``retryable``: a new order may succeed."""

    retryable: bool
    attempts: int


class CancelledMeta(TypedDict):
    """cancelled: a cancel won."""


class ExpiredMeta(TypedDict, total=False):
    """expired: the order's time ran out, or its only attempt failed with ``code``."""

    reason: str
    code: str
