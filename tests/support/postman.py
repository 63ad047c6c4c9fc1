"""Runs a Postman collection: resolves its variables, sends its requests, and executes its test scripts.

The scripts have the statements that ``infra.contract.postman`` writes; another statement is an error.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import requests

from chalicelib.codec.exact_json import loads

Json = dict[str, Any]

#: Longer than the longest wait of the story.
_TIMEOUT_SECONDS = 60
_VARIABLE = re.compile(r"\{\{(.+?)\}\}")
_PATH = r"pm\.response\.json\(\)((?:\.\w+|\[\d+\])*)"
_STATUS = re.compile(r'pm\.test\("[^"]*", \(\) => pm\.response\.to\.have\.status\((\d+)\)\);')
_EQUAL = re.compile(rf'pm\.test\("(?:[^"\\]|\\.)*", \(\) => pm\.expect\({_PATH}\)\.to\.eql\((.*)\)\);')
_SET = re.compile(rf'pm\.collectionVariables\.set\("(\w+)", {_PATH}\);')
_SET_HEADER = re.compile(r'pm\.collectionVariables\.set\("(\w+)", pm\.response\.headers\.get\("([\w-]+)"\)\);')
VOCABULARY = (_STATUS, _EQUAL, _SET, _SET_HEADER)


@dataclass
class Answered:
    """A request of the collection, its answer, and the statements of its script that do not hold."""

    name: str
    answer: requests.Response
    failures: list[str] = field(default_factory=list)


def run(collection: Json, **variables: str) -> Iterator[Answered]:
    """Send the requests in their order. ``variables`` replace those of the collection."""
    values = {variable["key"]: variable["value"] for variable in collection["variable"]} | variables
    token = collection["auth"]["bearer"][0]["value"]
    for item in collection["item"]:
        answer = _send(item["request"], {"Authorization": f"Bearer {_filled(token, values)}"}, values)
        done = Answered(item["name"], answer)
        for statement in scripts(item):
            if failure := _failure(statement, answer, values):
                done.failures.append(failure)
        yield done


def scripts(item: Json) -> list[str]:
    """The statements of a request's test script."""
    return [statement for event in item["event"] for statement in event["script"]["exec"]]


def _send(request: Json, credential: dict[str, str], values: dict[str, str]) -> requests.Response:
    headers = {header["key"]: _filled(header["value"], values) for header in request["header"]}
    body = _filled(request["body"]["raw"], values).encode() if "body" in request else None
    address = _filled(request["url"]["raw"], values)
    return requests.request(
        request["method"], address, headers=credential | headers, data=body, timeout=_TIMEOUT_SECONDS
    )


def _filled(text: str, values: dict[str, str]) -> str:
    return _VARIABLE.sub(lambda found: str(uuid4()) if found[1] == "$guid" else values[found[1]], text)


def _failure(statement: str, answer: requests.Response, values: dict[str, str]) -> str | None:
    """What is wrong, if anything is; sets variables.

    :raises ValueError: if the statement is not one of the vocabulary.
    """
    if found := _STATUS.fullmatch(statement):
        expected = int(found[1])
        return None if answer.status_code == expected else f"{answer.status_code} and not {expected}: {answer.text}"
    if found := _SET_HEADER.fullmatch(statement):
        values[found[1]] = answer.headers.get(found[2], "")
        return None
    if found := _SET.fullmatch(statement):
        values[found[1]] = str(_at(answer, found[2]))
        return None
    if found := _EQUAL.fullmatch(statement):
        value = _at(answer, found[1])
        return None if value == loads(found[2]) else f"{found[1]} is {value} and not {found[2]}: {answer.text}"
    raise ValueError(f"not of the vocabulary: {statement}")


def _at(answer: requests.Response, path: str) -> Any:
    """The value at a path as in ``.events[0].status``; ``None`` where there is none."""
    value = loads(answer.text)
    for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", path):
        try:
            value = value[name] if name else value[int(index)]
        except (KeyError, IndexError, TypeError):
            return None
    return value
