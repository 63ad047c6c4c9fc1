"""What a user is told when a wait or a change ends before the user knows its outcome."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from orderengine import errors
from orderengine.cli.command_text import command_text
from orderengine.cli.exits import Exit, Stop
from orderengine.cli.report import text_of
from orderengine.cli.settings import Settings


@contextmanager
def watching(settings: Settings, order_id: str, last_seq: Callable[[], int]) -> Iterator[None]:
    """Turn the end of a wait into the command that continues it.

    :raises Stop: if the user interrupts it, or its time is over.
    """
    try:
        yield
    except (KeyboardInterrupt, errors.DeadlineExceeded) as error:
        is_interrupt = isinstance(error, KeyboardInterrupt)
        options = {"--after": last_seq() or None, **settings.options_text()}
        raise Stop(
            Exit.INTERRUPTED if is_interrupt else Exit.LATER,
            "INTERRUPTED" if is_interrupt else "DEADLINE_EXCEEDED",
            f"{'Interrupted' if is_interrupt else 'The time is over'}; the order goes on. Watch it again:",
            command_text(["watch", order_id], options),
            orderId=order_id,
            lastSeq=last_seq(),
        ) from error


@contextmanager
def changing(settings: Settings, what: str, next_words: list[str], advice: str = "Look with:") -> Iterator[None]:
    """Turn a change without an answer into the command that tells what became of it.

    :raises Stop: if the user interrupts it, or the engine may have got it and gives no answer.
    """
    try:
        yield
    except (KeyboardInterrupt, errors.Unreachable) as error:
        is_interrupt = isinstance(error, KeyboardInterrupt)
        if not is_interrupt and not getattr(error, "sent", True):
            raise
        why = "Interrupted" if is_interrupt else text_of(error)
        raise Stop(
            Exit.INTERRUPTED if is_interrupt else Exit.UNKNOWN,
            "INTERRUPTED" if is_interrupt else "OUTCOME_UNKNOWN",
            f"{why}. {what} may have happened. {advice}",
            command_text(next_words, settings.options_text()),
        ) from error
