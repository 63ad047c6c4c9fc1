"""Commands that take the global options before and after their name, and end their help with examples."""

import re
from pathlib import Path
from typing import Any

import click

from orderengine.cli.settings import Settings


class GlobalOption(click.Option):
    """An option of every command, kept in ``Settings``."""


def _keep(context: click.Context, option: click.Parameter, value: Any) -> None:
    if value is not None and option.name:
        setattr(context.find_object(Settings), option.name, value)


def global_options() -> list[click.Parameter]:
    kept: dict[str, Any] = {"callback": _keep, "expose_value": False, "default": None}
    return [
        GlobalOption(["--url"], help="Address of the engine.  [OE_URL; http://localhost:8000]", **kept),
        GlobalOption(["--key"], help="API key or token; other users of the machine can see it.  [OE_KEY]", **kept),
        GlobalOption(["--key-file"], type=click.Path(path_type=Path), help="File with the key.", **kept),
        GlobalOption(["--user"], help="User whose orders these are.  [OE_USER]", **kept),
        GlobalOption(
            ["--json/--table"], is_eager=True, help="JSON or tables.  [tables on a terminal, else JSON]", **kept
        ),
        GlobalOption(
            ["--timeout"],
            type=click.FloatRange(min=0, min_open=True, max=1e6),
            metavar="SECONDS",
            help="Most for each call; also for --wait, --watch and watch.",
            **kept,
        ),
    ]


#: The beginning of a number below 0, which looks like an option.
_NEGATIVE = re.compile(r"-\.?[0-9]")


class _Careful:
    """Values that are refused before anything is sent."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """:raises click.UsageError: for an empty value, as of a variable that is not set, and a number below 0."""
        try:
            given, _, _ = self.make_parser(context).parse_args(args=list(args))  # type: ignore[attr-defined]
        except click.NoSuchOption as error:
            number = next((one for one in args if one.startswith(error.option_name) and _NEGATIVE.match(one)), None)
            if number is None:
                raise
            raise click.UsageError(f"{number} is no amount or price: it must be above 0", context) from None
        for param in self.get_params(context):  # type: ignore[attr-defined]  # of click.Command
            value = given.get(param.name)
            for one in value if isinstance(value, tuple | list) else [value]:
                if isinstance(one, str) and not one.strip():
                    raise click.BadParameter("it is empty. Is a variable not set?", context, param)
        rest: list[str] = super().parse_args(context, args)  # type: ignore[misc]
        return rest


class _Helpful:
    """Help with the global options apart and the examples last."""

    examples: str

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        own: list[tuple[str, str]] = []
        everywhere: list[tuple[str, str]] = []
        for param in self.get_params(context):  # type: ignore[attr-defined]  # of click.Command
            record = None if isinstance(param, click.Argument) else param.get_help_record(context)
            if record is not None:
                (everywhere if isinstance(param, GlobalOption) else own).append(record)
        for title, records in (("Options", own), ("Options of every command", everywhere)):
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)
        if isinstance(self, click.Group):
            self.format_commands(context, formatter)

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        if self.examples:
            formatter.write("\nExamples:\n" + "".join(f"  {one}\n" for one in self.examples.strip().splitlines()))


class Command(_Careful, _Helpful, click.Command):
    def __init__(self, *arguments: Any, examples: str = "", **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.examples = examples
        self.params.extend(global_options())


class Group(_Careful, _Helpful, click.Group):
    command_class = Command

    def __init__(self, *arguments: Any, examples: str = "", **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.examples = examples
        self.params.extend(global_options())
