"""Deploys a stage to AWS, with credentials, region and settings from the environment."""

import argparse
import os
import sys

import boto3

from infra.aws.deployer import Deployer, refusals_reported
from infra.aws.package import package
from infra.command import run
from infra.database import check_database, migrate_database
from infra.project import APP, BUILD
from infra.settings import parameters_from


def deploy_to_aws(stage: str) -> dict[str, str]:
    """Package ``stage``, migrate its database, deploy it, and return the stack's outputs.

    :raises InfraError: if a setting is invalid, or packaging or deploying fails.
    """
    parameters = parameters_from(os.environ)
    database_url = os.environ.get("DATABASE_URL")
    if database_url:
        check_database(database_url)
        parameters["DatabaseUrl"] = database_url
    if alarm_topic := os.environ.get("ALARM_TOPIC"):
        parameters["AlarmTopic"] = alarm_topic
    with refusals_reported():
        deployer = Deployer(boto3.Session())
        stack = f"{APP}-{stage}"
        deployer.outputs(stack)  # Missing credentials show before the package is made.
        packaged = package(stage, BUILD / stage)
        if database_url:
            # Migrate before the new code needs it: the running version works with every migration.
            for name in migrate_database(os.environ.get("DIRECT_DATABASE_URL") or database_url):
                print(f"migrated {name}")
        outputs = deployer.deploy(stack, packaged, parameters)
        front_door = outputs["FrontDoorUrl"].replace("https:", "wss:") + "/ws"
        # A second deployment sets the address: in the template, the functions would refer to the distribution, the
        # distribution refers to the APIs, and the APIs to the functions.
        return deployer.deploy(stack, packaged, {"PublicWsUrl": os.environ.get("PUBLIC_WS_URL") or front_door})


def main() -> int:
    """Run ``python -m infra.aws.deploy --stage prod`` and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", choices=("dev", "prod"), default="prod")
    for name, value in sorted(deploy_to_aws(parser.parse_args().stage).items()):
        print(f"{name:32} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
