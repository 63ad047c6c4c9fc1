"""Deploys a stage to AWS, with credentials, region and settings from the environment."""

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import boto3

from chalicelib.setting_rules import Switch
from infra.aws.certificates import own_certificates
from infra.aws.database_secret import DatabaseSecret, database_from, keep_secret, own_secret
from infra.aws.deployer import Deployer, refusals_reported
from infra.aws.package import package
from infra.aws.stage_parameters import NONE, stage_parameters
from infra.command import run
from infra.database import check_database, migrate_database, verified_url
from infra.errors import InfraError
from infra.project import APP, BUILD
from infra.settings import InvalidSettingError, is_pooled, parameters_from


def deploy_to_aws(stage: str) -> dict[str, str]:
    """Package ``stage``, migrate its database, deploy it, and return the stack's outputs.

    :raises InfraError: if a setting is invalid, the stage would be open, or packaging or deploying fails.
    """
    parameters = parameters_from(os.environ) | network_from(os.environ) | stage_parameters(os.environ)
    certificates = own_certificates(os.environ)
    with refusals_reported():
        session = boto3.Session()
        deployer = Deployer(session)
        stack = f"{APP}-{stage}"
        deployer.outputs(stack)  # Missing credentials show before the package is made.
        kept = deployer.parameters(stack)
        refuse_open_stage(stage, kept | parameters, os.environ)
        secrets = session.client("secretsmanager")
        database = database_from(os.environ, secrets, kept.get("DatabaseSecret"))
        address = checked_address(database, certificates, kept | parameters)
        packaged = package(stage, BUILD / stage, certificates=certificates)
        # Migrate before the new code needs it: the running version works with every migration.
        for name in migrate_database(address):
            print(f"migrated {name}")
        parameters["DatabaseSecret"] = database.arn or keep_secret(secrets, own_secret(stack), database.url)
        outputs = deployer.deploy(stack, packaged, parameters)
        front_door = outputs["FrontDoorUrl"].replace("https:", "wss:") + "/ws"
        # A second deployment sets the address: in the template, the functions would refer to the distribution, the
        # distribution refers to the APIs, and the APIs to the functions.
        return deployer.deploy(stack, packaged, {"PublicWsUrl": os.environ.get("PUBLIC_WS_URL") or front_door})


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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", choices=("dev", "prod"), default="prod")
    for name, value in sorted(deploy_to_aws(parser.parse_args().stage).items()):
        print(f"{name:32} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
