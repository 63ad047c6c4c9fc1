"""The ports of a local stack: given ones are checked, and each port that is 0 becomes a free one."""

import contextlib
import re
import socket
from collections.abc import Mapping

from infra.local.errors import LocalStackError

HOST = "127.0.0.1"
#: ``localhost`` means this address first where a machine has IPv6: a stranger's server there would answer for a part.
_HOST_V6 = "::1"
_PORT = re.compile("[0-9]{1,5}", re.ASCII)
_MAX_PORT = 65535
_MAX_OFFERS = 20


def invalid_port(name: str, given: str) -> str:
    """Return a line about a variable that is not a port, or an empty text."""
    if not given or (_PORT.fullmatch(given) and int(given) <= _MAX_PORT):
        return ""
    return f"{name}={given} is not a port: give a number from 0 (any free port) to {_MAX_PORT}."


class Ports:
    """Gives each part of a stack a port of its own. The system may offer one free port twice until a part listens."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._taken: dict[int, str] = {}

    def take(self, name: str, default: int, purpose: str) -> int:
        """Return the port that the environment gives by this name, or a free one if it gives 0.

        :raises LocalStackError: if the value is not a port, or the port is in use.
        """
        given = self._environment.get(name) or str(default)
        if problem := invalid_port(name, given):
            raise LocalStackError(problem)
        while (port := bound(name, int(given), purpose)) in self._taken:
            if int(given):
                raise LocalStackError(f"Port {port} is for {self._taken[port]}: choose another with {name}.")
        self._taken[port] = purpose
        return port


def bound(name: str, port: int, purpose: str) -> int:
    """Return the port if it is free on both addresses of this machine, or any such port for 0.

    :raises LocalStackError: if it is in use.
    """
    for _ in range(_MAX_OFFERS):
        try:
            return _bind(port)
        except OSError as error:
            reason = error.strerror
            if port:
                break
    raise LocalStackError(
        f"Port {port} for {purpose} cannot be used ({reason}): choose another, as in {name}={another(port)} make run."
    )


def another(port: int) -> int:
    """Return a port to suggest in place of ``port``."""
    return port + 1 if port < _MAX_PORT else 0


def has_ipv6() -> bool:
    """Return whether this machine has the address ``::1``."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind((_HOST_V6, 0))
    except OSError:
        return False
    return True


def _bind(port: int) -> int:
    with contextlib.ExitStack() as probes:
        for family, host in ((socket.AF_INET, HOST), (socket.AF_INET6, _HOST_V6)):
            if family == socket.AF_INET6 and not has_ipv6():
                continue
            probe = probes.enter_context(socket.socket(family))
            # Servers set this too; without it a port that was just closed seems in use for a minute.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            port = int(probe.getsockname()[1])
    return port
