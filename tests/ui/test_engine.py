"""The engine view: slots, what waits, the state of the parts, and how orders of late went."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.ui.accessibility import assert_accessible
from tests.ui.artefacts import keep_pictures
from tests.ui.guard import Guard
from tests.ui.kit import Kit
from tests.ui.played import play, play_problem

SLOT = {
    "orderId": "0b6f6b1e-3a2c-4a5e-9a39-0f0f6f1a7c11",
    "userId": "alice",
    "type": "market",
    "side": "sell",
    "tokenIn": "SOL",
    "tokenOut": "USDC",
    "amountIn": 1.5,
    "status": "building",
    "attempt": 2,
    "since": "2026-01-01T12:00:01.900Z",
    "leaseUntil": "2026-01-01T12:00:16.010Z",
}
QUIET: Mapping[str, Any] = {
    "at": "2026-01-01T12:00:02.120Z",
    "slots": {"limit": 10, "busy": [SLOT]},
    "waiting": {
        "normal": 27,
        "high": 4,
        "retrying": 1,
        "rateLimited": 12,
        "nextStartAt": "2026-01-01T12:00:09.000Z",
        "open": {"limit": 3, "sniper": 1},
    },
    "rateLimit": {"perMinute": 100, "startedLastMinute": 99},
    "deadLetters": {"deadLetters": 2, "unprocessable": 0},
    "queues": {"replay": 0, "fanOut": 0},
    "history": {"behind": 0, "since": None},
    "sockets": {"open": 1000, "limitReached": True},
    "doctor": None,
    "outages": {},
}


def _described(page: Page, name: str) -> Any:
    """What a list says of a name."""
    return page.locator(f'dt:text-is("{name}") + dd')


def _panel(page: Page, heading: str) -> Any:
    """The part of the page below a heading."""
    return page.locator("section", has=page.get_by_role("heading", name=heading, exact=True))


def test_each_slot_says_what_it_does_or_that_it_is_free(ui_page: Page) -> None:
    play(ui_page, "/api/engine", QUIET)
    ui_page.goto("/#/engine")
    slots = ui_page.locator(".slots > div")
    expect(slots).to_have_count(10)
    expect(slots.first).to_contain_text("sell 1.5 SOL")
    expect(slots.first).to_contain_text("building")
    expect(slots.first).to_contain_text("attempt 2, 220 ms")
    expect(slots.filter(has_text="free")).to_have_count(9)
    expect(slots.first.get_by_role("link")).to_have_attribute("href", f"#/orders/{SLOT['orderId']}")


def test_an_order_keeps_its_slot_while_others_end(ui_page: Page) -> None:
    other = {**SLOT, "orderId": "1b6f6b1e-3a2c-4a5e-9a39-0f0f6f1a7c11", "amountIn": 7}
    play(ui_page, "/api/engine", {**QUIET, "slots": {"limit": 10, "busy": [other]}})
    play(ui_page, "/api/engine", {**QUIET, "slots": {"limit": 10, "busy": [SLOT, other]}}, times=1)
    ui_page.goto("/#/engine")
    slots = ui_page.locator(".slots > div")
    expect(slots.nth(1)).to_contain_text("sell 7 SOL")
    expect(slots.nth(0)).to_contain_text("free")
    expect(slots.nth(1)).to_contain_text("sell 7 SOL")


def test_what_waits_is_told_by_lane_and_by_rate_limit(ui_page: Page) -> None:
    play(ui_page, "/api/engine", QUIET)
    ui_page.goto("/#/engine")
    expect(_described(ui_page, "high")).to_have_text("4")
    expect(_described(ui_page, "normal")).to_have_text("27")
    expect(_described(ui_page, "rate limited")).to_have_text("12")
    next_start = _described(ui_page, "next start at").locator("time")
    expect(next_start).to_have_attribute("datetime", "2026-01-01T12:00:09.000Z")
    expect(_described(ui_page, "per minute")).to_have_text("100")
    expect(_described(ui_page, "started last minute")).to_have_text("99")
    waiting = _panel(ui_page, "waiting")
    expect(waiting.locator('dt:text-is("open") + dd')).to_contain_text(re.compile(r"limit 3\s*sniper 1"))
    sockets = _panel(ui_page, "sockets")
    expect(sockets.locator('dt:text-is("open") + dd')).to_have_text("1000")
    expect(_described(ui_page, "limit reached")).to_have_text("true")
    expect(_described(ui_page, "dead letters")).to_have_text("2")
    expect(_described(ui_page, "behind")).to_have_text("0")


def test_the_verdict_of_the_doctor_is_told_with_its_findings(ui_page: Page) -> None:
    doctor = {
        "at": "2026-01-01T11:00:00.000Z",
        "status": "violations",
        "orders": 9,
        "violations": 1,
        "findings": ["I6 x"],
    }
    play(ui_page, "/api/engine", {**QUIET, "doctor": doctor})
    ui_page.goto("/#/engine")
    expect(_described(ui_page, "status")).to_have_text("violations")
    expect(_described(ui_page, "findings")).to_have_text("I6 x")


def test_a_doctor_that_has_not_run_is_told_how_to(ui_page: Page) -> None:
    play(ui_page, "/api/engine", QUIET)
    ui_page.goto("/#/engine")
    expect(_panel(ui_page, "doctor")).to_contain_text("It has not run yet: make doctor")


def test_a_part_that_is_away_is_named_and_the_rest_stays(ui_page: Page) -> None:
    away = {"slots": "UNAVAILABLE", "waiting.normal": "TOO_SLOW", "doctor": "UNAVAILABLE"}
    waiting = {**QUIET["waiting"], "normal": None}
    play(ui_page, "/api/engine", {**QUIET, "slots": None, "waiting": waiting, "outages": away})
    ui_page.goto("/#/engine")
    expect(ui_page.locator(".slots")).to_have_text("not available UNAVAILABLE")
    expect(_described(ui_page, "normal")).to_have_text("not available TOO_SLOW")
    expect(_described(ui_page, "high")).to_have_text("4")
    expect(_panel(ui_page, "doctor")).to_contain_text("not available UNAVAILABLE")
    assert_accessible(ui_page)
    keep_pictures(ui_page, "engine with outages")


def test_a_key_without_the_scope_sees_its_statistics(ui_page: Page, guard: Guard) -> None:
    guard.allow_status(403)
    play_problem(ui_page, "/api/engine", 403, "FORBIDDEN", "The credential lacks the scope operate.")
    ui_page.goto("/#/engine")
    expect(ui_page.get_by_role("alert")).to_contain_text("operate")
    expect(_panel(ui_page, "slippage pct").get_by_role("row", name=re.compile("^average"))).to_be_visible()


@pytest.mark.parametrize("status", [503, 502])
def test_an_engine_that_is_away_is_told_and_comes_back(ui_page: Page, guard: Guard, status: int) -> None:
    guard.allow_status(status)
    play(ui_page, "/api/engine", QUIET)
    ui_page.goto("/#/engine")
    slots = ui_page.locator(".slots > div")
    expect(slots).to_have_count(10)
    play_problem(ui_page, "/api/engine", status, "UNAVAILABLE", "The engine cannot answer now.", times=1)
    expect(ui_page.get_by_role("alert")).to_contain_text("The engine cannot answer now.")
    expect(slots).to_have_count(10)
    expect(ui_page.get_by_role("alert")).to_have_count(0)


def test_outcomes_link_to_the_orders_that_they_count(ui_page: Page, kit: Kit) -> None:
    kit.place()
    kit.place(simulate="no_liquidity")
    kit.engine.settle()
    play(ui_page, "/api/engine", QUIET)
    ui_page.goto("/#/engine")
    failed = ui_page.get_by_role("row", name=re.compile("^failed 1 1"))
    expect(failed.get_by_role("link").first).to_have_attribute("href", re.compile(r"status=failed&from=\d{4}-"))
    expect(ui_page.get_by_role("row", name=re.compile("^NO_LIQUIDITY 1 1"))).to_be_visible()
    latency = _panel(ui_page, "latency ms").get_by_role("row", name=re.compile("^to end"))
    expect(latency).to_contain_text(re.compile(r"p50 \d+\s*p95 \d+\s*p99 \d+"))


def test_ten_busy_slots_are_accessible_at_every_width(ui_page: Page) -> None:
    busy = [
        {
            **SLOT,
            "orderId": f"{number:08d}-3a2c-4a5e-9a39-0f0f6f1a7c11",
            "userId": "a-very-long-user@example.org",
            "attempt": 1,
        }
        for number in range(10)
    ]
    play(ui_page, "/api/engine", {**QUIET, "slots": {"limit": 10, "busy": busy}})
    ui_page.goto("/#/engine")
    expect(ui_page.locator(".slots a")).to_have_count(10)
    assert_accessible(ui_page)
    keep_pictures(ui_page, "engine with ten busy slots")
