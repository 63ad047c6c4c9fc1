"""The variables of ``make deploy`` that shape the stack; ``infra.settings`` has the settings of the engine."""

from collections.abc import Mapping

#: Each variable and its parameter. The templates state the values that a parameter may have and its default.
STAGE_PARAMETERS = {
    "ALARM_TOPIC": "AlarmTopic",
    "API_RATE_LIMIT": "ApiRateLimit",
    "API_BURST_LIMIT": "ApiBurstLimit",
    "SOCKET_RATE_LIMIT": "SocketRateLimit",
    "SOCKET_BURST_LIMIT": "SocketBurstLimit",
    "API_CONCURRENCY": "ApiConcurrency",
    "LOG_RETENTION_DAYS": "LogRetentionDays",
    "WEB_ACL_ARN": "WebAclArn",
    "FRONT_DOOR_DOMAIN": "FrontDoorDomain",
    "CERTIFICATE_ARN": "CertificateArn",
}

#: Takes back what an earlier deployment set.
NONE = "none"


def stage_parameters(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters that ``environment`` sets; the stack keeps the value of every other."""
    return {
        parameter: "" if environment[variable] == NONE else environment[variable]
        for variable, parameter in STAGE_PARAMETERS.items()
        if environment.get(variable)
    }
