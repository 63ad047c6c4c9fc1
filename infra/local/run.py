"""Runs the whole stack: starts it, watches it, and stops all of it again, however it ends."""

import contextlib
import shutil
from collections.abc import Mapping

from infra.command import described
from infra.errors import InfraError
from infra.local import emulator
from infra.local.config import LocalConfig, config_from, state_dir_from
from infra.local.errors import LocalStackError, StopRequested
from infra.local.interruption import Interruption
from infra.local.lock import locked
from infra.local.logs import LogFollower
from infra.local.parts import Parts
from infra.local.preflight import check_start


def run(environment: Mapping[str, str], ready_descriptor: int | None = None) -> None:
    """Run a stack until a signal ends it.

    Once every part answers, the launcher writes the endpoints to ``endpoints.json`` and, if given, to
    ``ready_descriptor``.

    :raises InfraError: if a variable is invalid, or a part cannot start, dies or does not stop cleanly.
    """
    interruption = Interruption()
    interruption.listen()
    # Lock first: a refused start must leave the running stack's files untouched.
    with locked(state_dir_from(environment)) as lock:
        problems = _run(environment, ready_descriptor, interruption)
        lock.note_end("\n".join(problems))
    if problems:
        raise LocalStackError("\n".join(problems))
    print("Stopped.", flush=True)


def _run(environment: Mapping[str, str], ready_descriptor: int | None, interruption: Interruption) -> list[str]:
    """Return what went wrong: nothing, if a signal ended the stack and every part stopped."""
    problems: list[str] = []
    parts = Parts(interruption)
    with contextlib.ExitStack() as cleanup:
        try:
            with interruption.allowed():
                _serve(environment, ready_descriptor, parts, cleanup)
        except StopRequested:
            pass
        except InfraError as error:
            problems.append(str(error))
        except OSError as error:
            problems.append(described(error))
    return problems + parts.problems


def _serve(
    environment: Mapping[str, str], ready_descriptor: int | None, parts: Parts, cleanup: contextlib.ExitStack
) -> None:
    config = config_from(environment)
    check_start(config)
    # The modules that start the parts load slowly: a mistake in the environment shows sooner without them.
    from infra.local.endpoints import publish
    from infra.local.start import start

    _fresh_files(config, cleanup)
    # The parts stop before their files are deleted.
    cleanup.callback(parts.stop)
    endpoints = start(config, parts)
    publish(config, endpoints, _first_key(config, endpoints), ready_descriptor)
    follower = LogFollower(config.logs)
    follower.start()
    cleanup.callback(follower.stop)
    parts.watch()


def _first_key(config: LocalConfig, endpoints: Mapping[str, str]) -> str | None:
    if not config.requires_credentials:
        return None
    from infra.aws.stack import refusals_reported
    from infra.local.first_key import first_key
    from infra.ops.deployment import local_deployment

    with refusals_reported():
        return first_key(config.first_key_file, local_deployment(endpoints))


def _fresh_files(config: LocalConfig, cleanup: contextlib.ExitStack) -> None:
    config.endpoints_file.unlink(missing_ok=True)
    for file in (config.endpoints_file, config.environment_file):
        cleanup.callback(file.unlink, missing_ok=True)
    shutil.rmtree(config.logs, ignore_errors=True)
    config.logs.mkdir(parents=True)
    cleanup.callback(shutil.rmtree, emulator.temporary_directory(config), ignore_errors=True)
