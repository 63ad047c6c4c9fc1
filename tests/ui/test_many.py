"""Very many orders: the page stays smooth, shows what they are, and lacks none."""

from playwright.sync_api import Page

from chalicelib.codec.exact_json import dumps
from tests.ui.artefacts import keep_figures
from tests.ui.frames import counted_frames
from tests.ui.lives import market_lives
from tests.ui.module import await_status, page_module
from tests.ui.played import PlayedSockets, play_list, update_frame
from tests.ui.shell import await_live

MOVING = 500


#: The fields in which the page knows these records otherwise.
_DIFFERENCES = """([{orders, parseExact}, text]) => parseExact(text).flatMap(record => {
    const known = orders.get(record.orderId) ?? {};
    return Object.keys(record).filter(name => JSON.stringify(record[name]) !== JSON.stringify(known[name]))
        .map(name => `${record.orderId} ${name}: ${JSON.stringify(known[name])}`);
})"""


def test_500_orders_that_move_at_once_are_drawn_once_a_frame_and_end_right(ui_page: Page) -> None:
    lives = [life.told for life in market_lives(MOVING)]
    records = [life["records"][0] for life in lives]
    play_list(ui_page, records)
    sockets = PlayedSockets(ui_page)
    ui_page.goto("/#/orders")
    await_live(ui_page)
    with counted_frames(ui_page) as frames:
        for seq in range(1, max(len(life["events"]) for life in lives)):
            for number, life in enumerate(lives):
                if seq < len(life["events"]):
                    records[number] = life["records"][seq]
                    sockets.send(update_frame(life, seq))
        await_status(ui_page, [life["orderId"] for life in lives], "confirmed")
    assert ui_page.evaluate(_DIFFERENCES, [page_module(ui_page), dumps(records)]) == []
    keep_figures("500 orders move", frames.figures)
    assert frames.renders <= len(frames.times) + 1, "the page draws once a frame at most"
