"""A webhook of an event, by Standard Webhooks (standardwebhooks.com)."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from orderengine.cli.exact_text import json_text, plain
from orderengine.cli.orders_text import frame
from orderengine.errors import InvalidArgument
from orderengine.models.orders import Update

_PREFIX = "whsec_"


@dataclass(frozen=True, slots=True)
class Message:
    """A webhook. A repeat has the same ``id`` and ``body``, so a receiver can tell it from a new one."""

    id: str
    body: bytes


def message_of(update: Update) -> Message:
    """The webhook of an event: its ``type`` is ``order.<status>``, its ``data`` the frame of the stream."""
    whole = {"type": f"order.{update.status}", "timestamp": plain(update.at), "data": frame(update)}
    return Message(f"{update.order_id}:{update.seq}", json_text(whole).encode())


def key_of(secret: str) -> bytes:
    """The signing key of a secret ``whsec_<base64>``.

    :raises InvalidArgument: if it is none.
    """
    prefix, text = secret.strip()[: len(_PREFIX)], secret.strip()[len(_PREFIX) :]
    try:
        key = b"" if prefix != _PREFIX else base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        advice = "make one with: echo whsec_$(openssl rand -base64 24)"
        raise InvalidArgument(f"the secret is not whsec_ and base64: {advice}")
    return key


def headers_of(message: Message, key: bytes | None, at_seconds: int) -> Mapping[str, str]:
    """The headers of one delivery; without a key it is not signed."""
    headers = {
        "content-type": "application/json",
        "webhook-id": message.id,
        "webhook-timestamp": str(at_seconds),
    }
    return headers if key is None else {**headers, "webhook-signature": signature(message, key, at_seconds)}


def signature(message: Message, key: bytes, at_seconds: int) -> str:
    """``v1,`` and the HMAC-SHA256 of id, time and body in base64."""
    signed = b".".join([message.id.encode(), str(at_seconds).encode(), message.body])
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
