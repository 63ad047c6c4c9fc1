"""The status stream: how to open one, the frames that the engine sends, the actions that a client sends."""

from collections.abc import Iterator
from pathlib import Path

from infra.contract.markup import Html, element, join
from infra.contract.page_documents import Document, Json, examples_of
from infra.contract.page_schemas import Schemas
from infra.contract.page_text import block, code, details, entry, json_block, prose, table
from infra.contract.socket_messages import RESUME_USER

#: Clients that resume, which tests run.
_SAMPLES = {
    "Python: an order": Path(__file__).with_name("stream_sample.py"),
    "Python: all orders of a user": Path(__file__).with_name("user_stream_sample.py"),
}
_RULES = f"""\
An order's events have `seq` 1, 2, 3 and so on, without gaps. To lose nothing, keep the last `seq` of each order:

- Connect again with `afterSeq` set to it. The stream begins with the next event, also after the order has ended.
- Drop a frame whose `seq` you have: a frame may come twice, and never not at all.
- {RESUME_USER}
- Wait longer after each failed attempt, by a random time, and begin anew after a frame.
- Send `ping` every few minutes: an idle socket is closed after ten minutes, and every one after two hours.
"""


def messages(document: Document, action: str) -> dict[str, Json]:
    """The messages by name that the engine sends (``send``) or takes (``receive``)."""
    operations = [found for found in document.root["operations"].values() if found["action"] == action]
    resolved = [document.resolve(message) for found in operations for message in found["messages"]]
    return {message["name"]: message for message in resolved}


def message_entry(schemas: Schemas, kind: str, name: str, message: Json) -> Html:
    """One frame or action; ``kind`` begins its anchor."""
    described = [prose(message["summary"]), schemas.described("Fields", message["payload"])]
    first, *others = examples_of(message)
    shown = [json_block(first.value), *(details(example.title, json_block(example.value)) for example in others)]
    return entry(f"{kind}-{name}", join([message["title"], " ", code(name)]), described, shown)


def opening(schemas: Schemas) -> Html:
    """The addresses of the sockets and their parameters, the rules of resuming, and a client."""
    channels = [schemas.document.resolve(channel) for channel in schemas.document.root["channels"].values()]
    addresses = [(code(channel["address"]), channel.get("description", "")) for channel in channels]
    query = dict(parameter for channel in channels for parameter in _query(channel))
    parameters = [(code(name), schemas.meaning(found)) for name, found in query.items()]
    described = [
        prose(schemas.document.root["x-stream-description"]),
        table("Addresses", ("Address", "Opens"), addresses),
        table("Query", ("Name", "Meaning"), parameters),
        element("h4", "Resuming"),
        prose(_RULES),
    ]
    shown = [part for title, file in _SAMPLES.items() for part in (element("h4", title), block(_code(file)))]
    return entry("stream-open", "Open a socket", described, shown)


def _code(sample: Path) -> str:
    """The text of a sample without its docstring."""
    return sample.read_text().partition('"""\n\n')[2].strip()


def _query(channel: Json) -> Iterator[tuple[str, Json]]:
    yield from channel.get("bindings", {}).get("ws", {}).get("query", {}).get("properties", {}).items()
