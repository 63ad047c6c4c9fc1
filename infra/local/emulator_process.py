"""The program of the emulator's process: the emulator, with what its Lambdas print written to files.

The emulator keeps that in its own CloudWatch Logs, one stream for every single invocation: reading it means
polling through an ever longer list, on the thread that serves everything else, and it makes each saved state
larger. So its one function for that is replaced. Run as a script, so that nothing of this package is imported
into the process whose Python the Lambdas run on.
"""

import os
import sys
from pathlib import Path
from typing import Any


def write_log(function: dict[str, Any], _request_id: str, text: str, *_: Any, **__: Any) -> None:
    """Appends what one invocation printed to the function's file, in one write so that lines never mix."""
    if not text:
        return
    name = (function.get("config") or function).get("FunctionName", "lambda")
    # The stack's name before and CloudFormation's random part behind say nothing here.
    short = name.removeprefix("engine-local-").rsplit("-", 1)[0]
    with (Path(os.environ["ENGINE_LOGS"]) / f"{short}.log").open("ab", buffering=0) as log:
        log.write(text.encode(errors="replace") + b"\n")


def main() -> None:
    """Starts the emulator in this process."""
    # A script's own directory comes first on the path, and its module names would shadow others'.
    sys.path.remove(str(Path(__file__).resolve().parent))
    from ministack.app import main as emulate  # type: ignore[import-untyped]
    from ministack.services import lambda_svc  # type: ignore[import-untyped]

    if not hasattr(lambda_svc, "_emit_lambda_logs"):
        raise SystemExit(f"This version of the emulator logs differently: see {__file__}.")
    lambda_svc._emit_lambda_logs = write_log
    emulate()


if __name__ == "__main__":
    main()
