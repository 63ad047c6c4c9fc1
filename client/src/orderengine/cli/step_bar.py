"""The live step bar of one order on a terminal."""

import time
from collections.abc import Generator, Iterable, Iterator
from typing import TYPE_CHECKING

from orderengine.cli.exact_text import plain
from orderengine.cli.output import Output
from orderengine.cli.progress import Mark, Progress, Step
from orderengine.models.orders import Update

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_MARKS = {Mark.DONE: "✔", Mark.TO_COME: "·", Mark.FILLED: "✔", Mark.ENDED: "✘"}
_STYLES = {
    Mark.DONE: "green",
    Mark.NOW: "bold cyan",
    Mark.TO_COME: "dim",
    Mark.FILLED: "bold green",
    Mark.ENDED: "bold red",
}
_FRAMES_PER_SECOND = 8
_GAP = "   "


def show_live(out: Output, title: str, updates: Iterable[Update]) -> Generator[Update, None, None]:
    """Draw the bar below a title while the updates come, and hand each one on."""
    from rich.live import Live

    console, progress = out.console(), Progress()
    seen = time.monotonic()

    def draw() -> "RenderableType":
        return render(title, progress, time.monotonic() - seen, console)

    with Live(get_renderable=draw, console=console, refresh_per_second=_FRAMES_PER_SECOND) as live:
        for update in updates:
            progress.add(update)
            seen = time.monotonic()
            live.refresh()
            yield update


def render(title: str, progress: Progress, since_last: float, console: "Console") -> "RenderableType":
    """The lines of the bar. A terminal that is too narrow for all steps gets the present one alone."""
    from rich.console import Group
    from rich.text import Text

    steps = progress.steps
    widths = [max(len(step.name) + 2, 8) for step in steps]
    if sum(widths) + len(_GAP) * (len(widths) - 1) > console.width:
        steps = [step for step in steps if step.mark not in (Mark.DONE, Mark.TO_COME)] or steps[:1]
        widths = [max(len(step.name) + 2, 8) for step in steps]
    spin = _SPINNER[int(since_last * _FRAMES_PER_SECOND) % len(_SPINNER)]
    marks, times = Text(), Text()
    for step, width in zip(steps, widths, strict=True):
        style = _STYLES[step.mark]
        marks.append(f"{_MARKS.get(step.mark, spin)} {step.name}".ljust(width) + _GAP, style)
        times.append(
            _time(step, progress, since_last).ljust(width) + _GAP, "dim" if step.mark is Mark.DONE else style
        )
    lines = [Text(title, "bold"), marks, times, *_notes(progress)]
    for line in lines:
        line.rstrip()
        line.truncate(console.width, overflow="ellipsis")
    return Group(*lines)


def _time(step: Step, progress: Progress, since_last: float) -> str:
    if step.mark is Mark.NOW and progress.last and progress.started:
        running = (progress.last.at - progress.started).total_seconds() + since_last
        return f"  {_seconds(running)}"
    return "" if step.seconds is None else f"  {_seconds(step.seconds)}"


def _seconds(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.0f} h"


def _notes(progress: Progress) -> Iterator["Text"]:
    from rich.text import Text

    attempt = progress.last.attempt if progress.last else 0
    failed = progress.last is not None and progress.last.is_terminal and progress.last.status == "failed"
    if progress.failure:
        yield Text(
            f"attempt {attempt}: {progress.failure}" if failed else f"attempt {attempt}, after {progress.failure}",
            "red" if failed else "yellow",
        )
    if progress.quotes:
        yield Text("   ".join(progress.quotes))
        yield Text(plain(progress.reason), "dim")
