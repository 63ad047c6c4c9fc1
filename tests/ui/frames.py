"""Counts the frames that a page draws, and how often it changes its document meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page

#: Two frames of a screen that shows 60 in a second: a person sees that one is missing.
LONG_FRAME_MS = 34

_BEGIN = """() => {
    const count = window.frameCount = {times: [], renders: 0, goesOn: true};
    let last = performance.now();
    const frame = now => {
        count.times.push(now - last);
        last = now;
        if (count.goesOn) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    count.observer = new MutationObserver(() => count.renders++);
    count.observer.observe(document.body, {subtree: true, childList: true, characterData: true, attributes: true});
}"""
_END = """() => new Promise(resolve => requestAnimationFrame(() => {
    const {times, renders, observer} = window.frameCount;
    window.frameCount.goesOn = false;
    observer.disconnect();
    resolve([times, renders]);
}))"""


@dataclass
class Frames:
    """``times`` are the milliseconds between two frames, ``renders`` the batches of changes of the document."""

    times: list[float] = field(default_factory=list)
    renders: int = 0

    @property
    def figures(self) -> dict[str, Any]:
        """The numbers to keep."""
        times = sorted(self.times)
        return {
            "frames": len(times),
            "renders": self.renders,
            "longFrames": sum(time > LONG_FRAME_MS for time in times),
            "medianMs": round(times[len(times) // 2], 1) if times else None,
            "longestMs": round(times[-1], 1) if times else None,
        }


@contextmanager
def counted_frames(page: Page) -> Iterator[Frames]:
    """Count the frames and renders of a page during a block; the result is complete after it."""
    page.evaluate(_BEGIN)
    counted = Frames()
    yield counted
    counted.times, counted.renders = page.evaluate(_END)
