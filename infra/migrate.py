"""``make migrate``: brings the history database at ``DATABASE_URL`` to the newest schema."""

import os
import sys

from infra.deploy import migrate


def main() -> int:
    """Prints what was applied; returns the exit code."""
    database_url = os.environ.get("DATABASE_URL")
    if not database_url:
        print("Set DATABASE_URL to the connection string of the history database.", file=sys.stderr)
        return 1
    applied = migrate(database_url)
    print("\n".join(f"migrated {name}" for name in applied) or "The schema is up to date.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
