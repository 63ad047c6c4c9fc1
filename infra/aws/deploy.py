"""Deploys a stage to AWS, with credentials, region and settings from the environment."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import boto3

from chalicelib.setting_rules import Switch
from infra.aws.account_limits import check_reservations
from infra.aws.adopt import refuse_forgotten
from infra.aws.approval import ask
from infra.aws.certificates import own_certificates
from infra.aws.changes import Change, aligned, changes_table
from infra.aws.database_secret import DatabaseSecret, database_from, ensure_secret, keep_secret, own_secret
from infra.aws.deployer import Deployer
from infra.aws.package import Package, package
from infra.aws.retained import find_retained
from infra.aws.rollback import monitored_minutes
from infra.aws.stack import refusals_reported
from infra.aws.stage_option import aws_stage
from infra.aws.stage_parameters import stage_parameters, with_defaults
from infra.aws.stateful import replaceable
from infra.command import run
from infra.database import check_database, migrate_database, verified_url
from infra.errors import InfraError
from infra.project import APP, BUILD, LAMBDA_PYTHON
from infra.settings import NONE, InvalidSettingError, is_pooled, parameters_from


def deploy_to_aws(stage: str) -> dict[str, str]:
    """Package ``stage``, ask, migrate its database, deploy it, print the stack's outputs, try it out and return them.

    :raises InfraError: if a setting is invalid, the stage would be open, the operator says no, packaging or deploying
        fails, or the deployed stage does not work.
    """
    environment = os.environ
    parameters = parameters_from(environment) | network_from(environment) | stage_parameters(environment)
    minutes = monitored_minutes(environment.get("MONITOR_MINUTES"))
    certificates = own_certificates(environment)
    with refusals_reported():
        session = boto3.Session()
        deployer = Deployer(session)
        stack = f"{APP}-{stage}"
        is_new = deployer.outputs(stack) is None  # Missing credentials show before the package is made.
        kept = deployer.parameters(stack)
        refuse_open_stage(stage, kept | parameters, environment)
        secrets = session.client("secretsmanager")
        database = database_from(environment, secrets, kept.get("DatabaseSecret"))
        address = checked_address(database, certificates, kept | parameters)
        limits = session.client("lambda").get_account_settings()["AccountLimit"]
        if remark := check_reservations(limits, kept, kept | parameters):
            print(remark)
        packaged = package(stage, BUILD / stage, certificates=certificates)
        refuse_slow_starts(packaged)
        template = json.loads(packaged.template.read_text())
        if is_new:
            left = find_retained(stack, template, session.client("dynamodb"), secrets)
            refuse_forgotten(left, stage, environment)
        parameters = with_defaults(parameters, template)
        parameters["DatabaseSecret"] = database.arn or ensure_secret(secrets, own_secret(stack), database.url)

        def approve(changes: Sequence[Change]) -> None:
            """Ask, then migrate before the new code needs it. The running version works with every migration."""
            if changes:
                print(changes_table(changes))
                where = f"in {session.region_name} of the account {deployer.account}"
                ask(f"Deploy these changes to {stack} {where}?", environment, after_no=what_stays(stack, database))
            for name in migrate_database(address):
                print(f"migrated {name}")
            if not database.arn:
                keep_secret(secrets, own_secret(stack), database.url)

        outputs = deployer.deploy(
            stack,
            packaged,
            parameters,
            approve=approve,
            given_up=replaceable(environment),
            monitored_minutes=minutes,
        )
        second = second_parameters(stage, outputs, environment)
        if second.items() - deployer.parameters(stack).items():
            outputs = deployer.deploy(stack, packaged, second)
        if stage == "prod":
            deployer.protect(stack)
    print(aligned(sorted(outputs.items())), flush=True)
    try_out(stage)
    return outputs


def second_parameters(stage: str, outputs: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters that a second update sets, once the first has created what they are about.

    In one update, the functions would refer to the distribution, the distribution to the APIs, and the APIs to the
    functions; and tables that are protected from deletion could not be rolled back.
    """
    front_door = outputs["FrontDoorUrl"].replace("https:", "wss:") + "/ws"
    protection = {"DeletionProtection": "on"} if stage == "prod" else {}
    return {"PublicWsUrl": environment.get("PUBLIC_WS_URL") or front_door} | protection


def what_stays(stack: str, database: DatabaseSecret) -> str:
    """Return what a declined deployment of ``stack`` leaves: CloudFormation lists the changes of what is uploaded."""
    secret = "" if database.arn else f", and the secret {own_secret(stack)} with an address of the database"
    return f"The stack {stack} was not changed. The package stays in the bucket{secret}."


def refuse_slow_starts(packaged: Package) -> None:
    """Refuse a package whose functions would compile every module at each cold start.

    :raises InfraError: if this machine has no interpreter of the functions' version.
    """
    if not packaged.has_bytecode:
        raise InfraError(
            f"The functions run on Python {LAMBDA_PYTHON}, and their bytecode needs that version here: install it "
            f"(uv python install {LAMBDA_PYTHON})."
        )


def try_out(stage: str) -> None:
    """Drive the deployed stage from outside, as its clients do.

    :raises InfraError: naming the step that fails. The deployment stays as it is.
    """
    # A deployment that is refused needs none of this.
    from infra.ops.deployment import find_deployment, front_door
    from infra.ops.smoke import short_lived_key, smoke

    with refusals_reported():
        deployment = find_deployment(stage)
        http, ws = front_door(deployment, stage)
        with short_lived_key(deployment, stage) as key:
            smoke(http, ws, key, lambda line: print(line, flush=True))


def refuse_open_stage(stage: str, parameters: Mapping[str, str], environment: Mapping[str, str]) -> None:
    """Refuse a stage that needs no credentials. ``parameters`` are those of the stack after the deployment.

    :raises InfraError: unless the operator says in words that the stage is open.
    """
    text = parameters.get("Auth")
    if text and not Switch().read(text) and environment.get("I_KNOW_THIS_IS_OPEN") != "yes":
        raise InfraError(
            f"AUTH=off opens the stage {stage} to everybody. Deploy with AUTH=on, or with I_KNOW_THIS_IS_OPEN=yes."
        )


def network_from(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of the network that leads to the database, if ``environment`` names one.

    :raises InvalidSettingError: if it names subnets without security groups, or the reverse.
    """
    names = {"SubnetIds": "SUBNET_IDS", "SecurityGroupIds": "SECURITY_GROUP_IDS"}
    given = {parameter: environment[name] for parameter, name in names.items() if environment.get(name)}
    if len(given) == 1:
        raise InvalidSettingError("SUBNET_IDS and SECURITY_GROUP_IDS must be set together.")
    return {parameter: "" if value == NONE else value for parameter, value in given.items()}


def checked_address(database: DatabaseSecret, certificates: Path | None, parameters: Mapping[str, str]) -> str:
    """Return the address for migrations, which is ``DIRECT_DATABASE_URL`` if that is set.

    The functions' own address may lead nowhere from here if ``parameters`` put them into a network.

    :raises DatabaseError: if an address does not verify its server, or a server does not let it in.
    :raises InvalidSettingError: if migrations would go through a pooler.
    """
    url, source = verified_url(database.url, database.source, certificates), database.source
    direct = os.environ.get("DIRECT_DATABASE_URL")
    if is_pooled(parameters) and not direct:
        raise InvalidSettingError("POSTGRES_POOLED=on needs DIRECT_DATABASE_URL to migrate: the server's own.")
    if not (direct and parameters.get("SubnetIds")):
        check_database(url, source)
    if direct:
        url, source = verified_url(direct, "DIRECT_DATABASE_URL", certificates), "DIRECT_DATABASE_URL"
        check_database(url, source)
    return url


def main() -> int:
    """Run ``python -m infra.aws.deploy --stage prod`` and return the exit code."""
    deploy_to_aws(aws_stage(__doc__))
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
