"""``llms.txt``: the rules that a program must know, for those who write one with a language model (llmstxt.org)."""

from textwrap import fill

from infra.contract.page_documents import Call, Document
from infra.contract.page_stream import messages
from infra.contract.socket_messages import RESUME_USER

_RESUME_USER = fill(f"- {RESUME_USER} Drop a frame whose `orderId` and `seq` you have.", 118, subsequent_indent="  ")
_RULES = f"""\
- Base address: the one that serves this file; `ws://` or `wss://` at the same host opens sockets.
- Send `Authorization: Bearer <API key or JWT>`; scopes are `read`, `trade`, `operate`. Without authentication every
  request may do everything.
- Write amounts and prices as decimal text ("1.5"), never as floats, and read them as exact decimals. A price is quote
  per base (USDC per SOL) for buys and sells.
- Place an order with an `Idempotency-Key`, and repeat the same request with the same key after a time-out: for 24
  hours the engine gives the first answer and places nothing again.
- 202 means kept, not done. The order ends as `confirmed`, `failed`, `cancelled` or `expired`, and then never changes.
- An order's events have `seq` 1, 2, 3 without gaps. Keep the last `seq`, resume with `afterSeq`, drop a frame whose
  `seq` you have. Without a socket use `GET /api/orders/{{orderId}}/events?afterSeq=N&wait=20`.
{_RESUME_USER}
- Amend with `If-Match: "<seq>"`; 412 `ORDER_MOVED_ON` means that the order has changed since: read it again.
- Decide by `code`, never by `detail`. `errors` names every bad field. Wait for `Retry-After` after 429 and 503.
- Unknown fields, repeated names and repeated parameters are errors; a field that is null counts as absent. Answers
  may gain fields.
- Preview first (`POST /api/orders/preview`): the same body as an order, and nothing is placed."""


def llms(document: Document) -> str:
    """The whole file."""
    info = document.root["info"]
    return (
        "\n\n".join(
            [
                f"# {info['title']}",
                f"> {info['description'].partition(chr(10))[0]}",
                _RULES,
                _links(
                    "Contract",
                    {
                        "/docs": "every call, frame, action and error code on one page, with samples",
                        "/openapi.json": "the HTTP calls, OpenAPI 3.1",
                        "/asyncapi.json": "the status stream, AsyncAPI 3",
                    },
                ),
                _links("Calls", {f"/docs#call-{call.id}": _call(call) for call in document.calls()}),
                _links(
                    "Socket actions",
                    {
                        f"/docs#action-{name}": found["summary"]
                        for name, found in messages(document, "receive").items()
                    },
                ),
                _links(
                    "Socket frames",
                    {f"/docs#frame-{name}": found["summary"] for name, found in messages(document, "send").items()},
                ),
            ]
        )
        + "\n"
    )


def _links(title: str, links: dict[str, str]) -> str:
    items = (f"- [{target.rpartition('-')[2]}]({target}): {text}" for target, text in links.items())
    return f"## {title}\n\n" + "\n".join(items)


def _call(call: Call) -> str:
    return f"{call.name}. {call.operation['summary']}"
