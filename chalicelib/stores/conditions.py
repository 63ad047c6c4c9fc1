"""Conditional writes: what says that a condition did not hold, and writes that tell whether it did."""

import random
import time
from collections.abc import Sequence

from pynamodb.exceptions import DeleteError, PynamoDBException, TransactWriteError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from chalicelib.stores.connection import SharedConnection

#: DynamoDB cancels one of two transactions on an item at the same moment; so often, and after such a pause at most,
#: it is tried again.
_CONFLICT_TRIES = 6
_CONFLICT_PAUSE_SECONDS = 0.1


def condition_failed(error: PynamoDBException) -> bool:
    """Whether a write was refused by its condition, and not by anything else."""
    if isinstance(error, TransactWriteError):
        return any(reason and reason.code == "ConditionalCheckFailed" for reason in error.cancellation_reasons)
    return error.cause_response_code == "ConditionalCheckFailedException"


def update_if(item: Model, actions: list[Action], condition: Condition) -> bool:
    """Update the item if the condition holds; whether it did."""
    try:
        item.update(actions, condition=condition)
    except UpdateError as error:
        if not condition_failed(error):
            raise
        return False
    return True


def delete_if(item: Model, condition: Condition) -> bool:
    """Delete the item if the condition holds; whether it did."""
    try:
        item.delete(condition=condition)
    except DeleteError as error:
        if not condition_failed(error):
            raise
        return False
    return True


def save_together(connection: SharedConnection, items: Sequence[tuple[Model, Condition | None]]) -> None:
    """Save all items, each under its condition, or none.

    :raises TransactWriteError: if a condition did not hold, or others kept writing these items.
    """
    for left in reversed(range(_CONFLICT_TRIES)):
        try:
            with TransactWrite(connection=connection) as transaction:
                for item, condition in items:
                    transaction.save(item, condition=condition)
            return
        except TransactWriteError as error:
            # Somebody else is writing one of them right now; next time what they wrote is there.
            if not left or not _conflicted(error):
                raise
            time.sleep(random.uniform(0, _CONFLICT_PAUSE_SECONDS))  # noqa: S311 - no secret


def _conflicted(error: TransactWriteError) -> bool:
    return any(reason and reason.code == "TransactionConflict" for reason in error.cancellation_reasons)
