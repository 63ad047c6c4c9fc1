"""The settings that a deployment may set: every tunable of ``chalicelib.settings.Settings``.

Each becomes a parameter of the template and an environment variable of every function. ``make run`` and ``make
deploy`` take their values from the caller's environment. An empty variable leaves the default of ``Settings``.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields

from chalicelib.setting_rules import Switch
from chalicelib.settings import Settings, invalid_settings
from chalicelib.simulation.factory import invalid_simulation
from infra.errors import InfraError

#: Optional settings that the platform sets: the templates, for some functions only, and Lambda itself.
SET_BY_PLATFORM = frozenset({"aws_endpoint_url", "aws_region", "database_secret", "api_concurrency"})
#: Takes back what an earlier deployment set: the setting has its default again.
NONE = "none"
#: Values of the local stack that differ from the defaults. A few threads push as many frames as the emulator takes,
#: which answers the orders' calls too.
LOCAL_VALUES = {"AUTH": "off", "SIMULATION": "on", "PUSH_THREADS": "3"}


class InvalidSettingError(InfraError):
    """Variables in the environment have no valid value. The message has one line for each."""


@dataclass(frozen=True)
class Setting:
    """A setting by its environment variable."""

    env: str

    @property
    def parameter(self) -> str:
        """The name of the CloudFormation parameter: ``VENUE_SEED`` is ``VenueSeed``."""
        return "".join(word.capitalize() for word in self.env.split("_"))


def _tunables() -> tuple[Setting, ...]:
    """Return every setting that has a default, but for those that the platform sets."""
    names = [field.name for field in fields(Settings) if field.default is not MISSING]
    return tuple(Setting(name.upper()) for name in names if name not in SET_BY_PLATFORM)


SETTINGS = _tunables()


def parameters_from(environment: Mapping[str, str], *, local: bool = False) -> dict[str, str]:
    """Return the template's parameters for ``environment``.

    A deployment keeps the value of a setting that ``environment`` does not have, and takes back one that is ``none``.
    A local stack takes the default
    instead, so that it depends on its last ``make run`` only.

    :raises InvalidSettingError: if the engine could not start with these values.
    """
    if problems := invalid_tunables(environment):
        raise InvalidSettingError("\n".join(problems))
    if local:
        values = {row: environment.get(row.env) or LOCAL_VALUES.get(row.env, "") for row in SETTINGS}
        return {row.parameter: "" if value == NONE else value for row, value in values.items()}
    given = {row.parameter: environment[row.env] for row in SETTINGS if environment.get(row.env)}
    return {parameter: "" if value == NONE else value for parameter, value in given.items()}


def invalid_tunables(environment: Mapping[str, str]) -> list[str]:
    """Check the tunables as the engine does at its start; return one line for each that is invalid."""
    named = {row.env: environment.get(row.env, "") for row in SETTINGS}
    given = {name: "" if value == NONE else value for name, value in named.items()}
    return [*invalid_settings(given), *invalid_simulation(given["VENUE_PROFILE"], given["VENUE_FAULT"])]


def is_pooled(parameters: Mapping[str, str | None]) -> bool:
    """Return whether a stack with these parameters uses its database through a pooler."""
    return bool(Switch().read(parameters.get("PostgresPooled") or "off"))
