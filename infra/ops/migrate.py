"""Migrates the database of a deployment: the one at ``DATABASE_URL``, or else the one that its functions use."""

import os
import sys

from chalicelib.history import migrate
from infra.command import run
from infra.errors import InfraError
from infra.ops.deployment import ACCESS_ERRORS, find_deployment, stage_parser


def main() -> int:
    """Run ``python -m infra.ops.migrate --stage prod`` and return the exit code."""
    asked = stage_parser(__doc__).parse_args()
    try:
        database_url = os.environ.get("DATABASE_URL") or find_deployment(asked.stage).database_url
    except ACCESS_ERRORS as error:
        raise InfraError(str(error)) from None
    if not database_url:
        raise InfraError("DATABASE_URL is not set, and no secret has an address that this command can use.")
    migrate.main(database_url)
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
