"""The result of one check of ``oe doctor``."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from orderengine import errors


class State(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, what was seen, and what to do unless it is ``ok``."""

    name: str
    state: State
    detail: str
    advice: str = ""

    def as_dict(self) -> Mapping[str, str]:
        advice = {"advice": self.advice} if self.advice else {}
        return {"check": self.name, "state": str(self.state), "detail": self.detail, **advice}


def failure(name: str, error: errors.OrderEngineError, advice: str) -> Check:
    return Check(name, State.FAIL, str(error), advice)
