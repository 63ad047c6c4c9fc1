"""The emulator alone, without the app: for tests of what CloudFormation does with a template."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from infra.lifetimes import die_with_parent
from infra.local.config import HOST, REGION
from tests.support.postgres import free_port

_READY_SECONDS = 30


@contextlib.contextmanager
def bare_emulator(directory: Path) -> Iterator[str]:
    """Run the emulator, whose state is in memory, and yield its address."""
    address = f"http://{HOST}:{(port := free_port())}"
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        "TMPDIR": str(directory),
    }
    with (directory / "emulator.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", "from ministack.app import main; main()"],
            env=environment,
            cwd=directory,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent(signal.SIGKILL),
        )
        try:
            _wait_until_ready(f"{address}/_ministack/ready", process)
            yield address
        finally:
            process.kill()
            process.wait(30)


def _wait_until_ready(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310
            return
        time.sleep(0.05)
    raise AssertionError("the emulator does not start")
