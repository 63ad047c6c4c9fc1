"""What a client sees of the engine is what it saw when the golden session was recorded.

The session is every call, frame, error and life of an order that clients know (``tests/e2e/golden``). Where a change
is meant, ``python -m tests.e2e.golden --record`` records it anew, and the diff of ``session.json`` shows it.
"""

import pytest

from tests.e2e.golden.compare import Difference, differences, report
from tests.e2e.golden.session import play
from tests.e2e.golden.storage import load
from tests.support.stack import RunningStack


@pytest.fixture(scope="module")
def found(stack: RunningStack) -> list[Difference]:
    addresses = (stack.endpoints[name] for name in ("http", "ws", "websocket"))
    return differences(load(), play(*addresses))


def test_what_programs_read_is_as_it_was(found: list[Difference]) -> None:
    structural = [difference for difference in found if not difference.text]
    assert not structural, report(structural)


def test_the_sentences_for_people_are_as_they_were(found: list[Difference]) -> None:
    texts = [difference for difference in found if difference.text]
    assert not texts, report(texts)
