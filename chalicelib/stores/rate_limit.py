"""The slots of the rate limit in DynamoDB: an item for each, and one that counts whose turn it is."""

from pynamodb.attributes import NumberAttribute
from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.domain.rate_limit import MINUTE_MS, SlotReservation, last_due, next_start, taken_ahead
from chalicelib.settings import Settings
from chalicelib.stores.conditions import update_if
from chalicelib.stores.connection import SharedConnection, bound
from chalicelib.stores.models import RateLimitItem

_TURN = "turn"
_SLOT = "slot"


class DynamoRateLimitSlots:
    """``RateLimitSlots`` on DynamoDB. See ``ports.RateLimitSlots`` for what each call promises.

    Each loop ends as soon as nobody else writes the same slot in between.
    """

    def __init__(self, connection: SharedConnection, settings: Settings) -> None:
        self._item = bound(RateLimitItem, settings.rate_limit_table, connection)
        self._slots = settings.rate_limit_per_minute

    def book(self, now_ms: int, latest_ms: int | None = None) -> SlotReservation:
        for _ in range(1 + self._slots):
            item = self._get(slot := self._turn())
            if not taken_ahead(now_ms, _ms(item.booked), _ms(item.ahead)):
                break
        while True:
            reservation = SlotReservation(slot, _free_from(item, now_ms))
            if latest_ms is not None and reservation.at_ms > latest_ms:
                # Some turns were not used, so another slot may be free sooner.
                item = min(self._all(), key=lambda one: _free_from(one, now_ms))
                reservation = SlotReservation(int(item.number), _free_from(item, now_ms))
                if reservation.at_ms > latest_ms:
                    return reservation
            if update_if(item, [self._item.booked.set(reservation.at_ms)], self._unchanged(item)):
                return reservation
            item = self._get(slot)

    def book_first(self, now_ms: int, spare_due: bool = False) -> SlotReservation:
        spared = self._item.spared

        def due(item: RateLimitItem) -> int:
            return last_due(now_ms, _ms(item.booked)) or 0 if spare_due else 0

        while True:
            item = min(self._all(), key=lambda one: max(_used(one), due(one)))
            at_ms = next_start(now_ms, _used(item), due(item))
            actions: list[Action] = [self._item.ahead.set(at_ms)]
            if not spare_due:
                actions.append(spared.remove())
            elif due(item) > _used(item):
                actions.append(spared.set(due(item)))
            if update_if(item, actions, self._unchanged(item)):
                return SlotReservation(int(item.number), at_ms, ahead=True)

    def give_back(self, reservation: SlotReservation) -> None:
        booked = self._item.ahead if reservation.ahead else self._item.booked
        item = self._item(_SLOT, reservation.slot)
        update_if(item, [booked.set(reservation.at_ms - MINUTE_MS)], booked == reservation.at_ms)

    def start(self, reservation: SlotReservation, order_id: str, now_ms: int) -> int:
        slot, model, before = reservation.slot % self._slots, self._item, now_ms - MINUTE_MS
        free = model.started.does_not_exist() | (model.started <= before)
        if not reservation.ahead:
            spared = model.spared >= reservation.at_ms
            free = free & (model.ahead.does_not_exist() | (model.ahead <= before) | spared)
        # Whose worker was lost after its start begins again.
        free = free | ((model.starter == order_id) & (model.started <= now_ms))
        if update_if(model(_SLOT, slot), [model.started.set(now_ms), model.starter.set(order_id)], free):
            return now_ms
        item = self._get(slot)
        first = reservation.ahead or (item.spared or 0) >= reservation.at_ms
        return next_start(now_ms, _ms(item.started), None if first else _ms(item.ahead))

    def _turn(self) -> int:
        turn = self._item(_TURN, 0)
        turn.update([self._item.turns.add(1)])
        return int(turn.turns or 0) % self._slots

    def _all(self) -> list[RateLimitItem]:
        """Every slot, used or not."""
        rows = {int(row.number): row for row in self._item.query(_SLOT, consistent_read=True)}
        return [rows.get(number) or self._item(_SLOT, number) for number in range(self._slots)]

    def _unchanged(self, item: RateLimitItem) -> Condition:
        """That a slot is as it was read."""

        def same(attribute: NumberAttribute, seen: float | None) -> Condition:
            return attribute.does_not_exist() if seen is None else attribute == seen

        model = self._item
        unchanged: Condition = (
            same(model.booked, item.booked) & same(model.ahead, item.ahead) & same(model.started, item.started)
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
    """The last time a slot was used, or booked ahead."""
    return max(_ms(item.ahead) or 0, _ms(item.started) or 0)


def _free_from(item: RateLimitItem, now_ms: int) -> int:
    return next_start(now_ms, _ms(item.booked), _ms(item.ahead), _ms(item.started))
