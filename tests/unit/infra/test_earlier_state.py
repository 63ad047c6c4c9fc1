"""The state that an earlier version's clean stop saved is read once."""

import json
from pathlib import Path

from infra.local.earlier_state import adopt
from infra.local.state_file import StateFile

_ARN = "arn:aws:sqs:us-east-1:000000000000:orders"
_MESSAGE = {"id": "1", "body": "a", "receive_count": 1}
_STATES = {
    "dynamodb": {
        "tables": {
            "__account_region_scoped__": True,
            "data": {"key": {"TableId": "t", "items": {"a": {"__no_sort__": {"id": {"S": "a"}}}}}},
        }
    },
    "sqs": {
        "queues": {
            "__account_region_scoped__": True,
            "data": {"key": {"attributes": {"QueueArn": _ARN}, "messages": [_MESSAGE]}},
        }
    },
    "lambda": {"functions": {}},
}


def _adopted(directory: Path) -> StateFile:
    for name, state in _STATES.items():
        (directory / f"{name}.json").write_text(json.dumps({"__ministack_format__": 2, "payload": state}))
    file = StateFile(directory / "state.sqlite3")
    adopt(directory, file)
    return file


def test_items_messages_and_definitions_are_adopted(tmp_path: Path) -> None:
    file = _adopted(tmp_path)
    assert list(file.items("t")) == [("a", "__no_sort__", {"id": {"S": "a"}})]
    assert file.messages(_ARN) == [_MESSAGE]
    assert '"items": {}' in (file.service("dynamodb") or "")
    assert '"messages": []' in (file.service("sqs") or "")
    assert file.service("lambda") == '{"functions": {}}'


def test_what_was_written_since_is_not_replaced(tmp_path: Path) -> None:
    file = _adopted(tmp_path)
    file.write_items({("t", "a", "__no_sort__"): None})
    adopt(tmp_path, file)
    assert not list(file.items("t"))


def test_a_new_stack_has_nothing_to_adopt(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "state.sqlite3")
    adopt(tmp_path, file)
    assert file.service("dynamodb") is None
