"""The ports that an engine is built on, each with its implementation."""

from dataclasses import dataclass

from chalicelib.ports.api_keys import ApiKeys
from chalicelib.ports.event_waits import WaitCounts
from chalicelib.ports.fan_out import FanOutQueue, SubscriberGroups
from chalicelib.ports.history import History
from chalicelib.ports.looks import LookCover
from chalicelib.ports.market import MarketStore
from chalicelib.ports.order_index import OrderIndex
from chalicelib.ports.orders import OpenOrderIndex, OrderStore
from chalicelib.ports.queues import DeadLetterQueue, HighPriorityQueue, LookQueue, OrderQueue, ReplayQueue
from chalicelib.ports.rate_limit import RateLimitSlots, RequestPermits
from chalicelib.ports.secrets import Secrets
from chalicelib.ports.socket_limits import SocketUse, UserSockets
from chalicelib.ports.streams import ManagedSockets, StreamStore
from chalicelib.ports.tickets import TicketStore
from chalicelib.ports.venues import Ledger
from chalicelib.ports.verdicts import Verdicts


@dataclass(frozen=True, slots=True)
class Adapters:
    """The implementations of all ports: ``connect`` builds those of a deployment, tests bring their own."""

    orders: OrderStore
    order_index: OrderIndex
    open_order_index: OpenOrderIndex
    streams: StreamStore
    subscriber_groups: SubscriberGroups
    socket_use: SocketUse
    user_sockets: UserSockets
    tickets: TicketStore
    rate_limit_slots: RateLimitSlots
    request_permits: RequestPermits
    wait_counts: WaitCounts
    ledger: Ledger
    order_queue: OrderQueue
    high_priority_queue: HighPriorityQueue
    dead_letter_queue: DeadLetterQueue
    replay_queue: ReplayQueue
    fan_out_queue: FanOutQueue
    look_queue: LookQueue
    look_cover: LookCover
    sockets: ManagedSockets
    history: History
    markets: MarketStore
    api_keys: ApiKeys
    secrets: Secrets
    verdicts: Verdicts
