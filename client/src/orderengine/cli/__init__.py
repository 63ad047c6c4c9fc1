"""``oe``, the command line of the engine. It needs the extra ``cli`` (click and rich)."""

import signal
from importlib.util import find_spec


def main() -> None:
    """Run ``oe`` with the arguments of the process, and exit with the code that ``oe --help`` explains."""
    # An interrupt ends the process at once, without a traceback, as long as nothing has begun.
    at_interrupt = signal.signal(signal.SIGINT, signal.SIG_DFL)
    if at_interrupt is not signal.default_int_handler:
        signal.signal(signal.SIGINT, at_interrupt)
    if missing := [name for name in ("click", "rich") if find_spec(name) is None]:
        raise SystemExit(f"oe needs {' and '.join(missing)}: pip install 'orderengine[cli]'")
    from orderengine.cli.root import oe

    signal.signal(signal.SIGINT, at_interrupt)
    oe(prog_name="oe")
