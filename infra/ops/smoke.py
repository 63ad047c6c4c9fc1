"""``python -m infra.ops.smoke [--stage prod]``: drives a deployment from outside, as its clients do.

Everything goes through the front door: orders, their socket, an amendment, refusals, the page. The user of its orders
is ``smoke``, their ``clientOrderId`` begins with ``smoke-``, and their amount is 0.001 SOL. A limit order far from
the market is cancelled, and would expire by itself after ten minutes. Where the deployment asks for credentials, the
command makes a key to read and trade for an hour, and revokes it at the end.

Exit code 0: every step succeeds. 1: a step fails, and the last line says which. 2: there is no such deployment, or it
gives no key.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chalicelib.auth.key_text import read_key
from infra.command import run
from infra.errors import InfraError
from infra.ops import keys
from infra.ops.deployment import ACCESS_ERRORS, Deployment, find_deployment, front_door, stage_parser
from infra.ops.outside import Outside, UnexpectedError
from infra.ops.smoke_steps import USER, Steps


class SmokeError(InfraError):
    """A step fails. The message names it, what it expects, and what came."""


def smoke(http: str, ws: str, key: str | None, say: Callable[[str], object] = lambda _: None) -> list[str]:
    """Take every step at the front door with these addresses, and return a line for each with its duration.

    ``key`` is an API key that may act for the user ``smoke``; ``None`` for a deployment without authentication.
    ``say`` gets each line at once.

    :raises SmokeError: at the first step that fails, after its orders are cancelled.
    """
    steps, lines = Steps(Outside(http, ws, key)), []
    try:
        for name, step in steps.all():
            began = time.monotonic()
            try:
                found = step()
            except UnexpectedError as error:
                raise SmokeError(f"The smoke test fails at the step {name!r}: {error}.") from None
            lines.append(f"{name:28} {time.monotonic() - began:6.2f} s   {found}")
            say(lines[-1])
    finally:
        steps.clean_up()
    return lines


@contextmanager
def short_lived_key(deployment: Deployment, stage: str) -> Iterator[str | None]:
    """Make a key for the smoke test and revoke it at the end; ``None`` for a deployment without authentication.

    :raises InfraError: if an older version deployed the stack.
    :raises BotoCoreError: if AWS cannot be reached.
    :raises ClientError: if AWS refuses a call.
    """
    if not deployment.requires_credentials:
        yield None
        return
    key = keys.create(deployment, stage, USER, "read,trade", "1h")
    try:
        yield key
    finally:
        keys.revoke(deployment, read_key(key, stage).id)


def main() -> int:
    """Run the command and return the exit code."""
    stage = stage_parser(__doc__).parse_args().stage
    try:
        deployment = find_deployment(stage)
        http, ws = front_door(deployment, stage)
        print(f"{deployment.location}, at {http}", flush=True)
        with short_lived_key(deployment, stage) as key:
            smoke(http, ws, key, lambda line: print(line, flush=True))
    except SmokeError as error:
        print(error, file=sys.stderr)
        return 1
    except ACCESS_ERRORS as error:
        print(f"The smoke test cannot run. {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    print("Every step succeeds.")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
