"""The updates that a stack needs before its own, if a table gains or loses more than one global secondary index.

DynamoDB creates or deletes one index of a table per update, and CloudFormation rolls back an update with two of them.
Each step is the deployed template with one such change for each table that still has several to make. The update to
the wanted template makes the last one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from infra.aws.retained import TABLE
from infra.aws.template import Template
from infra.errors import InfraError

Properties = dict[str, Any]


class IndexChangeError(InfraError):
    """CloudFormation cannot change a table from one template to the other without replacing something."""


@dataclass(frozen=True)
class IndexStep:
    """The template of one update, and what its update does: ``create the index userOrders of OrdersTable``."""

    template: Template
    action: str


def index_steps(deployed: Template, wanted: Template) -> Iterator[IndexStep]:
    """Yield, in their order, the updates between ``deployed`` and the update to ``wanted``.

    Indexes are created before others are deleted, because the deployed functions run until the last update.

    :raises IndexChangeError: if an index of ``wanted`` differs from the deployed one of its name.
    """
    before, after = _tables(deployed), _tables(wanted)
    shared = [name for name in after if name in before]
    for name in shared:
        _refuse_changes(name, before[name], after[name])
    while steps := {name: step for name in shared if (step := _step(before[name], after[name]))}:
        before |= {name: properties for name, (properties, _) in steps.items()}
        resources = {name: deployed["Resources"][name] | {"Properties": before[name]} for name in shared}
        action = " and ".join(f"{action} of {name}" for name, (_, action) in steps.items())
        yield IndexStep(deployed | {"Resources": deployed["Resources"] | resources}, action)


def _tables(template: Template) -> dict[str, Properties]:
    resources = template["Resources"].items()
    return {name: one["Properties"] for name, one in resources if one["Type"] == TABLE}


def _step(before: Properties, after: Properties) -> tuple[Properties, str] | None:
    """Return the table after its next change with the name of the change, unless the last update makes it."""
    present, wanted = _indexes(before), _indexes(after)
    missing = [name for name in wanted if name not in present]
    surplus = [name for name in present if name not in wanted]
    if len(missing) + len(surplus) < 2:
        return None
    if missing:
        return _with_indexes(
            before, after, present | {missing[0]: wanted[missing[0]]}
        ), f"create the index {missing[0]}"
    kept = {name: index for name, index in present.items() if name != surplus[0]}
    return _with_indexes(before, after, kept), f"delete the index {surplus[0]}"


def _with_indexes(before: Properties, after: Properties, indexes: dict[str, Properties]) -> Properties:
    """Return the table with ``indexes``, and with the attributes of their keys alone: DynamoDB refuses others."""
    keys = [before, *before.get("LocalSecondaryIndexes", []), *indexes.values()]
    used = {key["AttributeName"] for schema in keys for key in schema["KeySchema"]}
    types = _types(after) | _types(before)
    definitions = [{"AttributeName": name, "AttributeType": types[name]} for name in types if name in used]
    table = before | {"AttributeDefinitions": definitions, "GlobalSecondaryIndexes": list(indexes.values())}
    return table if indexes else {name: one for name, one in table.items() if name != "GlobalSecondaryIndexes"}


def _refuse_changes(table: str, before: Properties, after: Properties) -> None:
    """Refuse what CloudFormation rolls back, and the change of a type, for which it replaces the whole table.

    :raises IndexChangeError: naming the index or the attribute.
    """
    deployed, present = _types(before), _indexes(before)
    for name, kind in _types(after).items():
        if deployed.get(name, kind) != kind:
            raise IndexChangeError(
                f"The attribute {name} of {table} changes from {deployed[name]} to {kind}, and CloudFormation would "
                f"replace the table: give the attribute another name."
            )
    for name, index in _indexes(after).items():
        if any(present.get(name, index)[part] != index[part] for part in ("KeySchema", "Projection")):
            raise IndexChangeError(
                f"The index {name} of {table} changes its key or projection, which DynamoDB does not do: give the "
                f"index another name."
            )


def _indexes(table: Properties) -> dict[str, Properties]:
    return {index["IndexName"]: index for index in table.get("GlobalSecondaryIndexes", [])}


def _types(table: Properties) -> dict[str, str]:
    return {one["AttributeName"]: one["AttributeType"] for one in table["AttributeDefinitions"]}
