"""The alarms that roll an update back: CloudFormation watches them during the update and some minutes longer."""

from collections.abc import Iterable
from typing import Any

from infra.errors import InfraError
from infra.settings import NONE

#: The alarms that a broken version sets off. The engine catches what fails on an order, so Lambda counts no error of
#: the processor, and the last two show it. CloudFormation takes five at most.
ROLLBACK_ALARMS = (
    "ProcessorErrorsAlarm",
    "ApiErrorsAlarm",
    "LookErrorsAlarm",
    "CaughtFailuresAlarm",
    "FailedMessagesAlarm",
)
#: CloudFormation would otherwise watch the alarms of the update before.
NO_ROLLBACK: dict[str, Any] = {"RollbackTriggers": [], "MonitoringTimeInMinutes": 0}
#: An alarm of "3 of 5" rings three minutes after the first fault at the earliest, and CloudWatch has the data of a
#: minute up to two minutes later.
_DEFAULT_MINUTES = 8
#: The most that CloudFormation accepts.
_MAX_MINUTES = 180


def monitored_minutes(text: str | None) -> int | None:
    """Return the minutes of ``MONITOR_MINUTES``; ``None`` if no alarm shall roll the update back.

    :raises InfraError: if the text is neither a number of minutes nor ``none``.
    """
    if text == NONE:
        return None
    if not text:
        return _DEFAULT_MINUTES
    if not (text.isascii() and text.isdecimal() and int(text) <= _MAX_MINUTES):
        raise InfraError(f"MONITOR_MINUTES={text!r} must be a whole number up to {_MAX_MINUTES}, or {NONE}.")
    return int(text)


def rollback_configuration(alarms: Iterable[dict[str, Any]], minutes: int) -> dict[str, Any]:
    """Return the configuration of an update with the alarms that CloudWatch describes, but those that ring already.

    An alarm that rings before the update would roll every repair back.
    """
    triggers = [
        {"Arn": alarm["AlarmArn"], "Type": "AWS::CloudWatch::Alarm"}
        for alarm in alarms
        if alarm["StateValue"] != "ALARM"
    ]
    return {"RollbackTriggers": triggers, "MonitoringTimeInMinutes": minutes}
