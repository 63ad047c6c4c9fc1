"""The slippage tolerance, in percent or in basis points."""

from decimal import Decimal

from pydantic import Field, ValidationInfo, field_validator

from chalicelib.api.codes import FieldCode
from chalicelib.api.errors import bad_field
from chalicelib.api.requests.fields import Number, RequestModel, WholeNumber
from chalicelib.domain.money import to_base_units


class SlippageModel(RequestModel):
    slippage: Number | None = None
    slippage_bps: WholeNumber | None = Field(None, alias="slippageBps", ge=0, le=5000)

    @field_validator("slippage")
    @classmethod
    def _check_slippage(cls, value: Decimal | None) -> Decimal | None:
        if value is not None and not 0 <= value <= 50:
            raise bad_field(FieldCode.SLIPPAGE_OUT_OF_RANGE, "must be from 0 to 50 percent")
        try:
            _basis_points(value or Decimal(0))
        except ValueError:
            raise bad_field(FieldCode.SLIPPAGE_TOO_PRECISE, "must be in whole basis points (0.01 percent)") from None
        return value

    @field_validator("slippage_bps")
    @classmethod
    def _check_slippage_bps(cls, value: int | None, info: ValidationInfo) -> int | None:
        percent = info.data.get("slippage")
        if value is not None and percent is not None and _basis_points(percent) != value:
            raise bad_field(FieldCode.SLIPPAGE_CONTRADICTS, "contradicts slippage; give one of the two")
        return value

    @property
    def tolerance_bps(self) -> int | None:
        """The tolerance in basis points; ``None`` if the request has none."""
        if self.slippage_bps is not None or self.slippage is None:
            return self.slippage_bps
        return _basis_points(self.slippage)


def _basis_points(percent: Decimal) -> int:
    """:raises ValueError: if the percentage is not a whole number of basis points."""
    return to_base_units(percent, 2)
