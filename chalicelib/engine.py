"""The engine as the entry points see it."""

from dataclasses import dataclass

from chalicelib.api.requests.rules import RequestRules
from chalicelib.clock import Clock
from chalicelib.ports.authentication import Authenticator
from chalicelib.ports.queues import DeadLetterQueue, MessageQueue
from chalicelib.ports.streams import Sockets
from chalicelib.services.limits.priority_lane import PriorityLane
from chalicelib.services.limits.request_rate import RequestRate
from chalicelib.services.market.watcher import MarketWatcher
from chalicelib.services.operations.engine_state import ShowEngine
from chalicelib.services.operations.gauges import ReadGauges
from chalicelib.services.operations.health import CheckHealth
from chalicelib.services.operations.looks import ScheduleLooks
from chalicelib.services.operations.stats import ShowStats
from chalicelib.services.operations.watchdog import Watchdog
from chalicelib.services.orders.amend import AmendOrder
from chalicelib.services.orders.cancel import CancelOrder
from chalicelib.services.orders.dead_letter import CloseDeadLetter
from chalicelib.services.orders.execute import ExecuteOrder
from chalicelib.services.orders.explain.explain_order import ExplainOrder
from chalicelib.services.orders.listing import ListOrders
from chalicelib.services.orders.preview import PreviewOrder
from chalicelib.services.orders.queries import Queries
from chalicelib.services.orders.read_events import ReadEvents
from chalicelib.services.orders.replay import ReplayOrder
from chalicelib.services.orders.submit import SubmitOrder
from chalicelib.services.streams.admission import AdmitMessages
from chalicelib.services.streams.connections import Connections
from chalicelib.services.streams.ended_credentials import EndedCredentials
from chalicelib.services.streams.opening import OpeningStreams
from chalicelib.services.streams.serve_group import ServeGroup
from chalicelib.services.streams.subscription_limit import LimitSubscriptions
from chalicelib.services.streams.subscriptions import Subscriptions
from chalicelib.services.streams.tickets import StreamTickets
from chalicelib.services.streams.user_streams import UserStreams
from chalicelib.settings import Settings


@dataclass(frozen=True, slots=True)
class Engine:
    """The use cases, and the ports that the entry points need themselves: clock, replies and acknowledgements."""

    settings: Settings
    now: Clock
    rules: RequestRules
    authenticator: Authenticator
    request_rate: RequestRate
    submit: SubmitOrder
    execute: ExecuteOrder
    cancel: CancelOrder
    amend: AmendOrder
    replay: ReplayOrder
    preview: PreviewOrder
    queries: Queries
    read_events: ReadEvents
    explain: ExplainOrder
    list_orders: ListOrders
    close_dead_letter: CloseDeadLetter
    watchdog: Watchdog
    market: MarketWatcher
    read_gauges: ReadGauges
    schedule_looks: ScheduleLooks
    subscriptions: Subscriptions
    user_streams: UserStreams
    opening: OpeningStreams
    serve_group: ServeGroup
    connections: Connections
    admit_message: AdmitMessages
    subscription_limit: LimitSubscriptions
    ended_credentials: EndedCredentials
    tickets: StreamTickets
    priority_lane: PriorityLane
    health: CheckHealth
    stats: ShowStats
    state: ShowEngine
    sockets: Sockets
    order_queue: MessageQueue
    dead_letter_queue: DeadLetterQueue
    replay_queue: MessageQueue
    fan_out_queue: MessageQueue
