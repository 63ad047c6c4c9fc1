"""The CloudWatch metrics of a stack, each with the dimensions that keep it apart from those of other stacks."""

from dataclasses import dataclass, replace
from typing import Any

#: The namespace of the metrics that the engine writes itself, as a part of its log lines.
ENGINE = "OrderExecutionEngine"
STACK: dict[str, Any] = {"Ref": "AWS::StackName"}


@dataclass(frozen=True)
class Metric:
    """A metric of one resource, and the statistic of a period that counts: ``Sum``, ``Maximum``, ``p99``."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, Any], ...]
    statistic: str

    def by(self, statistic: str) -> "Metric":
        return replace(self, statistic=statistic)


def engine(name: str, statistic: str = "Sum", **dimensions: str) -> Metric:
    """A metric that the engine writes. Most have the dimension ``Stack`` alone."""
    return Metric(ENGINE, name, (("Stack", STACK), *dimensions.items()), statistic)


def queue(name: str, metric: str = "ApproximateNumberOfMessagesVisible") -> Metric:
    return Metric("AWS/SQS", metric, (("QueueName", {"Fn::Sub": f"${{{name}.QueueName}}"}),), "Maximum")


def function(name: str, metric: str = "Errors") -> Metric:
    return Metric("AWS/Lambda", metric, (("FunctionName", {"Ref": name}),), "Sum")


def api(metric: str, statistic: str) -> Metric:
    """A metric of the HTTP API, which has the name of its stack: its title is that of all stages of an account."""
    return Metric("AWS/ApiGateway", metric, (("ApiName", STACK), ("Stage", "api")), statistic)


def sockets(metric: str) -> Metric:
    return Metric("AWS/ApiGateway", metric, (("ApiId", {"Ref": "WebsocketAPI"}), ("Stage", "api")), "Sum")


def table(name: str, metric: str, index: str | None = None) -> Metric:
    """A metric of a table, or of one of its indexes, which throttle for themselves."""
    indexes = (("GlobalSecondaryIndexName", index),) if index else ()
    return Metric("AWS/DynamoDB", metric, (("TableName", {"Ref": name}), *indexes), "Sum")


def front_door(metric: str) -> Metric:
    """A metric of CloudFront, which has them in us-east-1 alone."""
    dimensions = (("DistributionId", {"Ref": "FrontDoor"}), ("Region", "Global"))
    return Metric("AWS/CloudFront", metric, dimensions, "Average")
