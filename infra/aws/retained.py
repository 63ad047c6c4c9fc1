"""The resources that outlive a stack: tables and a secret, which a later stack of the same name can take back."""

from collections.abc import Iterator, Mapping
from typing import Any

from infra.aws.template import Template
from infra.errors import InfraError

TABLE = "AWS::DynamoDB::Table"
SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 - a type of resource
#: The property by which CloudFormation finds a resource of each type.
IDENTIFIER = {TABLE: "TableName", SECRET: "Id"}
_KEEPS = ("Retain", "RetainExceptOnCreate")


class AmbiguousError(InfraError):
    """Several retained resources fit one of the stack. The message has the names, and how to choose one."""


def retained_in(template: Template) -> dict[str, str]:
    """Return the types of the resources that outlive a stack of ``template``, by their logical names."""
    resources = template["Resources"].items()
    return {name: one["Type"] for name, one in resources if one.get("DeletionPolicy") in _KEEPS}


def adoptable_in(template: Template) -> dict[str, str]:
    """Return those of ``retained_in`` that a later stack can take back: its tables and secrets.

    The rest is the role by which all APIs of the account log, which a later stack makes anew.
    """
    return {name: kind for name, kind in retained_in(template).items() if kind in IDENTIFIER}


def find_retained(stack: str, template: Template, dynamodb: Any, secrets: Any) -> dict[str, list[str]]:
    """Return what earlier stacks of this name left: physical names by the logical names in ``template``.

    CloudFormation begins the name of a table with the names of its stack and resource. The secret has them in its
    description, which the template gives it.
    """
    tables = list(_tables(dynamodb))
    found: dict[str, list[str]] = {}
    for logical, kind in adoptable_in(template).items():
        if kind == TABLE:
            names = [name for name in tables if name.startswith(f"{stack}-{logical}-")]
        else:
            names = list(_secrets(secrets, _description(template, logical, stack)))
        if names:
            found[logical] = sorted(names)
    return found


def chosen(found: Mapping[str, list[str]], named: Mapping[str, str]) -> dict[str, str]:
    """Return one physical name for each logical one: the named, or the only one.

    :raises AmbiguousError: if there are several and none is named, or the named one is not among them.
    """
    lines = [
        f"{logical}: {', '.join(names)}"
        for logical, names in found.items()
        if (named[logical] not in names if logical in named else len(names) > 1)
    ]
    lines += [f"{logical}: none" for logical in named if logical not in found]
    if lines:
        raise AmbiguousError("\n".join([*lines, "Name one of each: ADOPT=OrdersTable=name,ApiKeysTable=name"]))
    return {logical: named.get(logical, names[0]) for logical, names in found.items()}


def _tables(dynamodb: Any) -> Iterator[str]:
    for page in dynamodb.get_paginator("list_tables").paginate():
        yield from page["TableNames"]


def _secrets(secrets: Any, description: str) -> Iterator[str]:
    """Yield the ARNs of the secrets with this description. AWS looks for a prefix."""
    pages = secrets.get_paginator("list_secrets").paginate(Filters=[{"Key": "description", "Values": [description]}])
    for page in pages:
        yield from (one["ARN"] for one in page["SecretList"] if one.get("Description") == description)


def _description(template: Template, logical: str, stack: str) -> str:
    text: str = template["Resources"][logical]["Properties"]["Description"]["Fn::Sub"]
    return text.replace("${AWS::StackName}", stack)
