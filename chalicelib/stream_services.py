"""The part of the composition root that builds the use cases of the status streams."""

from dataclasses import dataclass

from chalicelib.adapters import Adapters
from chalicelib.api.frames import error_frame, live_frame, update_frame, user_live_frame
from chalicelib.api.problems import problem_of
from chalicelib.clock import Clock
from chalicelib.codec.times import to_seconds
from chalicelib.ports.authentication import Authenticator
from chalicelib.ports.streams import Sockets
from chalicelib.runtime import Runtime
from chalicelib.services.streams.admission import AdmitMessages
from chalicelib.services.streams.connections import Connections
from chalicelib.services.streams.delivery import Deliverer
from chalicelib.services.streams.dropped_sockets import DroppedSockets
from chalicelib.services.streams.ended_credentials import EndedCredentials
from chalicelib.services.streams.fan_out import FanOut
from chalicelib.services.streams.message_limit import LimitMessages
from chalicelib.services.streams.opening import OpeningSockets, OpeningStreams
from chalicelib.services.streams.publisher import Publisher
from chalicelib.services.streams.serve_group import ServeGroup
from chalicelib.services.streams.subscription_limit import LimitSubscriptions
from chalicelib.services.streams.subscriptions import Subscriptions
from chalicelib.services.streams.tickets import StreamTickets
from chalicelib.services.streams.user_looks import UserLooks
from chalicelib.services.streams.user_sockets import LimitSockets
from chalicelib.services.streams.user_streams import UserStreams
from chalicelib.settings import Settings


@dataclass(frozen=True, slots=True)
class Streams:
    publisher: Publisher
    subscriptions: Subscriptions
    user_streams: UserStreams
    opening: OpeningStreams
    serve_group: ServeGroup
    connections: Connections
    admit_message: AdmitMessages
    ended_credentials: EndedCredentials
    tickets: StreamTickets


def build_streams(settings: Settings, adapters: Adapters, runtime: Runtime, authenticator: Authenticator) -> Streams:
    now, monotonic = runtime.now, runtime.monotonic
    orders, store, replays, sockets = adapters.orders, adapters.streams, adapters.replay_queue, adapters.sockets
    groups, queue = adapters.subscriber_groups, adapters.fan_out_queue
    executor = runtime.threads(settings.push_threads, "push")
    connections = _connections(settings, adapters, runtime)
    dropped_sockets = DroppedSockets(store, replays, connections, now)
    fan_out = FanOut(orders, groups, queue, replays, now, settings.connection_hours)

    def subscriptions_of(sockets: Sockets) -> tuple[Publisher, Subscriptions, UserStreams]:
        deliverer = Deliverer(sockets, executor, monotonic, update_frame, live_frame)
        publisher = Publisher(orders, deliverer, dropped_sockets, fan_out, settings.push_budget_seconds, now)
        subscriptions = Subscriptions(orders, store, publisher, fan_out)
        looks = UserLooks(
            orders, store, subscriptions, replays, connections, sockets, now, monotonic, user_live_frame
        )
        return publisher, subscriptions, UserStreams(orders, store, subscriptions, looks, replays, now)

    publisher, subscriptions, user_streams = subscriptions_of(sockets)
    opening_sockets = OpeningSockets(sockets, store, runtime.sleep)
    return Streams(
        publisher=publisher,
        subscriptions=subscriptions,
        user_streams=user_streams,
        opening=OpeningStreams(opening_sockets, *subscriptions_of(opening_sockets)[1:]),
        serve_group=ServeGroup(
            orders=orders,
            groups=groups,
            queue=queue,
            deliverer=publisher.deliverer,
            dropped_sockets=dropped_sockets,
            now=now,
            serve_seconds=settings.fan_out_seconds,
            lease_seconds=settings.lease_seconds,
        ),
        connections=connections,
        admit_message=_admit_message(settings, adapters, now, authenticator, connections),
        ended_credentials=EndedCredentials(connections, adapters.user_sockets, authenticator, now),
        tickets=StreamTickets(adapters.tickets, authenticator, now),
    )


def _connections(settings: Settings, adapters: Adapters, runtime: Runtime) -> Connections:
    now, limit, hours = runtime.now, settings.max_sockets_per_user, settings.connection_hours
    return Connections(
        streams=adapters.streams,
        replays=adapters.replay_queue,
        sockets=adapters.sockets,
        limit=LimitSockets(
            adapters.user_sockets, adapters.streams, adapters.sockets, now, limit, connection_seconds=hours * 3600
        ),
        build_error_frame=lambda error, request_id: error_frame(problem_of(error), request_id),
        now=now,
        sleep=runtime.sleep,
        connection_hours=hours,
    )


def _admit_message(
    settings: Settings, adapters: Adapters, now: Clock, authenticator: Authenticator, connections: Connections
) -> AdmitMessages:
    def seconds() -> int:
        return to_seconds(now())

    limit = settings.max_subscriptions_per_socket
    return AdmitMessages(
        connections=connections,
        messages=LimitMessages(adapters.socket_use, settings.max_messages_per_minute, seconds),
        subscriptions=LimitSubscriptions(adapters.socket_use, adapters.streams, adapters.orders, now, limit),
        authenticator=authenticator,
        now=seconds,
    )
