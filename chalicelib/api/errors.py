"""Errors that reading a request raises."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic_core import PydanticCustomError

from chalicelib.api.codes import FieldCode
from chalicelib.domain.errors import RefusedError


@dataclass(frozen=True, slots=True)
class FieldError:
    """A bad field: its name on the wire, a stable code and a sentence for a person."""

    field: str
    code: FieldCode
    message: str


class InvalidOrderError(RefusedError):
    """The request breaks the contract; carries every bad field."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = tuple(errors)


def bad_field(code: FieldCode, message: str, **context: object) -> PydanticCustomError:
    """The error by which a validator refuses a value. ``context`` fills the placeholders of the message."""
    return PydanticCustomError(code.value.lower(), message, context or None)
