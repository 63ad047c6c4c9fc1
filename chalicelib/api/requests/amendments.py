"""An amendment of an open order, and the ``seq`` that the order must have (``If-Match``)."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import AliasChoices, Field

from chalicelib.api.codes import FieldCode, ProblemCode
from chalicelib.api.errors import FieldError, InvalidOrderError
from chalicelib.api.problems import malformed
from chalicelib.api.requests.conditions import Expiry, Price
from chalicelib.api.requests.fields import validated
from chalicelib.api.requests.slippage import SlippageModel
from chalicelib.domain.conditions import Amendment

#: A number without quotes is accepted, and so is a weak tag (``W/"2"``), which proxies that compress answers produce.
_TAG = re.compile(r'(?:W/)?"(\d{1,8})"|(\d{1,8})', re.ASCII)


class AmendModel(SlippageModel):
    """An absent field keeps its value."""

    limit_price: Price | None = Field(None, validation_alias=AliasChoices("limitPrice", "targetPrice"))
    expires_at: Expiry | None = Field(None, alias="expiresAt")


def read_amendment(body: Mapping[str, Any], now: datetime) -> Amendment:
    """:raises InvalidOrderError: naming every bad field, or if the body has no change."""
    model = validated(AmendModel, body, now=now)
    amendment = Amendment(model.limit_price, model.tolerance_bps, model.expires_at)
    if amendment == Amendment():
        reason = "give limitPrice, slippage, slippageBps or expiresAt"
        raise InvalidOrderError([FieldError("limitPrice", FieldCode.NOTHING_TO_AMEND, reason)])
    return amendment


def read_if_match(header: str | None) -> int | None:
    """The ``seq`` of an ``If-Match``; ``None`` if the client accepts any ``seq``.

    :raises ProblemError: 400 if the header holds no ``seq``.
    """
    if header is None or header.strip() == "*":
        return None
    found = _TAG.fullmatch(header.strip())
    if found is None:
        raise malformed('If-Match must be the seq of the order, as in "2".', ProblemCode.MALFORMED_IF_MATCH)
    return int(found[1] or found[2])
