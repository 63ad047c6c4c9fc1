"""Lists of orders, which page by themselves and can be continued elsewhere."""

from datetime import UTC, datetime

import pytest

from orderengine import errors
from orderengine.core.commands import Response
from tests.client.samples import record
from tests.client.scripted import Script, answer, lost
from tests.client.shells import Shell


def page(*ids: str, cursor: str | None = None) -> Response:
    return answer(200, {"orders": [record(orderId=one) for one in ids], "nextCursor": cursor})


def test_a_list_goes_on_through_all_pages(shell: Shell, script: Script) -> None:
    script.then(page("a", "b", cursor="1"), lost(), page(cursor="2"), page("c"))
    client = shell.client(script, user="bot-1")
    since = datetime(2026, 11, 1, tzinfo=UTC)
    found = shell(client.orders(status="confirmed", pair="SOL/USDC", since=since))
    assert [one.id for one in found] == ["a", "b", "c"]
    first = dict(script.requests[0].query)
    assert first == {
        "status": "confirmed",
        "pair": "SOL/USDC",
        "from": "2026-11-01T00:00:00.000Z",
        "userId": "bot-1",
        "limit": "200",
    }
    assert [dict(one.query).get("cursor") for one in script.requests] == [None, "1", "1", "2"]


def test_a_limit_asks_for_no_more_than_it_needs(shell: Shell, script: Script) -> None:
    script.then(page("a", "b", cursor="1"), page("c", "d", cursor="2"))
    assert len(shell(shell.client(script).orders(limit=3))) == 3
    assert [dict(one.query)["limit"] for one in script.requests] == ["3", "1"]


@pytest.mark.parametrize("arguments", [{"limit": 0}, {"limit": "5"}, {"stauts": "open"}, {"since": 1}])
def test_bad_arguments_of_a_list_are_refused_at_the_call(
    shell: Shell, script: Script, arguments: dict[str, object]
) -> None:
    client = shell.client(script)
    with pytest.raises(errors.InvalidArgument):
        client.orders(**arguments)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_that_is_not_positive_is_refused(shell: Shell, script: Script, limit: int) -> None:
    with pytest.raises(errors.InvalidArgument, match="limit"):
        shell(shell.client(script).orders(limit=limit))


def test_a_page_can_be_continued_elsewhere(shell: Shell, script: Script) -> None:
    first = shell(shell.client(script.then(page("a", cursor="next/1=="))).page(limit=1))
    shell(shell.client(script.then(page("b"))).page(cursor=first.next_cursor))
    assert script.requests[1].query == (("cursor", "next/1=="),)


@pytest.mark.parametrize("filters", [{"client_order_id": "\ud800"}, {"stauts": "open"}])
def test_a_filter_that_no_address_can_have_is_refused(shell: Shell, script: Script, filters: dict[str, str]) -> None:
    with pytest.raises(errors.InvalidArgument):
        shell(shell.client(script).orders(**filters))
    assert not script.requests
