"""The alarms, one row each. Every row has a section of the same name in ``docs/runbook.md``."""

from dataclasses import dataclass
from typing import Any

RUNBOOK = "docs/runbook.md"
_ACTIONS = {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopic"}], {"Ref": "AWS::NoValue"}]}


@dataclass(frozen=True)
class Metric:
    """A CloudWatch metric of one resource, and the statistic that an alarm compares each minute."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, Any], ...]
    statistic: str


@dataclass(frozen=True)
class Alarm:
    """An alarm by its logical name.

    It rings when the metric is above ``threshold`` for so many minutes in a row. With ``missing`` it rings when the
    metric is below ``threshold`` or has no data.
    """

    name: str
    description: str
    metric: Metric
    threshold: int = 0
    minutes: int = 1
    missing: bool = False

    @property
    def runbook(self) -> str:
        """The place of the alarm's section in the runbook."""
        return f"{RUNBOOK}#{self.name.lower()}"

    def resource(self) -> dict[str, Any]:
        """Return the alarm as a resource of the template."""
        return {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmActions": _ACTIONS,
                "AlarmDescription": f"{self.description} See {self.runbook}.",
                "Namespace": self.metric.namespace,
                "MetricName": self.metric.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in self.metric.dimensions],
                "Statistic": self.metric.statistic,
                "Period": 60,
                "EvaluationPeriods": self.minutes,
                "Threshold": self.threshold,
                "ComparisonOperator": "LessThanThreshold" if self.missing else "GreaterThanThreshold",
                "TreatMissingData": "breaching" if self.missing else "notBreaching",
            },
        }


def _queue(queue: str, metric: str = "ApproximateNumberOfMessagesVisible") -> Metric:
    return Metric("AWS/SQS", metric, (("QueueName", {"Fn::Sub": f"${{{queue}.QueueName}}"}),), "Maximum")


def _function(function: str, metric: str = "Errors") -> Metric:
    return Metric("AWS/Lambda", metric, (("FunctionName", {"Ref": function}),), "Sum")


#: Chalice answers an unexpected exception with a 500, which the function's own Errors metric does not count.
_API_5XX = Metric("AWS/ApiGateway", "5XXError", (("ApiName", "order-execution-engine"), ("Stage", "api")), "Sum")

ALARMS = (
    Alarm(
        "DeadLettersAlarm",
        "Messages wait in the dead-letter queue: its handler, which takes them at once, fails or is throttled.",
        _queue("DeadLettersQueue"),
    ),
    # The depth of the dead-letter queue cannot show this: its handler takes each dead letter at once.
    Alarm(
        "ExhaustedOrdersAlarm",
        "Messages used up their five deliveries, and their orders are closed as failed with QUEUE_EXHAUSTED.",
        _function("CloseDeadLetters", "Invocations"),
    ),
    Alarm(
        "UnprocessableMessagesAlarm",
        "The unprocessable queue holds dead letters that name no order to close.",
        _queue("UnprocessableQueue"),
    ),
    Alarm(
        "ReplayDeadLettersAlarm",
        "Stream replays failed five times; their subscribers miss frames until they reconnect.",
        _queue("ReplayDeadLettersQueue"),
    ),
    Alarm(
        "FanOutDeadLettersAlarm",
        "Groups of subscribers could not be served; their members miss frames until the order's next event.",
        _queue("FanOutDeadLettersQueue"),
    ),
    Alarm(
        "OldestOrderAlarm",
        "Orders wait in the orders queue for over five minutes before the processor starts them.",
        _queue("OrdersQueue", "ApproximateAgeOfOldestMessage"),
        threshold=300,
        minutes=5,
    ),
    Alarm(
        "ProcessorErrorsAlarm",
        "The processor crashed or timed out. Failed orders do not count as errors.",
        _function("ProcessOrders"),
    ),
    # A single failed look is made good by the next one, seconds later.
    Alarm(
        "LookErrorsAlarm",
        "Looks of the market watcher or the watchdog failed in three minutes in a row; open orders trigger late, or "
        "lost orders stay lost.",
        _function("RunLooks"),
        minutes=3,
    ),
    Alarm(
        "LooksMissingAlarm",
        "No look has run for five minutes; open orders neither trigger nor expire by schedule, and lost orders stay "
        "lost.",
        _function("RunLooks", "Invocations"),
        threshold=1,
        minutes=5,
        missing=True,
    ),
    Alarm("ApiErrorsAlarm", "The HTTP API answered requests with a 5xx status.", _API_5XX),
)


def template() -> dict[str, Any]:
    """Return the part of the template with the alarms."""
    return {"Resources": {alarm.name: alarm.resource() for alarm in ALARMS}}
