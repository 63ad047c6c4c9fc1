"""The one table of application settings that a deployment may set.

Each row becomes a parameter of the template, an environment variable of every function, and is taken from
the caller's environment by ``make run`` and ``make deploy``. What each means and what it is when it is not set
stands in ``chalicelib/settings.py``, for which an empty variable is one that is not set.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """A setting by its environment variable, and what the local stack makes of it when nothing is given."""

    env: str
    local: str = ""

    @property
    def parameter(self) -> str:
        """The CloudFormation spelling: ``VENUE_SEED`` is ``VenueSeed``."""
        return "".join(word.capitalize() for word in self.env.split("_"))


SETTINGS = (
    Setting("VENUE_TIME_SCALE"),
    Setting("VENUE_PROFILE"),
    Setting("VENUE_SEED"),
    Setting("VENUE_FAULT"),
    Setting("SIMULATION", local="on"),
    Setting("MARKET_TICK_SECONDS"),
    Setting("SIMULATED_LAUNCH_SECONDS"),
    Setting("RETRIGGER_PAUSE_SECONDS"),
    Setting("RATE_LIMIT_PER_MINUTE"),
    Setting("MAX_ACTIVE_ORDERS_PER_USER"),
    Setting("MAX_OPEN_ORDERS_PER_USER"),
    Setting("MAX_ATTEMPTS"),
    Setting("BACKOFF_BASE_SECONDS"),
    Setting("BACKOFF_CAP_SECONDS"),
    Setting("LEASE_SECONDS"),
    Setting("QUOTE_TIMEOUT_SECONDS"),
    Setting("DEADLINE_GRACE_SECONDS"),
    Setting("PENDING_DEADLINE_SECONDS"),
    Setting("LOG_LEVEL"),
)


def parameters_from(environment: Mapping[str, str], *, local: bool = False) -> dict[str, str]:
    """The template parameters for ``environment``.

    A deployment keeps what it had where ``environment`` says nothing. A local stack does not: it is what its
    last ``make run`` asked for, and nothing that an earlier one did.
    """
    if local:
        return {setting.parameter: environment.get(setting.env) or setting.local for setting in SETTINGS}
    return {setting.parameter: environment[setting.env] for setting in SETTINGS if environment.get(setting.env)}
