"""The tables' items as pynamodb models. The tables themselves are made by ``infra/resources.yaml``."""

from decimal import Decimal
from typing import Any

from pynamodb.attributes import (
    Attribute,
    BooleanAttribute,
    ListAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.constants import NUMBER
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, IncludeProjection, KeysOnlyProjection
from pynamodb.models import Model


class DecimalAttribute(Attribute[Decimal]):
    """A DynamoDB number kept exact. DynamoDB holds 38 significant digits."""

    attr_type = NUMBER

    def serialize(self, value: Any) -> str:
        return format(value, "f")

    def deserialize(self, value: str) -> Decimal:
        return Decimal(value)


class DeadlineIndex(GlobalSecondaryIndex["OrderItem"]):  # type: ignore[no-untyped-call]
    """Sparse: the orders that somebody has to move on, by the moment by which it should have happened."""

    class Meta:
        index_name = "attention"
        projection = IncludeProjection(["createdAt"])

    shard = UnicodeAttribute(hash_key=True, attr_name="attentionShard")
    at = NumberAttribute(range_key=True, attr_name="attentionAt")


class OpenOrdersIndex(GlobalSecondaryIndex["OrderItem"]):  # type: ignore[no-untyped-call]
    """Sparse: open orders by what triggers them: ``<pair>#<side>`` and the limit price, or ``launch#<mint>`` and age.

    It has all of an order, so that triggering one needs no look at the table before its conditional write.
    """

    class Meta:
        index_name = "waiting"
        projection = AllProjection()

    watch_key = UnicodeAttribute(hash_key=True, attr_name="waitsFor")
    watch_level = DecimalAttribute(range_key=True, attr_name="waitsAt")


class UserOpenIndex(GlobalSecondaryIndex["OrderItem"]):  # type: ignore[no-untyped-call]
    """Sparse: each user's orders that are not over, by creation; those that are open stand under ``<user>#open``."""

    class Meta:
        index_name = "userOpen"
        projection = KeysOnlyProjection()

    user = UnicodeAttribute(hash_key=True, attr_name="openUserId")
    created_at = UnicodeAttribute(range_key=True, attr_name="createdAt")


class OrderItem(Model):
    """An order: its specification, its events, and what the engine notes beside them."""

    class Meta:
        table_name = "orders"

    order_id = UnicodeAttribute(hash_key=True, attr_name="orderId")
    user_id = UnicodeAttribute(attr_name="userId")
    type = UnicodeAttribute()
    side = UnicodeAttribute()
    token_in = UnicodeAttribute(attr_name="tokenIn")
    token_out = UnicodeAttribute(attr_name="tokenOut")
    amount_in = DecimalAttribute(attr_name="amountIn")
    slippage_bps = NumberAttribute(attr_name="slippageBps")
    priority = UnicodeAttribute()
    client_order_id = UnicodeAttribute(attr_name="clientOrderId", null=True)
    simulate = UnicodeAttribute(null=True)
    limit_price = DecimalAttribute(attr_name="limitPrice", null=True)
    time_in_force = UnicodeAttribute(attr_name="timeInForce", null=True)
    expires_at = UnicodeAttribute(attr_name="expiresAt", null=True)
    launch_mint = UnicodeAttribute(attr_name="launchMint", null=True)
    launch_venue = UnicodeAttribute(attr_name="launchVenue", null=True)
    launch_min_liquidity = DecimalAttribute(attr_name="launchMinLiquidity", null=True)
    launch_max_price = DecimalAttribute(attr_name="launchMaxPrice", null=True)

    status = UnicodeAttribute()
    seq = NumberAttribute()
    events: ListAttribute[str] = ListAttribute(of=UnicodeAttribute)  # type: ignore[arg-type]
    created_at = UnicodeAttribute(attr_name="createdAt")

    published = NumberAttribute(default=0)
    subscribers = UnicodeSetAttribute(null=True)
    lease_owner = UnicodeAttribute(attr_name="leaseOwner", null=True)
    lease_until = NumberAttribute(attr_name="leaseUntil", null=True)
    deadline_shard = UnicodeAttribute(attr_name="attentionShard", null=True)
    deadline_at = NumberAttribute(attr_name="attentionAt", null=True)
    open_user_id = UnicodeAttribute(attr_name="openUserId", null=True)
    start_slot = NumberAttribute(attr_name="startSlot", null=True)
    starts_at = NumberAttribute(attr_name="startsAt", null=True)
    start_ahead = BooleanAttribute(attr_name="startAhead", null=True)
    watch_key = UnicodeAttribute(attr_name="waitsFor", null=True)
    watch_level = DecimalAttribute(attr_name="waitsAt", null=True)

    attention = DeadlineIndex()
    user_open = UserOpenIndex()
    waiting = OpenOrdersIndex()


class IdempotencyItem(Model):
    """A client's key and the order it made. ``expiresAt`` is the table's time to live, in epoch seconds."""

    class Meta:
        table_name = "idempotency"

    id = UnicodeAttribute(hash_key=True)
    body_hash = UnicodeAttribute(attr_name="bodyHash")
    order_id = UnicodeAttribute(attr_name="orderId")
    expires_at = NumberAttribute(attr_name="expiresAt")


class StreamItem(Model):
    """``connection#<id>``: an open connection. ``user#<id>``: who follows that user."""

    class Meta:
        table_name = "streams"

    id = UnicodeAttribute(hash_key=True)
    coarse = UnicodeAttribute(null=True)
    users = UnicodeSetAttribute(null=True)
    subscribers = UnicodeSetAttribute(null=True)
    expires_at = NumberAttribute(attr_name="expiresAt", null=True)


class LedgerItem(Model):
    """What became of a signature on the simulated chain: ``landed`` or ``void``."""

    class Meta:
        table_name = "ledger"

    signature = UnicodeAttribute(hash_key=True)
    order_id = UnicodeAttribute(attr_name="orderId")
    state = UnicodeAttribute()
    venue = UnicodeAttribute(null=True)
    amount_in = NumberAttribute(attr_name="amountIn", null=True)
    amount_out = NumberAttribute(attr_name="amountOut", null=True)
    at = NumberAttribute()


class RateLimitItem(Model):
    """``turn``: the next slot in turn, ever growing. ``slot``: one of the rate limit's slots, by number.

    Times are milliseconds since the epoch: ``booked`` the last that was booked in turn, ``ahead`` the last that was
    booked ahead of it, ``spared`` up to when bookings in turn need not stand back for that, ``started`` the last
    start, and whose.
    """

    class Meta:
        table_name = "starts"

    kind = UnicodeAttribute(hash_key=True)
    number = NumberAttribute(range_key=True)
    turns = NumberAttribute(null=True)
    booked = NumberAttribute(null=True)
    ahead = NumberAttribute(null=True)
    spared = NumberAttribute(null=True)
    started = NumberAttribute(null=True)
    starter = UnicodeAttribute(null=True)


class MarketItem(Model):
    """What was told of the market, by what it is about.

    Under a pair's name, or the mint of one that is not in the registry: ``price#<quote>``, ``pool#<quote>#<venue>``
    and ``launch#<pool>#<slot>``. Under ``releasing``: the launches that are still to be worked through. Under
    ``watched``: what open orders wait for. Times are milliseconds since the epoch.
    """

    class Meta:
        table_name = "market"

    subject = UnicodeAttribute(hash_key=True)
    item = UnicodeAttribute(range_key=True)
    at = NumberAttribute(null=True)
    price = DecimalAttribute(null=True)
    mint = UnicodeAttribute(null=True)
    venue = UnicodeAttribute(null=True)
    pool = UnicodeAttribute(null=True)
    slot = NumberAttribute(null=True)
    liquidity = DecimalAttribute(null=True)
    quote = UnicodeAttribute(null=True)
    until = NumberAttribute(null=True)
