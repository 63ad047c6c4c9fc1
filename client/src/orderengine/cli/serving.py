"""``oe sim``, ``oe mcp`` and ``oe completion``."""

from contextlib import suppress
from importlib import import_module
from types import ModuleType
from urllib.parse import urlsplit

import click

from orderengine.cli.command import Command
from orderengine.cli.exits import Exit, Stop
from orderengine.cli.settings import Settings


@click.command(
    cls=Command,
    short_help="Serve a simulated engine on this machine.",
    examples="""
oe sim                                             an engine on http://127.0.0.1:8000
oe sim --seed ci --virtual --port 0 --json         one for tests; the first line has its address
""",
)
@click.option("--seed", default="orders", help="Decides prices, latencies and chance.  [orders]")
@click.option("--virtual", is_flag=True, help="Time moves by POST /sim/advance, and skips waits.")
@click.option("--host", default="127.0.0.1", help="Address to listen on.  [127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, help="Port; 0 takes a free one.  [8000]")
@click.pass_obj
def sim(settings: Settings, /, seed: str, virtual: bool, host: str, port: int) -> int:
    """Serve a simulated engine on this machine, by HTTP and WebSocket, until it is interrupted."""
    server = _load("orderengine.testing.server", "test")

    def ready(url: str) -> None:
        if settings.out.is_json:
            settings.out.frame({"http": url, "ws": urlsplit(url)._replace(scheme="ws").geturl(), "seed": seed})
        else:
            settings.out.line(
                f"The engine is ready. Ctrl-C stops it. Try:\n\n  export OE_URL={url}\n  oe sell 1.5 SOL USDC --watch"
            )

    try:
        engine = server.VirtualEngine(seed, real_time=not virtual)
    except ValueError as error:
        raise Stop(Exit.USAGE, "USAGE", f"--{error}") from error
    try:
        listening = server.listen(host, port)
    except OSError as error:
        detail = f"{host}:{port} cannot be listened on: {error.strerror}. --port 0 takes a free port."
        raise Stop(Exit.USAGE, "PORT_TAKEN", detail) from error
    with suppress(KeyboardInterrupt):
        server.serve_forever(engine, listening, ready)
    return Exit.DONE


@click.command(
    cls=Command,
    short_help="Serve the engine to agents (MCP).",
    examples="claude mcp add engine -- oe --url http://localhost:8000 mcp",
)
@click.pass_obj
def mcp(settings: Settings, /) -> None:
    """Serve the engine to agents as tools (MCP, on stdin and stdout). Writes are previews unless they say execute."""
    _load("orderengine.mcp.server", "mcp").serve(settings.client)


def _load(module: str, extra: str) -> ModuleType:
    """A part of the package that needs more than the command line does.

    :raises Stop: if what it needs is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        detail = f"This needs {error.name or module}: pip install 'orderengine[{extra}]'"
        raise Stop(Exit.USAGE, "NOT_INSTALLED", detail) from error


@click.command(
    cls=Command,
    examples="""
oe completion bash >> ~/.bashrc
oe completion zsh  >> ~/.zshrc
oe completion fish >  ~/.config/fish/completions/oe.fish
""",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that completes oe in a shell."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is not None:
        # The source alone: constructing the class asks the bash of this machine for its version.
        names = {"complete_func": "_oe_completion", "complete_var": "_OE_COMPLETE", "prog_name": "oe"}
        click.echo(kind.source_template % names)
    context.exit()
