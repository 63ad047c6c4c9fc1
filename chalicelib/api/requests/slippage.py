"""The tolerance, in percent or in basis points."""

from decimal import Decimal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from chalicelib.api.requests.fields import Number, WireModel
from chalicelib.domain.money import to_base_units


class SlippageModel(WireModel):
    slippage: Number | None = None
    slippage_bps: int | None = Field(None, alias="slippageBps", ge=0, le=5000)

    @field_validator("slippage")
    @classmethod
    def _slippage_is_sane(cls, value: Decimal | None) -> Decimal | None:
        if value is not None and not 0 <= value <= 50:
            raise PydanticCustomError("slippage_out_of_range", "must be from 0 to 50 percent")
        try:
            _basis_points(value or Decimal(0))
        except ValueError:
            raise PydanticCustomError(
                "slippage_too_precise", "must be in whole basis points (0.01 percent)"
            ) from None
        return value

    @field_validator("slippage_bps")
    @classmethod
    def _slippages_agree(cls, value: int | None, info: ValidationInfo) -> int | None:
        percent = info.data.get("slippage")
        if value is not None and percent is not None and _basis_points(percent) != value:
            raise PydanticCustomError("slippage_contradicts", "contradicts slippage; give one of the two")
        return value

    @property
    def tolerance_bps(self) -> int | None:
        """In basis points, ``None`` where nothing was said."""
        if self.slippage_bps is not None or self.slippage is None:
            return self.slippage_bps
        return _basis_points(self.slippage)


def _basis_points(percent: Decimal) -> int:
    """:raises ValueError: if it is not a whole number of them."""
    return to_base_units(percent, 2)
