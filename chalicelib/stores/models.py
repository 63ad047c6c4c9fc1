"""The items of the tables as pynamodb models. The template in ``infra`` makes the tables.

Names in the data (``attr_name``, index names) never change: items that exist must still be found.
"""

from decimal import Decimal
from typing import Any

from pynamodb.attributes import (
    Attribute,
    BooleanAttribute,
    ListAttribute,
    NumberAttribute,
    NumberSetAttribute,
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
    """The orders with a deadline, by deadline, and those that have ended, by their end."""

    class Meta:
        index_name = "attention"
        projection = IncludeProjection(["createdAt"])

    shard = UnicodeAttribute(hash_key=True, attr_name="attentionShard")
    at = NumberAttribute(range_key=True, attr_name="attentionAt")


class OpenOrdersIndex(GlobalSecondaryIndex["OrderItem"]):  # type: ignore[no-untyped-call]
    """Sparse: open orders by what triggers them: ``<pair>#<side>`` and the limit price, or ``launch#<mint>`` and age.

    The index projects whole items, so that a trigger needs no read of the table before its conditional write.
    """

    class Meta:
        index_name = "waiting"
        projection = AllProjection()

    watch_key = UnicodeAttribute(hash_key=True, attr_name="waitsFor")
    watch_level = DecimalAttribute(range_key=True, attr_name="waitsAt")


class UnfinishedIndex(GlobalSecondaryIndex["OrderItem"]):  # type: ignore[no-untyped-call]
    """Sparse: the active orders of each user by creation, the open ones under ``<user>#open``, and the terminal ones
    that the history lacks under ``<user>#unrecorded``.
    """

    class Meta:
        index_name = "userOpen"
        projection = KeysOnlyProjection()

    user = UnicodeAttribute(hash_key=True, attr_name="openUserId")
    created_at = UnicodeAttribute(range_key=True, attr_name="createdAt")


class EndedIndex(GlobalSecondaryIndex["OrderItem"]):  # type: ignore[no-untyped-call]
    """Sparse: the terminal orders of each user, by their end, or by a late push of it."""

    class Meta:
        index_name = "userEnded"
        projection = KeysOnlyProjection()

    user_id = UnicodeAttribute(hash_key=True, attr_name="userId")
    ended_at = NumberAttribute(range_key=True, attr_name="endedAt")


class UserOrdersIndex(GlobalSecondaryIndex["OrderItem"]):  # type: ignore[no-untyped-call]
    """All orders of each user, by creation. An entry never changes, so no write but the first one pays for it."""

    class Meta:
        index_name = "userOrders"
        projection = KeysOnlyProjection()

    user_id = UnicodeAttribute(hash_key=True, attr_name="userId")
    created_at = UnicodeAttribute(range_key=True, attr_name="createdAt")


class OrderItem(Model):
    """An order: its specification and events as JSON, and the engine's own data about it."""

    class Meta:
        table_name = "orders"

    order_id = UnicodeAttribute(hash_key=True, attr_name="orderId")
    #: Absent on items of version 2 that are older than the index of a user's orders.
    user_id = UnicodeAttribute(attr_name="userId", null=True)
    spec = UnicodeAttribute(null=True)
    status = UnicodeAttribute()
    seq = NumberAttribute()
    events: ListAttribute[str] = ListAttribute(of=UnicodeAttribute)  # type: ignore[arg-type]
    created_at = UnicodeAttribute(attr_name="createdAt")

    published = NumberAttribute(default=0)
    subscribers = UnicodeSetAttribute(null=True)
    groups = NumberSetAttribute(null=True)
    followers = UnicodeAttribute(null=True)
    lease_owner = UnicodeAttribute(attr_name="leaseOwner", null=True)
    lease_until = NumberAttribute(attr_name="leaseUntil", null=True)
    deadline_shard = UnicodeAttribute(attr_name="attentionShard", null=True)
    deadline_at = NumberAttribute(attr_name="attentionAt", null=True)
    open_user_id = UnicodeAttribute(attr_name="openUserId", null=True)
    #: In milliseconds since the epoch. Absent on terminal items of releases that do not write it.
    ended_at = NumberAttribute(attr_name="endedAt", null=True)
    late_after = NumberAttribute(attr_name="lateAfter", null=True)
    late_at = NumberAttribute(attr_name="lateAt", null=True)
    start_slot = NumberAttribute(attr_name="startSlot", null=True)
    starts_at = NumberAttribute(attr_name="startsAt", null=True)
    start_ahead = BooleanAttribute(attr_name="startAhead", null=True)
    watch_key = UnicodeAttribute(attr_name="waitsFor", null=True)
    watch_level = DecimalAttribute(attr_name="waitsAt", null=True)
    #: What a limit order pays, in base units. Absent on items of releases that do not write it.
    watch_amount = NumberAttribute(attr_name="waitsAmount", null=True)

    deadline = DeadlineIndex()
    unfinished = UnfinishedIndex()
    of_user = UserOrdersIndex()
    ended = EndedIndex()
    open_orders = OpenOrdersIndex()


class WrittenOrderItem(Model):
    """What a write reads of its answer, which is the whole item: the writer knows the rest of it."""

    class Meta:
        table_name = "orders"

    order_id = UnicodeAttribute(hash_key=True, attr_name="orderId")
    subscribers = UnicodeSetAttribute(null=True)
    groups = NumberSetAttribute(null=True)
    followers = UnicodeAttribute(null=True)


class LegacySpecItem(Model):
    """The specification of an item of version 1: one attribute per field. This version of the engine never writes
    this form.
    """

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

    def as_dict(self) -> dict[str, Any]:
        """The fields by their stored names, as ``spec_from_dict`` reads them."""
        return {attribute.attr_name: getattr(self, name) for name, attribute in self.get_attributes().items()}


class IdempotencyItem(Model):
    """A client's key and the order it made. ``expiresAt`` is the table's time to live, in epoch seconds."""

    class Meta:
        table_name = "idempotency"

    id = UnicodeAttribute(hash_key=True)
    body_hash = UnicodeAttribute(attr_name="bodyHash")
    order_id = UnicodeAttribute(attr_name="orderId")
    expires_at = NumberAttribute(attr_name="expiresAt")


class StreamItem(Model):
    """``connection#<id>``: an open connection, with its caller and use. ``user#<id>``: the followers of a user.
    ``group#<order>#<number>``: a group of an order's subscribers. ``sockets#<user>``: the open sockets of a user.
    ``ticket#<digest>``: a ticket that is not used yet, with its caller. ``replay#<connection>#<user>``: the newest
    replay of a user's stream, whose times are in milliseconds. ``expiresAt`` is the table's time to live; other times
    are in epoch seconds.
    """

    class Meta:
        table_name = "streams"

    id = UnicodeAttribute(hash_key=True)
    coarse = UnicodeAttribute(null=True)
    users = UnicodeSetAttribute(null=True)
    subscribers = UnicodeSetAttribute(null=True)
    joining = UnicodeSetAttribute(null=True)
    delivered = NumberAttribute(null=True)
    version = NumberAttribute(null=True)
    lease_owner = UnicodeAttribute(attr_name="leaseOwner", null=True)
    lease_until = NumberAttribute(attr_name="leaseUntil", null=True)
    expires_at = NumberAttribute(attr_name="expiresAt", null=True)

    #: The caller of a connection or a ticket. Absent without authentication.
    user_id = UnicodeAttribute(attr_name="userId", null=True)
    scopes = UnicodeSetAttribute(null=True)
    credential = UnicodeAttribute(null=True)
    credential_ends_at = NumberAttribute(attr_name="credentialEndsAt", null=True)

    subscriptions = UnicodeSetAttribute(null=True)
    message_minute = NumberAttribute(attr_name="messageMinute", null=True)
    messages = NumberAttribute(null=True)
    replay = NumberAttribute(null=True)
    starts_at_ms = NumberAttribute(attr_name="startsAtMs", null=True)
    since_ms = NumberAttribute(attr_name="sinceMs", null=True)

    sockets = UnicodeSetAttribute(null=True)
    pruned_at = NumberAttribute(attr_name="prunedAt", null=True)


class ApiKeyItem(Model):
    """An API key, without its text: ``hash`` is a keyed hash of it. Times are in seconds since the epoch."""

    class Meta:
        table_name = "api-keys"

    id = UnicodeAttribute(hash_key=True)
    user_id = UnicodeAttribute(attr_name="userId")
    scopes = UnicodeSetAttribute()
    digest = UnicodeAttribute(attr_name="hash")
    created_at = NumberAttribute(attr_name="createdAt")
    expires_at = NumberAttribute(attr_name="expiresAt", null=True)
    revoked_at = NumberAttribute(attr_name="revokedAt", null=True)
    last_used_at = NumberAttribute(attr_name="lastUsedAt", null=True)


class LedgerItem(Model):
    """The outcome of a signature on the simulated chain: ``landed`` or ``void``."""

    class Meta:
        table_name = "ledger"

    signature = UnicodeAttribute(hash_key=True)
    order_id = UnicodeAttribute(attr_name="orderId")
    state = UnicodeAttribute()
    venue = UnicodeAttribute(null=True)
    amount_in = NumberAttribute(attr_name="amountIn", null=True)
    amount_out = NumberAttribute(attr_name="amountOut", null=True)
    at = NumberAttribute()
    #: 0 without a pushed price. Absent on items of releases that do not write it.
    price_at = NumberAttribute(attr_name="priceAt", null=True)
    launch_slot = NumberAttribute(attr_name="launchSlot", null=True)


class RateLimitItem(Model):
    """``turn``: a counter whose remainder is the slot in turn. ``slot``: one of the rate limit's slots, by number.
    ``requests#<user>``: the permits that the environments have ``taken`` for the window that began at ``number``.
    ``waits#<counter>``: how many waits that began in the window ``number`` go on. ``expiresAt`` is the time
    to live of both, in epoch seconds. ``doctor``: the last ``verdict`` of the doctor.

    Times are milliseconds since the epoch: ``reserved`` the last reservation in turn, ``ahead`` the last ahead of
    turn, ``spared`` the time up to which reservations in turn do not yield to it, ``started`` the last start, and
    ``starter`` its order.
    """

    class Meta:
        table_name = "starts"

    kind = UnicodeAttribute(hash_key=True)
    number = NumberAttribute(range_key=True)
    turns = NumberAttribute(null=True)
    reserved = NumberAttribute(attr_name="booked", null=True)
    ahead = NumberAttribute(null=True)
    spared = NumberAttribute(null=True)
    started = NumberAttribute(null=True)
    starter = UnicodeAttribute(null=True)
    taken = NumberAttribute(null=True)
    verdict = UnicodeAttribute(null=True)
    expires_at = NumberAttribute(attr_name="expiresAt", null=True)


class MarketItem(Model):
    """Market data by subject.

    A pair's name, or the mint of a pair outside the registry, has ``price#<quote>``, ``pool#<pool>#<venue>#<quote>``
    and ``launch#<pool>#<slot>``. ``replaced#<pair or mint>#<quote>`` has the prices that later ones replaced, by the
    time of the replacement; the first push replaces no price. ``releasing`` has the pending launches, ``watched`` the
    watch list, and ``looks`` until when looks are queued. Times are milliseconds since the epoch, but ``expiresAt``,
    the table's time to live, is in seconds.
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
    #: When a price was pushed, if another one of the same millisecond has that time as ``at``.
    pushed = NumberAttribute(null=True)
    expires_at = NumberAttribute(attr_name="expiresAt", null=True)
