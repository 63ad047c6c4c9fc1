"""An alarm of the packaged template on datapoints, by the rules of CloudWatch.

Source: "Using Amazon CloudWatch alarms" and "Using math expressions", AWS. An expression may have arithmetic,
comparisons, ``IF`` and ``FILL``.
"""

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.support.cloudwatch.datapoints import Datapoints

#: The name of the stack that the tests watch.
STACK = "watched"
_Series = Mapping[int, float]
_OPERATORS: Mapping[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
}


def resolved(value: Any) -> str:
    """The value of a dimension. A resource has its logical name in place of its own."""
    if isinstance(value, str):
        return value
    [(function, argument)] = value.items()
    text = f"${{{argument}}}" if function == "Ref" else argument
    text = text.replace("${AWS::StackName}", STACK)
    return re.sub(r"\$\{(\w+)(\.\w+)?\}", r"\1", text)


def minutes_of_ringing(alarm: Mapping[str, Any], datapoints: Datapoints) -> list[int]:
    """The minutes, from 0, at whose end the alarm is in the state ALARM."""
    series, minutes = _watched(alarm, datapoints), datapoints.minutes
    breaches = [_is_breach(alarm, series.get(minute)) for minute in minutes]
    size, needed = alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]
    windows = [breaches[max(0, end - size) : end] for end in range(1, len(breaches) + 1)]
    return [number for number, window in enumerate(windows) if sum(window) >= needed]


def metrics_of(alarm: Mapping[str, Any]) -> dict[str, tuple[str, str, dict[str, str], str]]:
    """The metrics of an alarm by their ids: namespace, name, dimensions and statistic."""
    if "Metrics" not in alarm:
        return {"metric": _metric(alarm, alarm.get("Statistic") or alarm["ExtendedStatistic"])}
    stats = {query["Id"]: query["MetricStat"] for query in alarm["Metrics"] if "MetricStat" in query}
    return {name: _metric(stat["Metric"], stat["Stat"]) for name, stat in stats.items()}


def _metric(named: Mapping[str, Any], statistic: str) -> tuple[str, str, dict[str, str], str]:
    dimensions = {one["Name"]: resolved(one["Value"]) for one in named["Dimensions"]}
    return named["Namespace"], named["MetricName"], dimensions, statistic


def _watched(alarm: Mapping[str, Any], datapoints: Datapoints) -> _Series:
    series = {name: datapoints.of(*metric) for name, metric in metrics_of(alarm).items()}
    if "Metrics" not in alarm:
        return series["metric"]
    [expression] = [query["Expression"] for query in alarm["Metrics"] if query.get("ReturnData")]
    # CloudWatch evaluates the minutes in which any metric of the expression has data.
    minutes = {minute for one in series.values() for minute in one}
    values = {minute: _value(ast.parse(expression, mode="eval").body, series, minute) for minute in minutes}
    return {minute: value for minute, value in values.items() if value is not None}


def _value(node: ast.expr, series: Mapping[str, _Series], minute: int) -> float | None:
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.Name(id=name):
            return series[name].get(minute)
        case ast.Call(func=ast.Name(id="FILL"), args=[inner, ast.Constant(value=number)]):
            found = _value(inner, series, minute)
            return float(str(number)) if found is None else found
        case ast.Call(func=ast.Name(id="IF"), args=[condition, yes, no]):
            return _value(yes if _value(condition, series, minute) else no, series, minute)
        case ast.BinOp(left=left, op=operation, right=right):
            return _both(operation, left, right, series, minute)
        case ast.Compare(left=left, ops=[operation], comparators=[right]):
            return _both(operation, left, right, series, minute)
    raise AssertionError(ast.dump(node))


def _both(
    operation: ast.AST, left: ast.expr, right: ast.expr, series: Mapping[str, _Series], minute: int
) -> float | None:
    one, other = _value(left, series, minute), _value(right, series, minute)
    return None if one is None or other is None else _OPERATORS[type(operation)](one, other)


def _is_breach(alarm: Mapping[str, Any], value: float | None) -> bool:
    if value is None:
        return bool(alarm["TreatMissingData"] == "breaching")
    return _COMPARISONS[alarm["ComparisonOperator"]](value, alarm["Threshold"])
