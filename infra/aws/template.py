"""The CloudFormation template: Chalice's own, merged with the files and tables of this directory."""

from pathlib import Path
from typing import Any

from infra.aws import (
    alarms,
    cors,
    dashboard,
    database_access,
    front_door,
    gateway_responses,
    log_groups,
    runtime,
    tracing,
)
from infra.aws.all_alarms import ALARMS
from infra.aws.socket_deployment import renamed_deployment
from infra.project import ROOT
from infra.settings import SETTINGS

Template = dict[str, Any]

FOR_AWS = ROOT / "infra/aws/aws.yaml"
_FOR_EMULATOR = ROOT / "infra/local/local.yaml"
#: Chalice's outputs with addresses behind the front door. Links in answers lead to the front door, so nobody else
#: should be given these.
_ADDRESSES_BEHIND = ("EndpointURL", "WebsocketConnectEndpointURL")


def load_template(path: Path) -> Template:
    """Read a YAML template and spell out CloudFormation's short forms such as ``!Ref``."""
    from chalice.package import YAMLTemplateSerializer  # slow to import, and only packaging needs it

    template: Template = YAMLTemplateSerializer().load_template(path.read_text(), str(path))
    return template


def finish_template(template: Template, stage: str, python: str) -> Template:
    """Add the generated parts, and those that only AWS or only the emulator gets, to Chalice's template.

    ``python`` is the version of the functions' Python on AWS.
    """
    from chalice.package import TemplateDeepMerger

    functions = {
        name: one["Properties"]
        for name, one in template["Resources"].items()
        if one["Type"] == "AWS::Serverless::Function"
    }
    parts = [
        settings_template(stage),
        database_access.template(),
        cors.conditions_template(),
        gateway_responses.template(),
    ]
    if stage == "local":
        parts.append(load_template(_FOR_EMULATOR))
    else:
        # The emulator has no metrics to watch, and refuses alarms with an expression.
        parts += [
            load_template(FOR_AWS),
            front_door.template(),
            log_groups.template([*functions]),
            runtime.template([*functions], python),
            tracing.template(functions),
            alarms.template(ALARMS),
            dashboard.template(),
        ]
    merge = TemplateDeepMerger().merge
    for part in parts:
        template = merge(part, template)
    cors.set_preflight_headers(template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"])
    return dict(template) if stage == "local" else _finished_for_aws(template)


def _finished_for_aws(template: Template) -> Template:
    outputs = {name: one for name, one in template["Outputs"].items() if name not in _ADDRESSES_BEHIND}
    # API Gateway names an API by the title of its document. The metrics of dev and prod differ by this name alone.
    template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["info"]["title"] = {"Ref": "AWS::StackName"}
    front_door.add_socket_behaviors(template["Resources"])
    tracing.allow_traces(template["Resources"])
    return template | {"Resources": renamed_deployment(template["Resources"]), "Outputs": outputs}


def settings_template(stage: str) -> Template:
    """Return one parameter and one environment variable for each tunable setting, and the stage's name."""
    variables = {row.env: {"Ref": row.parameter} for row in SETTINGS} | {"STAGE": stage}
    return {
        "Parameters": {row.parameter: {"Type": "String", "Default": ""} for row in SETTINGS},
        "Globals": {"Function": {"Environment": {"Variables": variables}}},
    }
