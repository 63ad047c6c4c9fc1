"""``oe``: the group of all commands, and the end of each run."""

import os
import sys
import traceback
from collections.abc import Sequence
from functools import partial
from importlib import import_module, metadata
from typing import Any, NoReturn

import click

from orderengine import errors
from orderengine.cli import exits, report, streams
from orderengine.cli.command import Group
from orderengine.cli.exact_text import json_text, plain
from orderengine.cli.exits import Exit, Stop
from orderengine.cli.settings import Settings

#: Where each command is. A module loads when its command runs, so that ``oe`` starts fast.
_COMMANDS = {
    "sell": "placing",
    "buy": "placing",
    "snipe": "placing",
    "watch": "watching",
    "replay": "watching",
    "get": "reading",
    "events": "reading",
    "explain": "reading",
    "ls": "reading",
    "amend": "changing",
    "cancel": "changing",
    "quote": "markets",
    "tokens": "markets",
    "tell": "markets",
    "stats": "engine",
    "engine": "engine",
    "doctor": "engine",
    "listen": "listening",
    "sim": "serving",
    "mcp": "serving",
    "completion": "serving",
}

FIRST_STEPS = """\
oe places orders at the order execution engine, and watches them. Try:

  oe quote 1.5 SOL USDC           what both venues offer now
  oe sell 1.5 SOL USDC --watch    place an order, and see each of its steps
  oe ls                           your orders

'oe --help' lists all commands, 'oe COMMAND --help' explains one with examples.
Nothing there yet? 'oe sim' starts an engine on this machine, 'oe doctor' looks for faults."""


class Root(Group):
    """The group of all commands. Each run ends here, with an exit code and never with a traceback."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        found: click.Command = getattr(import_module(f"orderengine.cli.{_COMMANDS[name]}"), name)
        return found

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(context, formatter)
        formatter.write(f"\n{exits.HELP}\n")

    def main(self, args: Sequence[str] | None = None, *rest: Any, **keywords: Any) -> NoReturn:
        arguments = list(sys.argv[1:] if args is None else args)
        settings = keywords.pop("obj", None) or Settings()
        options = {**keywords, "obj": settings, "standalone_mode": False}
        run = partial(super().main, arguments, *rest, **options)
        with streams.guarded():
            code = _ended(settings, run, "--json" in arguments)
            sys.stderr.flush()
        sys.exit(code)


def _ended(settings: Settings, run: Any, asked_json: bool) -> int:
    """The exit code of a run, after its error is told."""
    try:
        code = run()
        sys.stdout.flush()
        return code if isinstance(code, int) else Exit.DONE
    except errors.OrderEngineError as error:
        return _tell(settings, error)
    except click.Abort:
        return _tell(settings, Stop(Exit.INTERRUPTED, "INTERRUPTED", "Interrupted."))
    except click.ClickException as error:
        if not (settings.out.is_json if settings.json is not None or not asked_json else True):
            error.show()
            return Exit.USAGE
        return _tell(settings, Stop(Exit.USAGE, "USAGE", error.format_message()))
    except Exception as error:
        if os.environ.get("OE_DEBUG"):
            traceback.print_exc()
        detail = f"This is a bug of oe: {type(error).__name__}: {error}. OE_DEBUG=1 shows where it is."
        return _tell(settings, Stop(Exit.BUG, "BUG", detail))


def _tell(settings: Settings, error: errors.OrderEngineError) -> int:
    code = exits.of_error(error)
    if code == Exit.BROKEN_PIPE and settings.placed is None:
        return code
    placed = settings.placed_facts()
    if settings.out.is_json:
        sys.stderr.write(json_text(report.document_of(error, placed)) + "\n")
    else:
        first, *more = map(plain, report.sentences_of(error, placed))
        click.secho(f"oe: {first}", err=True, fg="red")
        for line in more:
            click.echo(line, err=True)
    return code


def _version() -> str:
    try:
        return metadata.version("orderengine")
    except metadata.PackageNotFoundError:
        return "(not installed)"


@click.group(
    cls=Root,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    examples="""
oe sell 1.5 SOL USDC --watch
oe sell 1.5 SOL USDC --json --wait | jq .executedPrice
OE_URL=https://engine.example oe --key-file ~/.oe-key ls --status open
""",
)
@click.option("--version", "show_version", is_flag=True, help="Print the version.")
@click.pass_context
def oe(context: click.Context, show_version: bool) -> None:
    """Place, watch and explain orders at the order execution engine.

    Results go to stdout: tables on a terminal, JSON elsewhere or with --json, with every digit that the engine sent.
    Problems go to stderr, as sentences or as the problem document. Colours go away with NO_COLOR=1.
    """
    if show_version:
        click.echo(f"oe {_version()}")
    elif context.invoked_subcommand is None:
        click.echo(FIRST_STEPS)
