"""Compares what bots were told of their orders with the records, the events and the list."""

import time
from collections import Counter
from collections.abc import Sequence

from tests.e2e.client import Client
from tests.faults.bots import Story, Told

#: The list has every order after this time.
_SETTLED_SECONDS = 60


def bot_violations(direct: Client, told: Told) -> list[str]:
    """Report lost, doubled and deviating orders and updates, by what ``direct`` shows of them."""
    found: list[str] = []
    for story in told.stories:
        found += [f"{story.order_id or story.wanted.name}: {fault}" for fault in _faults(direct, story)]
    ids, keys = ({getattr(story, name) for story in told.stories} for name in ("order_id", "key"))
    if not len(ids) == len(keys) == len(told.stories):
        found.append(f"{len(told.stories)} orders have {len(ids)} ids and {len(keys)} keys")
    if (gaps := told.count("gaps")) != (filled := told.count("gaps_filled")):
        found.append(f"{gaps} gaps, {filled} filled")
    for user in {story.record.user_id for story in told.stories if story.record}:
        found += _list_faults(direct, user, told.stories)
    return found + _follow_faults(told)


def _faults(direct: Client, story: Story) -> list[str]:
    if story.error or story.record is None or not story.updates:
        return [f"is not over for its bot: {story.error}"]
    last, record = story.updates[-1], direct.engine.order(story.order_id)
    found = _stream_faults([update.seq for update in story.updates], record.seq)
    if [update.at for update in story.updates] != [event.at for event in direct.engine.events(story.order_id)]:
        found.append("the updates are not the events")
    recorded = record.seq, record.status, record.phase, record.updated_at
    told = last.seq, last.status, last.phase, last.at
    if recorded != told or story.record != record:
        found.append(f"the record {recorded} is not the last update {told}")
    for name, value in (("txHash", record.tx_hash), ("executedPrice", record.executed_price)):
        if name in last.meta and last.meta[name] != value:
            found.append(f"{name} is {value} in the record and {last.meta[name]} in the last update")
    return found


def _stream_faults(seqs: Sequence[int], last_seq: int) -> list[str]:
    """Expect each seq once and in order."""
    return [] if list(seqs) == list(range(1, last_seq + 1)) else [f"updates {list(seqs)} of {last_seq}"]


def _list_faults(direct: Client, user: str, stories: Sequence[Story]) -> list[str]:
    """Expect each order of a user once in the list, by its client order id."""
    wanted = Counter(story.wanted.name for story in stories if story.record and story.record.user_id == user)
    deadline = time.monotonic() + _SETTLED_SECONDS
    while (listed := Counter(str(one.client_order_id) for one in direct.engine.orders(user=user))) != wanted:
        if time.monotonic() > deadline:
            return [f"the list of {user} has {listed - wanted} too many and lacks {wanted - listed}"]
        time.sleep(0.5)
    return []


def _follow_faults(told: Told) -> list[str]:
    """Expect each update of the followed user once, and those of an order in their order."""
    seen: dict[str, list[int]] = {}
    for update in told.seen:
        seen.setdefault(update.order_id, []).append(update.seq)
    followed = [story for story in told.stories if story.record and story.record.user_id == told.followed]
    return [
        f"followed {story.order_id}: {fault}"
        for story in followed
        for fault in _stream_faults(seen.get(story.order_id, []), story.last_seq)
    ]
