"""The exceptions of the client against the contract: every code and status has a class, and no other has one."""

from collections.abc import Iterator, Mapping
from typing import Any

from orderengine import errors
from orderengine.core import problems
from orderengine.core.problems import KIND_OF_CODE, KIND_OF_STATUS, kind_of
from tests.client.core.documents import SCHEMAS, operations


def codes_of(answer: Mapping[str, Any]) -> list[str]:
    schema = answer.get("content", {}).get("application/problem+json", {}).get("schema", {})
    return list(schema.get("properties", {}).get("code", {}).get("enum", []))


def test_every_code_has_one_class_and_no_class_has_another_code() -> None:
    assert sorted(KIND_OF_CODE) == sorted(SCHEMAS["ProblemCode"]["enum"])


def test_no_code_is_listed_twice() -> None:
    listed = [code for codes in problems._CODES.values() for code in codes]
    assert len(listed) == len(set(listed))


def test_the_class_of_a_code_is_one_of_its_status() -> None:
    seen = 0
    for _, _, operation in operations():
        for status, answer in operation["responses"].items():
            for code in codes_of(answer):
                assert issubclass(kind_of(int(status), code), KIND_OF_STATUS[int(status)]), (status, code)
                seen += 1
    assert seen > 100


def test_every_status_of_a_failure_has_a_class() -> None:
    statuses = {int(status) for _, _, operation in operations() for status in operation["responses"]}
    assert {status for status in statuses if status >= 400} <= set(KIND_OF_STATUS)


def test_every_failure_class_is_raised_for_some_answer() -> None:
    found = set(KIND_OF_CODE.values()) | set(KIND_OF_STATUS.values())

    def below(kind: type[errors.ProblemError]) -> Iterator[type[errors.ProblemError]]:
        for one in kind.__subclasses__():
            yield one
            yield from below(one)

    assert set(below(errors.ProblemError)) == found
