"""The part of the composition root that builds the use cases of the status streams."""

import time
from dataclasses import dataclass

from chalicelib.adapters import Adapters
from chalicelib.api.frames import update_frame
from chalicelib.clock import Clock
from chalicelib.services.streams.connections import Connections
from chalicelib.services.streams.delivery import Deliverer
from chalicelib.services.streams.fan_out import FanOut
from chalicelib.services.streams.late_sockets import LateSockets
from chalicelib.services.streams.publisher import Publisher
from chalicelib.services.streams.serve_group import ServeGroup
from chalicelib.services.streams.subscriptions import Subscriptions
from chalicelib.services.streams.user_streams import UserStreams
from chalicelib.settings import Settings
from chalicelib.threads import threads


@dataclass(frozen=True, slots=True)
class Streams:
    publisher: Publisher
    subscriptions: Subscriptions
    user_streams: UserStreams
    serve_group: ServeGroup
    connections: Connections


def build_streams(settings: Settings, adapters: Adapters, now: Clock) -> Streams:
    orders, stream_store, groups = adapters.orders, adapters.streams, adapters.subscriber_groups
    executor = threads(settings.push_threads, "push")
    deliverer = Deliverer(adapters.sockets, executor, time.monotonic, update_frame)
    late_sockets = LateSockets(adapters.replay_queue)
    fan_out = FanOut(orders, groups, adapters.fan_out_queue, adapters.replay_queue, now, settings.connection_hours)
    publisher = Publisher(orders, stream_store, deliverer, late_sockets, fan_out, settings.push_budget_seconds)
    subscriptions = Subscriptions(orders, stream_store, publisher, fan_out)
    user_streams = UserStreams(orders, stream_store, subscriptions, adapters.replay_queue, now)
    serve_group = ServeGroup(
        orders=orders,
        streams=stream_store,
        groups=groups,
        queue=adapters.fan_out_queue,
        deliverer=deliverer,
        late_sockets=late_sockets,
        now=now,
        serve_seconds=settings.fan_out_seconds,
        lease_seconds=settings.lease_seconds,
    )
    connections = Connections(adapters.streams, adapters.replay_queue, now, settings.connection_hours)
    return Streams(publisher, subscriptions, user_streams, serve_group, connections)
