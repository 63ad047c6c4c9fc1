"""The page folds events into records as the engine does: every field, after every event, digit by digit."""

from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import JSHandle, Page

from chalicelib.domain.events import EventData
from chalicelib.domain.orders import Order
from tests.ui.lives import Life, kit_lives
from tests.ui.module import page_module
from tests.unit.order_strategies import lives

#: Folds each life from its first record on, and names the first record that comes out different.
_FIRST_DIFFERENCES = """({fold, parseExact}, texts) => texts.flatMap(text => {
    const {name, orderId, userId, events, records} = parseExact(text);
    const sorted = record => JSON.stringify(Object.entries(record).sort());
    for (let last = 0; last + 1 < records.length; last++) {
        const frame = {type: "ORDER_UPDATE", orderId, userId, ...events[last + 1]};
        const [before, wanted] = [JSON.stringify(records[last]), sorted(records[last + 1])];
        for (const event of [events[last + 1], frame]) {
            const found = sorted(fold(records[last], event));
            if (found !== wanted) return [`${name}, event ${last + 2}:\\n${found}\\n${wanted}`];
        }
        if (JSON.stringify(records[last]) !== before) return [`${name}, event ${last + 2} changes the record before`];
    }
    return [];
})"""


@pytest.fixture
def module(ui_page: Page) -> JSHandle:
    ui_page.goto("/")
    return page_module(ui_page)


def first_differences(module: JSHandle, found: list[Life]) -> list[str]:
    differences: list[str] = module.evaluate(_FIRST_DIFFERENCES, [life.text for life in found])
    return differences


def test_the_page_folds_the_lives_of_the_engine_as_it_does(module: JSHandle) -> None:
    found = kit_lives()
    kinds = {type(event.data) for life in found for event in life.order.events}
    assert kinds == set(get_args(EventData)), "the lives have every kind of event"
    assert first_differences(module, found) == []


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(walks=st.lists(lives(), min_size=1, max_size=40))
def test_the_page_folds_any_life_that_the_status_table_allows(module: JSHandle, walks: list[Order]) -> None:
    assert first_differences(module, [Life(str(number), order) for number, order in enumerate(walks)]) == []
