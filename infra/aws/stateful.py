"""What a deployment must not lose: tables and secrets, whose contents no deployment can make again.

CloudFormation replaces a table whose key changes by a new, empty one, and reports success. The old table stays aside,
and the engine no longer finds its orders.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from infra.aws.changes import Change
from infra.aws.retained import SECRET, TABLE
from infra.aws.template import Template
from infra.errors import InfraError

#: The kinds of resources with contents, and the properties whose change replaces the contents.
IDENTITY = {
    TABLE: ("TableName", "KeySchema", "LocalSecondaryIndexes"),
    SECRET: ("Name", "GenerateSecretString", "SecretString"),
}
VARIABLE = "REPLACE_STATEFUL"
#: CloudFormation says of every new attribute that it may replace the table; only another type of a known one does.
_SOMETIMES = {"AttributeDefinitions"}


class StatefulError(InfraError):
    """The deployment would replace or remove a table or a secret. The message names each, and why."""


def replaceable(environment: Mapping[str, str]) -> frozenset[str]:
    """Return the logical names of the tables and secrets that the operator gives up in words."""
    return frozenset(name.strip() for name in environment.get(VARIABLE, "").split(",") if name.strip())


def refuse_losses(losses: Iterable[tuple[str, str]], given_up: frozenset[str]) -> None:
    """Refuse the losses that the operator does not give up. Each is a logical name and a reason.

    :raises StatefulError: with one line for each.
    """
    refused = {name: reason for name, reason in losses if name not in given_up}
    if refused:
        lines = [f"{name} would be lost: {reason}." for name, reason in sorted(refused.items())]
        named = ",".join(sorted(refused))
        lines.append(f"Nothing was deployed. {VARIABLE}={named} gives up what these contain.")
        raise StatefulError("\n".join(lines))


def losses_between(deployed: Template, wanted: Template) -> Iterator[tuple[str, str]]:
    """Yield the tables and secrets of ``deployed`` that the update to ``wanted`` would replace or remove."""
    after = wanted["Resources"]
    for name, resource in deployed["Resources"].items():
        if resource["Type"] not in IDENTITY:
            continue
        if name not in after or after[name]["Type"] != resource["Type"]:
            yield name, "the new template does not have it"
        elif changed := _changed(resource["Type"], resource.get("Properties", {}), after[name].get("Properties", {})):
            yield name, f"{', '.join(changed)} changes, which takes a new one"


def losses_of(changes: Iterable[Change]) -> Iterator[tuple[str, str]]:
    """Yield the tables and secrets that a change set replaces or removes."""
    for change in changes:
        if change.kind not in IDENTITY:
            continue
        if change.action == "Remove":
            yield change.resource, "CloudFormation removes it from the stack"
        elif change.replacement == "True" or (change.replacement == "Conditional" and _may_replace(change)):
            yield change.resource, f"CloudFormation replaces it for {', '.join(change.details) or 'its type'}"


def _may_replace(change: Change) -> bool:
    return not set(change.recreating) <= _SOMETIMES


def _changed(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    changed = [name for name in IDENTITY[kind] if before.get(name) != after.get(name)]
    types = _types(after)
    if any(types.get(name, found) != found for name, found in _types(before).items()):
        changed.append("the type of an attribute")
    return changed


def _types(table: Mapping[str, Any]) -> dict[str, str]:
    return {one["AttributeName"]: one["AttributeType"] for one in table.get("AttributeDefinitions", ())}
