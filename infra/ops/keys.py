"""``python -m infra.ops.keys create --user U --scopes read,trade [--expires 90d] | list | revoke ID [--stage prod]``

``create`` prints the key on stdout, once: the deployment keeps only a hash of it. A revoked key is refused half a
minute later at the latest.
"""

import re
import sys
import time

from chalicelib.api.errors import InvalidOrderError
from chalicelib.api.requests.fields import validated
from chalicelib.api.requests.queries import UserModel
from chalicelib.codec.times import from_ms, to_text
from chalicelib.domain.identity import Scope
from chalicelib.messaging.queues import SqsReplayQueue
from chalicelib.ports.api_keys import ApiKey
from chalicelib.services.streams.ended_credentials import queue_revocation
from infra.command import run
from infra.errors import InfraError
from infra.ops.api_key_table import create_key, key_table
from infra.ops.deployment import ACCESS_ERRORS, Deployment, find_deployment, stage_parser

_LIFETIME = re.compile(r"([1-9][0-9]{0,4})([hd])", re.ASCII)
_SECONDS = {"h": 3600, "d": 86_400}
_COLUMNS = ("id", "user", "scopes", "created", "expires", "revoked", "last use")


def create(deployment: Deployment, stage: str, user: str, scopes: str, expires: str | None) -> str:
    """Make a key, and return its text.

    :raises InfraError: with one line for each argument that is not valid.
    """
    problems = [_invalid_user(user), _invalid_scopes(scopes), _invalid_lifetime(expires)]
    if found := [problem for problem in problems if problem]:
        raise InfraError("\n".join(found))
    now = int(time.time())
    expires_at = now + _lifetime(expires) if expires else None
    return create_key(deployment, stage, user, frozenset(map(Scope, scopes.split(","))), now, expires_at)


def listing(deployment: Deployment) -> str:
    """Return a table of all keys, the oldest first."""
    keys = sorted(key_table(deployment).all(), key=lambda key: (key.created_at, key.id))
    rows = [_COLUMNS, *map(_row, keys)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def revoke(deployment: Deployment, key_id: str) -> str:
    """Revoke a key, and close the sockets that it opened.

    :raises InfraError: if there is no such key.
    """
    key = key_table(deployment).revoke(key_id, int(time.time()))
    replays = SqsReplayQueue(deployment.client("sqs"), deployment.output("ReplayQueueUrl"))
    queue_revocation(replays, key.user_id, key.id)
    return f"{key.id} of {key.user_id} is revoked since {_time(key.revoked_at)}."


def _row(key: ApiKey) -> tuple[str, ...]:
    scopes = ",".join(scope for scope in Scope if scope in key.scopes)
    times = (key.created_at, key.expires_at, key.revoked_at, key.last_used_at)
    return (key.id, key.user_id, scopes, *map(_time, times))


def _time(at: int | None) -> str:
    return "-" if at is None else to_text(from_ms(at * 1000))


def _invalid_user(user: str) -> str:
    try:
        validated(UserModel, {"userId": user})
    except InvalidOrderError as error:
        return f"--user {user!r} {error.errors[0].message}"
    return ""


def _invalid_scopes(scopes: str) -> str:
    named = scopes.split(",")
    is_valid = set(named) <= set(Scope) and len(set(named)) == len(named)
    return "" if is_valid else f"--scopes {scopes!r} must be some of {','.join(Scope)}, with commas between them"


def _invalid_lifetime(expires: str | None) -> str:
    is_valid = expires is None or _LIFETIME.fullmatch(expires)
    return "" if is_valid else f"--expires {expires!r} must be a number of hours or days, as in 12h or 90d"


def _lifetime(text: str) -> int:
    """The seconds of a valid lifetime."""
    return int(text[:-1]) * _SECONDS[text[-1]]


def main() -> int:
    """Run the command and return the exit code."""
    parser = stage_parser(__doc__)
    parser.add_argument("command", choices=("create", "list", "revoke"))
    parser.add_argument("id", nargs="?", help="of the key to revoke")
    parser.add_argument("--user", help="whose key it is")
    parser.add_argument("--scopes", help=f"some of {','.join(Scope)}")
    parser.add_argument("--expires", help="the lifetime, as in 12h or 90d; without it the key does not expire")
    asked = parser.parse_args()
    is_complete = (asked.id is not None) == (asked.command == "revoke")
    options = (asked.user is not None, asked.scopes is not None, asked.expires is not None)
    is_complete &= all(options[:2]) if asked.command == "create" else not any(options)
    if not is_complete:
        parser.error("create takes --user, --scopes and perhaps --expires; revoke takes an id, and list nothing")
    try:
        deployment = find_deployment(asked.stage)
        if asked.command == "create":
            key = create(deployment, asked.stage, asked.user, asked.scopes, asked.expires)
            print(f"A key of {asked.user} for {deployment.location}, which is shown only now:", file=sys.stderr)
            print(key)
        elif asked.command == "list":
            print(listing(deployment))
        else:
            print(revoke(deployment, asked.id), file=sys.stderr)
    except ACCESS_ERRORS as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
