"""Stream replays as messages of the replay queue; messages of version 1 are still read."""

from collections.abc import Mapping
from typing import Any, get_args

from chalicelib.codec.messages import VERSION, PoisonMessageError, read_message
from chalicelib.codec.orders import UNREADABLE
from chalicelib.codec.tagged import TaggedUnion
from chalicelib.ports.streams import FollowUser, NotifyFollowers, OpenStream, RetrySocket, StreamReplay, Subscriber

_REPLAYS: TaggedUnion[StreamReplay] = TaggedUnion({kind.__name__: kind for kind in get_args(StreamReplay)})
_FIELDS = {"v", "kind", "replay"}
#: Version 1 addressed all followers of an order's user by this connection id.
_LEGACY_FOLLOWERS = "*"


def replay_message(replay: StreamReplay) -> str:
    return f'{{"v":{VERSION},"kind":"{_REPLAYS.name_of(replay)}","replay":{_REPLAYS.to_json(replay)}}}'


def read_replay_message(body: str) -> StreamReplay:
    """:raises PoisonMessageError: if the body is not a replay of a version that this code reads."""
    data = read_message(body)
    try:
        if data["v"] == 1:
            return _legacy(data)
        if data.keys() != _FIELDS:
            raise PoisonMessageError("not a replay message")
        return _REPLAYS.from_data(data["kind"], data["replay"])
    except UNREADABLE as error:
        raise PoisonMessageError("not a replay message") from error


def _legacy(data: Mapping[str, Any]) -> StreamReplay:
    """Version 1 had one form for all kinds distinguished by their values."""
    connection_id, wanted = data["connection_id"], data["wanted"]
    if not isinstance(connection_id, str) or not isinstance(wanted, dict):
        raise TypeError("not a replay message")
    if connection_id == _LEGACY_FOLLOWERS:
        return NotifyFollowers(wanted["orderId"])
    subscriber = Subscriber(connection_id, bool(data["coarse"]), bool(data["via_user"]))
    if data["tries"]:
        return RetrySocket(subscriber, wanted["orderId"], int(wanted["afterSeq"]), int(data["tries"]))
    if data["look"]:
        return FollowUser(subscriber, wanted["userId"], int(data["look"]))
    return OpenStream(connection_id, {name: str(value) for name, value in wanted.items()}, subscriber.coarse)
