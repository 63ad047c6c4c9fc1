"""Conditional writes that return whether their condition held."""

import random
import time
from collections.abc import Sequence
from typing import TypeVar

from pynamodb.attributes import UnicodeSetAttribute
from pynamodb.constants import ALL_OLD, ATTRIBUTES
from pynamodb.exceptions import (
    CancellationReason,
    DeleteError,
    PynamoDBException,
    TransactWriteError,
    UpdateError,
)
from pynamodb.expressions.condition import Condition, size
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from chalicelib.stores.connection import SharedConnection

_Item = TypeVar("_Item", bound=Model)

#: DynamoDB cancels one of two concurrent transactions on an item. The loser retries after a random pause.
_MAX_CONFLICT_TRIES = 6
_MAX_CONFLICT_PAUSE_SECONDS = 0.1


def condition_failed(error: PynamoDBException) -> bool:
    """True if the condition of the write refused it, False for any other error."""
    if isinstance(error, TransactWriteError):
        return any(map(refused_by_condition, error.cancellation_reasons))
    return error.cause_response_code == "ConditionalCheckFailedException"


def refused_by_condition(reason: CancellationReason | None) -> bool:
    """True if the condition of this item cancelled the transaction."""
    return reason is not None and reason.code == "ConditionalCheckFailed"


def update_if(item: Model, actions: Sequence[Action], condition: Condition | None) -> bool:
    """Update the item if the condition holds; returns whether it did. ``None`` always holds."""
    try:
        item.update(list(actions), condition=condition)
    except UpdateError as error:
        if not condition_failed(error):
            raise
        return False
    return True


def delete_if(item: Model, condition: Condition) -> bool:
    """Delete the item if the condition holds; returns whether it did."""
    try:
        item.delete(condition=condition)
    except DeleteError as error:
        if not condition_failed(error):
            raise
        return False
    return True


def take(model: type[_Item], key: str) -> _Item | None:
    """Delete the item of a key; returns it as it was. Exactly one of several calls returns it."""
    answer = model._get_connection().delete_item(key, return_values=ALL_OLD)
    values = answer.get(ATTRIBUTES)
    return model.from_raw_data(values) if values else None


def has_less(members: UnicodeSetAttribute, number: int) -> Condition:
    """Holds while the set has fewer members than ``number``."""
    is_small: Condition = size(members) < number  # type: ignore[no-untyped-call]
    has_less: Condition = members.does_not_exist() | is_small
    return has_less


def save_together(connection: SharedConnection, items: Sequence[tuple[Model, Condition | None]]) -> None:
    """Save all items, each under its condition, or none.

    :raises TransactWriteError: if a condition did not hold, or other writers kept changing the items. Each reason of
        a failed condition has the item that it found.
    """
    for left in reversed(range(_MAX_CONFLICT_TRIES)):
        try:
            with TransactWrite(connection=connection) as transaction:
                for item, condition in items:
                    transaction.save(
                        item, condition=condition, return_values=ALL_OLD if condition is not None else None
                    )
            return
        except TransactWriteError as error:
            # Another transaction is writing one of the items; the retry sees its result.
            if not left or not _conflicted(error):
                raise
            time.sleep(random.uniform(0, _MAX_CONFLICT_PAUSE_SECONDS))  # noqa: S311 - no secret


def _conflicted(error: TransactWriteError) -> bool:
    return any(reason and reason.code == "TransactionConflict" for reason in error.cancellation_reasons)
