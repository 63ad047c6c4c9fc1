"""The steps of a bar, and how they are drawn."""

import io

import pytest
from rich.console import Console

from orderengine.cli.progress import Mark, Progress
from orderengine.cli.step_bar import render
from orderengine.core.exact_json import loads
from orderengine.models.orders import Update
from tests.client.cli.fake_engine import LIFE, QUOTES, event

OPENED = (event(1, "pending", "queued", 0), event(2, "open", "queued", 0))
DROPPED = '{"lastError":{"code":"TX_DROPPED","reason":"it did not land"}}'


def progress_of(*events: str) -> Progress:
    progress = Progress()
    for one in events:
        progress.add(Update.read(loads(one)))
    return progress


def marks_of(progress: Progress) -> dict[str, Mark]:
    return {step.name: step.mark for step in progress.steps}


def drawn(progress: Progress, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    with console.capture() as capture:
        console.print(render("sell 1 SOL → USDC", progress, 0.5, console))
    return capture.get().splitlines()


def test_a_market_order_goes_through_five_steps() -> None:
    assert marks_of(progress_of(*LIFE[:4])) == {
        "pending": Mark.DONE,
        "routing": Mark.DONE,
        "building": Mark.NOW,
        "submitted": Mark.TO_COME,
        "confirmed": Mark.TO_COME,
    }
    assert set(marks_of(progress_of(*LIFE)).values()) == {Mark.DONE, Mark.FILLED}


def test_an_order_that_waits_shows_its_trigger_as_a_step() -> None:
    assert list(marks_of(progress_of(*OPENED))) == [
        *("open", "triggered", "routing", "building", "submitted", "confirmed"),
    ]


def test_a_retry_takes_the_bar_back_to_routing_and_says_why() -> None:
    progress = progress_of(*LIFE[:5], event(6, "routing", attempt=2, meta=DROPPED))
    assert marks_of(progress)["routing"] is Mark.NOW
    assert marks_of(progress)["submitted"] is Mark.TO_COME
    assert "attempt 2, after TX_DROPPED: it did not land" in drawn(progress, 80)


def test_an_order_whose_price_left_again_waits_again() -> None:
    triggered = (event(3, "triggered", "queued", 0), event(4, "routing", attempt=1), event(5, "open", "queued", 1))
    marks = marks_of(progress_of(*OPENED, *triggered))
    assert marks["open"] is Mark.NOW
    assert {marks["triggered"], marks["routing"]} == {Mark.TO_COME}


@pytest.mark.parametrize("status", ["failed", "cancelled", "expired"])
def test_an_end_without_a_fill_is_the_last_step(status: str) -> None:
    progress = progress_of(*LIFE[:2], event(3, status, status, meta='{"code":"NO_LIQUIDITY","reason":"none"}'))
    assert list(marks_of(progress).items())[-1] == (status, Mark.ENDED)
    assert marks_of(progress)["building"] is Mark.TO_COME


def test_a_status_to_come_is_a_step_too() -> None:
    assert marks_of(progress_of(LIFE[0], event(2, "bridging")))["bridging"] is Mark.NOW


def test_a_bar_fits_80_columns_with_times_below_the_steps() -> None:
    lines = drawn(progress_of(*OPENED, event(3, "triggered", "queued", 0), event(4, "routing")), 80)
    assert max(map(len, lines)) <= 80
    assert lines[1] == "✔ open     ✔ triggered   ⠼ routing   · building   · submitted   · confirmed"
    assert lines[2] == "  0.1 s      0.2 s         0.8 s"


def test_a_narrow_terminal_shows_the_present_step_alone() -> None:
    lines = drawn(progress_of(*LIFE[:3]), 40)
    assert max(map(len, lines)) <= 40
    assert lines[1] == "⠼ routing"


def test_the_quotes_and_the_choice_are_shown_once_known() -> None:
    lines = drawn(progress_of(*LIFE[:2], event(3, "routing", meta=f"{{{QUOTES}}}")), 80)
    assert lines[3] == "raydium 98.1390186667   meteora 101.56024800000000000001 ✔"


def test_a_reason_from_elsewhere_cannot_move_the_cursor() -> None:
    meta = '{"lastError":{"code":"X","reason":"\\u001b[2J"}}'
    assert "\x1b[2J" not in "".join(drawn(progress_of(*LIFE[:2], event(3, "routing", attempt=2, meta=meta)), 80))
