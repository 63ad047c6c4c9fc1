"""Conditional writes: what says that a condition did not hold, and an update that tells whether it did."""

from pynamodb.exceptions import DeleteError, PynamoDBException, TransactWriteError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model


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
