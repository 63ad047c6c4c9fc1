"""``oe engine``, ``oe stats`` and ``oe doctor``."""

from collections.abc import Iterator, Mapping
from typing import Any

import click

from orderengine.cli import clock
from orderengine.cli.command import Command
from orderengine.cli.exact_text import plain
from orderengine.cli.exits import Exit
from orderengine.cli.settings import Settings
from orderengine.cli.values import Moment
from orderengine.models.engine import BusySlot, EngineState

#: The columns of a check before its text.
_INDENT = 17


@click.command(
    cls=Command,
    short_help="Show what the engine does now.",
    examples="oe engine\noe engine --json | jq .waiting",
)
@click.pass_obj
def engine(settings: Settings, /) -> None:
    """Show what the engine does now: busy slots, what waits for what, dead letters, the doctor's last verdict.

    It needs the scope operate.
    """
    with settings.client() as client:
        found = client.engine()
    if settings.out.is_json:
        settings.out.document(found.raw)
        return
    settings.out.facts(dict(_flat("", _summary(found))))
    if found.slots and found.slots.busy:
        names = ("order", "user", "status", "attempt", "since", "what")
        rows = [
            (one.order_id, one.user_id, one.status, one.attempt, f"{one.since:%H:%M:%S}", _swap(one))
            for one in found.slots.busy
        ]
        settings.out.table(names, rows, whole=names[:1])


def _summary(found: EngineState) -> dict[str, Any]:
    """The state without its lists."""
    slots, doctor = found.slots, found.doctor
    verdict = doctor and {name: value for name, value in doctor.raw.items() if name != "findings"}
    never = None if "doctor" in found.outages else "has not run yet: make doctor"
    return {
        **found.raw,
        "slots": slots and f"{len(slots.busy)} of {slots.limit} busy",
        "doctor": verdict or never,
        **({"findings": "; ".join(doctor.findings)} if doctor else {}),
    }


def _swap(slot: BusySlot) -> str:
    return f"{slot.type} {slot.side} {plain(slot.amount_in)} {slot.token_in} → {slot.token_out}"


@click.command(cls=Command, short_help="Show the quality of execution.", examples="oe stats --user bot-1 --since 7d")
@click.option("--since", type=Moment(), help="Start of the window: a time, or 7d for a week ago.  [1d]")
@click.option("--until", type=Moment(), help="Its end.  [now]")
@click.pass_obj
def stats(settings: Settings, /, since: str | None, until: str | None) -> None:
    """Show how well orders were executed: outcomes, latencies, slippage, the router's gain."""
    with settings.client() as client:
        since, until = clock.ago(client, "--since", since), clock.ago(client, "--until", until)
        found = client.stats(since=since, until=until)
    if settings.out.is_json:
        settings.out.document(found.raw)
    else:
        settings.out.facts(dict(_flat("", found.raw)))


def _flat(prefix: str, value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The values of nested objects, a line for each of the innermost ones."""
    for name, one in value.items():
        path = f"{prefix} {name}".strip()
        if isinstance(one, Mapping) and not any(isinstance(inner, Mapping) for inner in one.values()):
            yield path, "   ".join(f"{inner} {plain(at)}" for inner, at in one.items() if at is not None)
        elif isinstance(one, Mapping):
            yield from _flat("" if path == "execution" else path, one)
        else:
            yield path, one


@click.command(
    cls=Command,
    short_help="Look for faults between here and the engine.",
    examples="""
oe doctor
oe --url https://engine.example --key-file ~/.oe-key doctor --json
""",
)
@click.pass_obj
def doctor(settings: Settings, /) -> int:
    """Look for faults between here and the engine, and say what to do about them.

    It reads, and opens sockets; it changes nothing. It ends with 1 if a check fails. As JSON, one check a line.
    """
    from orderengine.cli.doctoring import examine
    from orderengine.cli.doctoring.check import State

    failed = False
    for check in examine(settings):
        failed = failed or check.state is State.FAIL
        if settings.out.is_json:
            settings.out.frame(check.as_dict())
        else:
            _show(settings, check)
    return Exit.BUG if failed else Exit.DONE


def _show(settings: Settings, check: Any) -> None:
    from rich.padding import Padding
    from rich.text import Text

    style = {"ok": "green", "warn": "yellow", "fail": "bold red", "skip": "dim"}[check.state]
    text = Text.assemble((f"{check.state:<5}", style), (f"{check.name:<12}", "bold"), plain(check.detail))
    settings.out.show(text)
    if check.advice:
        settings.out.show(Padding(Text(plain(check.advice), "dim"), (0, 0, 0, _INDENT)))
