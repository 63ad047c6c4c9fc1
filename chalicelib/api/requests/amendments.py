"""An amendment of an open order, and the ``seq`` that the order must be at (``If-Match``)."""

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

#: An entity tag (RFC 9110, 8.8.3), or a number without quotes. A weak tag (``W/"2"``) counts as its strong form,
#: because proxies that compress answers weaken tags.
_TAG = r'(?:(?:W/)?"([^\x00-\x20"\x7f]*)"|(\d{1,8}))'
_TAGS = re.compile(_TAG, re.ASCII)
_TAG_LIST = re.compile(rf"[ \t,]*{_TAG}(?:[ \t]*,[ \t,]*{_TAG})*[ \t,]*", re.ASCII)
_SEQ = re.compile(r"[1-9]\d{0,7}", re.ASCII)


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


def read_if_match(header: str | None) -> frozenset[int] | None:
    """The ``seq`` values that an ``If-Match`` allows; ``None`` if the client accepts any ``seq``.

    A tag that is not a ``seq`` matches no order (RFC 9110, 13.1.1).

    :raises ProblemError: 400 if the header is neither ``*`` nor a list of tags.
    """
    if header is None or header.strip() == "*":
        return None
    if _TAG_LIST.fullmatch(header) is None:
        detail = 'If-Match must be *, or the seq of the order as a tag, as in "2", or a list of tags.'
        raise malformed(detail, ProblemCode.MALFORMED_IF_MATCH)
    tags = (quoted or bare for quoted, bare in _TAGS.findall(header))
    return frozenset(int(tag) for tag in tags if _SEQ.fullmatch(tag))
