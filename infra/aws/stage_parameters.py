"""The variables of ``make deploy`` that shape the stack; ``infra.settings`` has the settings of the engine."""

import re
from collections.abc import Mapping
from typing import Any

from infra.aws.template import FOR_AWS, Template, load_template
from infra.settings import NONE, InvalidSettingError

#: Each variable and its parameter. The templates state the values that a parameter may have and its default.
STAGE_PARAMETERS = {
    "ALARM_TOPIC": "AlarmTopic",
    "API_RATE_LIMIT": "ApiRateLimit",
    "API_BURST_LIMIT": "ApiBurstLimit",
    "SOCKET_RATE_LIMIT": "SocketRateLimit",
    "SOCKET_BURST_LIMIT": "SocketBurstLimit",
    "API_CONCURRENCY": "ApiConcurrency",
    "PROCESSOR_CONCURRENCY": "ProcessorConcurrency",
    "LOG_RETENTION_DAYS": "LogRetentionDays",
    "ALARMS": "Alarms",
    "ACCESS_LOGS": "AccessLogs",
    "TRACING": "Tracing",
    "WEB_ACL_ARN": "WebAclArn",
    "FRONT_DOOR_DOMAIN": "FrontDoorDomain",
    "CERTIFICATE_ARN": "CertificateArn",
}


def stage_parameters(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters that ``environment`` sets; the stack keeps the value of every other.

    CloudFormation checks the values too, but only once all is packaged and uploaded.

    :raises InvalidSettingError: with one line for each value that the template does not take.
    """
    given = {variable: environment[variable] for variable in STAGE_PARAMETERS if environment.get(variable)}
    set_now = {variable: value for variable, value in given.items() if value != NONE}
    rules = load_template(FOR_AWS)["Parameters"] if set_now else {}
    problems = [
        f"{variable}={value!r} {problem}."
        for variable, value in set_now.items()
        if (problem := _problem(value, rules.get(STAGE_PARAMETERS[variable], {})))
    ]
    if problems:
        raise InvalidSettingError("\n".join(problems))
    return {STAGE_PARAMETERS[variable]: set_now.get(variable, "") for variable in given}


def _problem(value: str, rule: Mapping[str, Any]) -> str | None:
    """Return what the template's ``rule`` for a parameter has against ``value``."""
    if "AllowedValues" in rule:
        allowed = [*map(str, rule["AllowedValues"])]
        return None if value in allowed else f"must be one of {', '.join(allowed)}"
    if "AllowedPattern" in rule:
        return None if re.fullmatch(rule["AllowedPattern"], value) else str(rule["ConstraintDescription"])
    if rule.get("Type") == "Number" and not (re.fullmatch("[0-9]{1,9}", value) and int(value) >= rule["MinValue"]):
        return f"must be a whole number, at least {rule['MinValue']}"
    return None


def with_defaults(parameters: Mapping[str, str], template: Template) -> dict[str, str]:
    """Return the parameters with the default of ``template`` for those that are taken back."""
    known = template["Parameters"]
    return {name: value or str(known.get(name, {}).get("Default", "")) for name, value in parameters.items()}
