"""The engine answers clients as it did when the golden session was recorded.

The session covers every call, frame, error and order lifecycle of the public contract (``tests/e2e/golden``). After
an intended change, ``python -m tests.e2e.golden --record`` records it again; the diff of ``session.json`` shows it.
"""

import pytest

from tests.e2e.golden.compare import Difference, differences, report
from tests.e2e.golden.session import play
from tests.e2e.golden.storage import load
from tests.support.stack import RunningStack


@pytest.fixture(scope="module")
def found(stack: RunningStack) -> list[Difference]:
    http, ws, websocket = (stack.endpoints[name] for name in ("http", "ws", "websocket"))
    return differences(load(), play(http, ws, websocket, stack.key))


def test_fields_for_programs_equal_the_golden_session(found: list[Difference]) -> None:
    structural = [difference for difference in found if not difference.text]
    assert not structural, report(structural)


def test_sentences_for_people_equal_the_golden_session(found: list[Difference]) -> None:
    texts = [difference for difference in found if difference.text]
    assert not texts, report(texts)
