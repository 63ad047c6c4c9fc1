"""The metrics that AWS writes by itself."""

from collections.abc import Mapping

#: The metrics that a widget or an alarm may name, with their dimensions. Source: the pages "CloudWatch metrics" of
#: the services' guides.
_METRICS = {
    "AWS/SQS": (
        {"QueueName"},
        {
            *("ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesNotVisible"),
            "ApproximateAgeOfOldestMessage",
        },
    ),
    "AWS/Lambda": ({"FunctionName"}, {"Invocations", "Errors", "Throttles", "Duration"}),
    "AWS/DynamoDB": (
        {"TableName"},
        {
            *("ReadThrottleEvents", "WriteThrottleEvents"),
            *("ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"),
        },
    ),
    "AWS/CloudFront": ({"DistributionId", "Region"}, {"5xxErrorRate"}),
}
_HTTP_API = ({"ApiName", "Stage"}, {"Count", "Latency", "5XXError", "4XXError"})
_WEBSOCKET_API = ({"ApiId", "Stage"}, {"ConnectCount", "MessageCount"})


def is_written_by_aws(namespace: str, name: str, dimensions: Mapping[str, str]) -> bool:
    """Whether AWS writes the metric with just these dimensions."""
    kinds = [_HTTP_API, _WEBSOCKET_API] if namespace == "AWS/ApiGateway" else [_METRICS[namespace]]
    named = dimensions.keys() - {"GlobalSecondaryIndexName"}
    return any(named == kind and name in names for kind, names in kinds)
