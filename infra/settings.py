"""The one table of application settings that a deployment may set.

Each row becomes a parameter of the template, an environment variable of every function, and is taken from
the caller's environment by ``make run`` and ``make deploy``. What each means is told in
``chalicelib/settings.py``.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """A setting by its environment variable, with its default on AWS and in the local stack."""

    env: str
    default: str
    local: str | None = None

    @property
    def parameter(self) -> str:
        """The CloudFormation spelling: ``VENUE_SEED`` is ``VenueSeed``."""
        return "".join(word.capitalize() for word in self.env.split("_"))


SETTINGS = (
    Setting("VENUE_TIME_SCALE", "1"),
    Setting("VENUE_PROFILE", "realistic"),
    Setting("VENUE_SEED", "solana"),
    Setting("RATE_LIMIT_PER_MINUTE", "100"),
    Setting("SIMULATION", "off", local="on"),
    Setting("LOG_LEVEL", "INFO"),
)


def parameters_from(environment: Mapping[str, str], *, local: bool = False) -> dict[str, str]:
    """The template parameters for ``environment``: only what is set there, or differs locally."""
    chosen: dict[str, str] = {}
    for setting in SETTINGS:
        value = environment.get(setting.env) or (setting.local if local else None)
        if value is not None:
            chosen[setting.parameter] = value
    return chosen
