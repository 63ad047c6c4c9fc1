"""Reads, once, the state of a stack of version 0.2.0 or earlier: a JSON file for each service, with its contents.

The emulator's process imports this file, which must therefore not import this package.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infra.local.state_file import StateFile


def adopt(directory: Path, file: "StateFile") -> None:
    """Move the state in ``directory`` into ``file``, unless ``file`` has state of its own.

    :raises ValueError: if a JSON file cannot be read.
    """
    if file.service("dynamodb") is not None or not (directory / "dynamodb.json").exists():
        return
    states = {path.stem: json.loads(path.read_text())["payload"] for path in directory.glob("*.json")}
    for table in _each(states["dynamodb"]["tables"]):
        file.write_items(
            {
                (table["TableId"], partition, sort): item
                for partition, items in table["items"].items()
                for sort, item in items.items()
            }
        )
        table["items"] = {}
    for queue in _each(states.get("sqs", {}).get("queues", {})):
        file.put_messages(queue["attributes"]["QueueArn"], queue["messages"])
        queue["messages"] = []
    # Last, so that an interrupted start begins anew.
    file.save_services({name: json.dumps(state) for name, state in states.items()})


def _each(scoped: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return the values of the emulator's dictionary by account and region."""
    yield from scoped.get("data", {}).values()
