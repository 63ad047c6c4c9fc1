"""The CloudFormation template: Chalice's own, merged with the files and tables of this directory."""

from pathlib import Path
from typing import Any

from infra.aws import alarms, cors, database_access, front_door, gateway_responses, log_groups
from infra.aws.socket_deployment import renamed_deployment
from infra.project import ROOT
from infra.settings import SETTINGS

Template = dict[str, Any]

_FOR_AWS = ROOT / "infra/aws/aws.yaml"
_FOR_EMULATOR = ROOT / "infra/local/local.yaml"


def load_template(path: Path) -> Template:
    """Read a YAML template and spell out CloudFormation's short forms such as ``!Ref``."""
    from chalice.package import YAMLTemplateSerializer  # slow to import, and only packaging needs it

    template: Template = YAMLTemplateSerializer().load_template(path.read_text(), str(path))
    return template


def finish_template(template: Template, stage: str) -> Template:
    """Add the generated parts, and those that only AWS or only the emulator gets, to Chalice's template."""
    from chalice.package import TemplateDeepMerger

    functions = [name for name, one in template["Resources"].items() if one["Type"] == "AWS::Serverless::Function"]
    parts = [
        settings_template(stage),
        database_access.template(),
        alarms.template(),
        cors.conditions_template(),
        gateway_responses.template(),
    ]
    if stage == "local":
        parts.append(load_template(_FOR_EMULATOR))
    else:
        parts += [load_template(_FOR_AWS), front_door.template(), log_groups.template(functions)]
    merge = TemplateDeepMerger().merge
    for part in parts:
        template = merge(part, template)
    cors.set_preflight_headers(template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"])
    resources = template["Resources"]
    return dict(template) | {"Resources": resources if stage == "local" else renamed_deployment(resources)}


def settings_template(stage: str) -> Template:
    """Return one parameter and one environment variable for each tunable setting, and the stage's name."""
    variables = {row.env: {"Ref": row.parameter} for row in SETTINGS} | {"STAGE": stage}
    return {
        "Parameters": {row.parameter: {"Type": "String", "Default": ""} for row in SETTINGS},
        "Globals": {"Function": {"Environment": {"Variables": variables}}},
    }
