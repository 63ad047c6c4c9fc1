"""The AsyncAPI document: the addresses of the status stream, and the messages in both directions."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib import VERSION
from chalicelib.api.requests.streams import HandshakeModel
from chalicelib.streaming.connections import SUBPROTOCOL
from infra.aws.front_door import Stream
from infra.contract.answers import Schema
from infra.contract.errors import UndescribedError
from infra.contract.forms import ORDER_ID
from infra.contract.openapi import answer_components
from infra.contract.requests import properties_of
from infra.contract.socket_messages import (
    ACTION_WORDS,
    FRAME_WORDS,
    RESUME_USER,
    action_schemas,
    frame_schemas,
    messages,
)

_DESCRIPTION = f"""Every event of an order is one frame. seq is 1, 2, 3 … for each order, without gaps: a client
that reconnects with the last seq as afterSeq has lost nothing. {RESUME_USER}
Any of the addresses opens a socket;
they differ in nothing else. An error frame on the open socket reports a wrong parameter.
With authentication, a handshake needs Authorization or a ticket (token). The
subprotocol is {SUBPROTOCOL}; a client need not name it. Operations are the engine's: it
receives what clients send. Frames may gain fields: ignore those that you do not know."""

#: What the addresses are for, by their channel.
_CHANNELS = {
    "orderStream": "The stream of one order.",
    "stream": "A stream that the query names, or none before a subscribe.",
    "connect": "The same as /ws.",
    "execute": "The same as /ws, beside the call that places orders.",
}


def asyncapi(streams: Sequence[Stream], actions: Sequence[str]) -> dict[str, Any]:
    """The document of these addresses and actions.

    :raises UndescribedError: for an address or an action without words.
    """
    components = answer_components()
    received, sent = action_schemas(components), frame_schemas(components)
    if set(actions) != received.keys():
        raise UndescribedError(f"infra/contract/socket_messages.py: describe {set(actions) ^ received.keys()}.")
    every = {**messages(received, ACTION_WORDS), **messages(sent, FRAME_WORDS)}
    channels = {name: _channel(name, address, every) for name, address in _addresses(streams).items()}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Order execution engine: the status stream",
            "version": VERSION,
            "description": _DESCRIPTION,
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {"secure": _server("wss"), "local": _server("ws")},
        "channels": channels,
        "operations": _operations(channels, list(received), list(sent)),
        "components": {
            "schemas": dict(sorted(components.schemas.items())),
            "messages": every,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "An API key or a JWT."},
                "ticket": {
                    "type": "httpApiKey",
                    "name": "token",
                    "in": "query",
                    "description": "A ticket of POST /api/stream-tickets, which opens one socket within a minute.",
                },
            },
        },
    }


def _server(protocol: str) -> dict[str, Any]:
    schemes = [{"$ref": "#/components/securitySchemes/bearer"}, {"$ref": "#/components/securitySchemes/ticket"}]
    return {
        "host": "{host}",
        "protocol": protocol,
        "description": "The address that serves this document.",
        "variables": {"host": {"default": "localhost:8000", "description": "Host and port of the engine."}},
        "security": schemes,
    }


def _addresses(streams: Sequence[Stream]) -> dict[str, str]:
    """The address of each channel. A channel is named by the last part of its path.

    :raises UndescribedError: for an address without words.
    """
    found = {}
    for stream in streams:
        address = re.sub(r"\(.*\)", f"{{{stream.parameter}}}", stream.path.strip("^$"))
        name = address.rpartition("/")[2].replace("{orderId}", "orderStream").replace("ws", "stream")
        if name not in _CHANNELS:
            raise UndescribedError(f"infra/contract/asyncapi.py: describe {address}.")
        found[name] = address
    return found


def _channel(name: str, address: str, every: Mapping[str, Any]) -> dict[str, Any]:
    query = {
        field: schema for field, schema in properties_of(HandshakeModel).items() if f"{{{field}}}" not in address
    }
    parameters = {"orderId": {"description": f"The id of the order. {ORDER_ID['format'].upper()}."}}
    return {
        "address": address,
        "description": _CHANNELS[name],
        **({"parameters": parameters} if "{orderId}" in address else {}),
        "messages": {message: {"$ref": f"#/components/messages/{message}"} for message in every},
        "bindings": {"ws": {"method": "GET", "query": _query(query)}},
    }


def _query(properties: Mapping[str, Schema]) -> Schema:
    return {"type": "object", "properties": dict(properties), "additionalProperties": False}


def _operations(channels: Mapping[str, Any], received: Sequence[str], sent: Sequence[str]) -> dict[str, Any]:
    """What the engine receives and sends on each channel; each action with its replies on ``/ws``."""
    found: dict[str, Any] = {}
    for action in received:
        found[action] = {
            "action": "receive",
            "summary": ACTION_WORDS[action].title,
            "description": ACTION_WORDS[action].text,
            **_on("stream", [action]),
            "reply": _on("stream", [*ACTION_WORDS[action].replies, "error"]),
        }
    for channel in channels:
        kind = channel[0].upper() + channel[1:]
        if channel != "stream":
            found[f"receiveOn{kind}"] = {"action": "receive", "summary": "Take an action.", **_on(channel, received)}
        found[f"sendOn{kind}"] = {"action": "send", "summary": "Send a frame.", **_on(channel, sent)}
    return found


def _on(channel: str, names: Sequence[str]) -> dict[str, Any]:
    return {
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in names],
    }
