"""The settings that a deployment may set: every tunable of ``chalicelib.settings.Settings``, and the log level.

Each becomes a parameter of the template and an environment variable of every function. ``make run`` and ``make
deploy`` take their values from the caller's environment. An empty variable leaves the default of ``Settings``.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields

from chalicelib.settings import Settings, read_settings
from chalicelib.simulation.factory import check_simulation
from infra.errors import InfraError

#: Optional settings that the platform sets: the local template, and Lambda itself.
SET_BY_PLATFORM = frozenset({"aws_endpoint_url", "aws_region"})
LOG_LEVEL = "LOG_LEVEL"
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
#: Values of the local stack that differ from the defaults.
LOCAL_VALUES = {"SIMULATION": "on"}


class InvalidSettingError(InfraError):
    """A setting in the environment has no valid value. The message names its variable."""


@dataclass(frozen=True)
class Setting:
    """A setting by its environment variable."""

    env: str

    @property
    def parameter(self) -> str:
        """The name of the CloudFormation parameter: ``VENUE_SEED`` is ``VenueSeed``."""
        return "".join(word.capitalize() for word in self.env.split("_"))


def _tunables() -> tuple[Setting, ...]:
    """Return every setting that has a default, but for those that the platform sets, and the log level."""
    names = [field.name for field in fields(Settings) if field.default is not MISSING]
    return (*(Setting(name.upper()) for name in names if name not in SET_BY_PLATFORM), Setting(LOG_LEVEL))


SETTINGS = _tunables()


def parameters_from(environment: Mapping[str, str], *, local: bool = False) -> dict[str, str]:
    """Return the template's parameters for ``environment``.

    A deployment keeps the value of a setting that ``environment`` does not have. A local stack takes the default
    instead, so that it depends on its last ``make run`` only.

    :raises InvalidSettingError: if the engine could not start with these values.
    """
    check_settings(environment)
    if local:
        return {row.parameter: environment.get(row.env) or LOCAL_VALUES.get(row.env, "") for row in SETTINGS}
    return {row.parameter: environment[row.env] for row in SETTINGS if environment.get(row.env)}


def check_settings(environment: Mapping[str, str]) -> None:
    """Check the tunables as the engine does at its start, so that a mistake shows before the deployment.

    :raises InvalidSettingError: if a value is invalid.
    """
    required = {field.name.upper(): "set by the template" for field in fields(Settings) if field.default is MISSING}
    given = {row.env: environment.get(row.env, "") for row in SETTINGS}
    try:
        settings = read_settings(required | given)
        check_simulation(settings)
    except ValueError as error:
        raise InvalidSettingError(f"{error}.") from None
    if given[LOG_LEVEL] not in ("", *LOG_LEVELS):
        raise InvalidSettingError(f"{LOG_LEVEL}={given[LOG_LEVEL]!r} must be one of {', '.join(LOG_LEVELS)}.")
