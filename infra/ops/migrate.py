"""Migrates the database of a deployment: the one at ``DATABASE_URL``, or else the one that its functions use."""

import sys

from chalicelib.history import migrate
from infra.command import run
from infra.ops.deployment import database_url_of, stage_parser


def main() -> int:
    """Run ``python -m infra.ops.migrate --stage prod`` and return the exit code."""
    migrate.main(database_url_of(stage_parser(__doc__).parse_args().stage))
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
