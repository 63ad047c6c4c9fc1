"""The slots of the rate limit in DynamoDB: one item per slot, and one that counts turns."""

from pynamodb.attributes import NumberAttribute
from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.domain.errors import ContendedError
from chalicelib.domain.rate_limit import (
    MINUTE_MS,
    SlotReservation,
    SlotUse,
    high_priority_slots,
    is_used_up,
    last_due,
    next_start,
    slot_use,
)
from chalicelib.settings import Settings
from chalicelib.stores.conditions import update_if
from chalicelib.stores.connection import SharedConnection, bound
from chalicelib.stores.models import RateLimitItem

_TURN = "turn"
_SLOT = "slot"
#: Writes of a reservation that may lose a race. Each lost race is another order's success.
MAX_RESERVATION_TRIES = 100


class DynamoRateLimitSlots:
    """``RateLimitSlots`` on DynamoDB. The port states what each call promises."""

    def __init__(self, connection: SharedConnection, settings: Settings) -> None:
        self._item = bound(RateLimitItem, settings.rate_limit_table, connection)
        self._slots = settings.rate_limit_per_minute

    def reserve(self, now_ms: int, latest_ms: int | None = None) -> SlotReservation:
        item = self._item_in_turn(now_ms)
        slot = int(item.number)
        for _ in range(MAX_RESERVATION_TRIES):
            at_ms = _free_from(item, now_ms)
            if latest_ms is not None and at_ms > latest_ms:
                # Orders left some turns unused, so another slot may be free sooner.
                item = min(self._all(), key=lambda one: _free_from(one, now_ms))
                at_ms = _free_from(item, now_ms)
                if at_ms > latest_ms:
                    return SlotReservation(int(item.number), at_ms)
            if update_if(item, [self._item.reserved.set(at_ms)], self._unchanged(item)):
                return SlotReservation(int(item.number), at_ms)
            item = self._get(slot)
        raise ContendedError("rate limit slots")

    def reserve_ahead(self, now_ms: int, spare_due: bool = False) -> SlotReservation:
        def due(item: RateLimitItem) -> int:
            return last_due(now_ms, _ms(item.reserved)) or 0 if spare_due else 0

        for _ in range(MAX_RESERVATION_TRIES):
            items = self._all() if spare_due else self._all()[: high_priority_slots(self._slots)]
            item = min(items, key=lambda one: max(_used(one), due(one)))
            at_ms = next_start(now_ms, _used(item), due(item))
            actions: list[Action] = [self._item.ahead.set(at_ms)]
            if not spare_due:
                actions.append(self._item.spared.remove())
            elif due(item) > _used(item):
                actions.append(self._item.spared.set(due(item)))
            if update_if(item, actions, self._unchanged(item)):
                return SlotReservation(int(item.number), at_ms, ahead=True)
        raise ContendedError("rate limit slots")

    def release(self, reservation: SlotReservation) -> None:
        last = self._item.ahead if reservation.ahead else self._item.reserved
        item = self._item(_SLOT, reservation.slot)
        update_if(item, [last.set(reservation.at_ms - MINUTE_MS)], last == reservation.at_ms)

    def start(self, reservation: SlotReservation, order_id: str, now_ms: int) -> int:
        slot, model, minute_ago = reservation.slot % self._slots, self._item, now_ms - MINUTE_MS
        free = model.started.does_not_exist() | (model.started <= minute_ago)
        if not reservation.ahead:
            is_spared = model.spared >= reservation.at_ms
            free = free & (model.ahead.does_not_exist() | (model.ahead <= minute_ago) | is_spared)
        # An order whose worker died after its start may start again in its slot.
        free = free | ((model.starter == order_id) & (model.started <= now_ms))
        if update_if(model(_SLOT, slot), [model.started.set(now_ms), model.starter.set(order_id)], free):
            return now_ms
        item = self._get(slot)
        goes_first = reservation.ahead or (item.spared or 0) >= reservation.at_ms
        return next_start(now_ms, _ms(item.started), None if goes_first else _ms(item.ahead))

    def use(self, now_ms: int) -> SlotUse:
        return slot_use(now_ms, ((_ms(one.reserved), _ms(one.ahead), _ms(one.started)) for one in self._all()))

    def undo_start(self, reservation: SlotReservation, order_id: str, now_ms: int, before_ms: int) -> None:
        item, model = self._item(_SLOT, reservation.slot % self._slots), self._item
        unchanged = (model.starter == order_id) & (model.started == now_ms)
        update_if(item, [model.started.set(before_ms)], unchanged)

    def _item_in_turn(self, now_ms: int) -> RateLimitItem:
        """The slot whose turn it is, without slots whose turn a high-priority order has used up."""
        item = self._get(self._turn())
        for _ in range(self._slots):
            if not is_used_up(now_ms, _ms(item.reserved), _ms(item.ahead)):
                break
            item = self._get(self._turn())
        return item

    def _turn(self) -> int:
        turn = self._item(_TURN, 0)
        turn.update([self._item.turns.add(1)])
        return int(turn.turns or 0) % self._slots

    def _all(self) -> list[RateLimitItem]:
        """Every slot, used or not."""
        rows = {int(row.number): row for row in self._item.query(_SLOT, consistent_read=True)}
        return [rows.get(number) or self._item(_SLOT, number) for number in range(self._slots)]

    def _unchanged(self, item: RateLimitItem) -> Condition:
        """The condition that a slot is as this process read it."""

        def same(attribute: NumberAttribute, seen: float | None) -> Condition:
            return attribute.does_not_exist() if seen is None else attribute == seen

        model = self._item
        unchanged: Condition = (
            same(model.reserved, item.reserved) & same(model.ahead, item.ahead) & same(model.started, item.started)
        )
        return unchanged

    def _get(self, slot: int) -> RateLimitItem:
        try:
            return self._item.get(_SLOT, slot, consistent_read=True)
        except DoesNotExist:
            return self._item(_SLOT, slot)


def _ms(number: float | None) -> int | None:
    return None if number is None else int(number)


def _used(item: RateLimitItem) -> int:
    """The last time that a slot was started or reserved ahead."""
    return max(_ms(item.ahead) or 0, _ms(item.started) or 0)


def _free_from(item: RateLimitItem, now_ms: int) -> int:
    return next_start(now_ms, _ms(item.reserved), _ms(item.ahead), _ms(item.started))
