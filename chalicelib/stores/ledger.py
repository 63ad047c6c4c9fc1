"""The simulated chain's ledger in DynamoDB: one conditional put decides what becomes of a signature."""

from dataclasses import replace

from pynamodb.exceptions import PutError

from chalicelib.domain.failures import AttemptFailedError, FailureCode
from chalicelib.domain.swaps import Fill
from chalicelib.settings import Settings
from chalicelib.stores.conditions import condition_failed
from chalicelib.stores.connection import SharedConnection, bound
from chalicelib.stores.models import LedgerItem

_LANDED = "landed"
_VOID = "void"


class DynamoLedger:
    """``Ledger`` on DynamoDB. The port states what each call promises."""

    def __init__(self, connection: SharedConnection, settings: Settings) -> None:
        self._item = bound(LedgerItem, settings.ledger_table, connection)

    def land(self, fill: Fill) -> Fill:
        kept = self._keep(
            self._item(
                fill.signature,
                order_id=fill.order_id,
                state=_LANDED,
                venue=fill.venue,
                amount_in=fill.amount_in,
                amount_out=fill.amount_out,
                at=fill.landed_at_ms or 0,
                price_at=fill.price_at_ms or 0,
                launch_slot=fill.launch_slot,
            )
        )
        if kept.state == _VOID:
            raise AttemptFailedError(FailureCode.TX_DROPPED, "the transaction was voided before it landed")
        return _fill(kept)

    def settle(self, signature: str, order_id: str, at_ms: int) -> Fill | None:
        kept = self._keep(self._item(signature, order_id=order_id, state=_VOID, at=at_ms))
        return _fill(kept) if kept.state == _LANDED else None

    def _keep(self, item: LedgerItem) -> LedgerItem:
        """Store the first record of a signature; returns the record that is stored."""
        try:
            item.save(condition=self._item.signature.does_not_exist())
        except PutError as error:
            if not condition_failed(error):
                raise
            return self._item.get(item.signature, consistent_read=True)
        return item


def _fill(item: LedgerItem) -> Fill:
    fill = Fill(item.signature, item.order_id, item.venue or "", int(item.amount_in or 0), int(item.amount_out or 0))
    if item.price_at is None:
        return fill
    slot = None if item.launch_slot is None else int(item.launch_slot)
    return replace(fill, landed_at_ms=int(item.at), price_at_ms=int(item.price_at) or None, launch_slot=slot)
