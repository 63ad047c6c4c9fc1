"""``python -m infra.local.localstack PYTHON``: what LocalStack's last free version serves of the engine, tested.

LocalStack runs in the environment of ``PYTHON``, without Docker. It serves SQS, CloudFormation, S3, STS, IAM, Secrets
Manager and the REST APIs of API Gateway there; the tests say what it does not serve.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from infra.command import run
from infra.local.config import HOST, scrubbed_environment
from infra.local.ports import bound
from infra.local.process import Child
from infra.project import BUILD, ROOT

TESTS = ("tests/contract/messaging/test_queues.py", "tests/localstack")
_START_SECONDS = 120


def main() -> int:
    """Start LocalStack, run the tests against it, stop it, and return the exit code of the tests.

    :raises LocalStackError: if it does not start.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python", type=Path, help="the Python that has LocalStack")
    python: Path = parser.parse_args().python.absolute()
    port = bound("PORT", 0, "LocalStack")
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        print("Starting LocalStack ...", flush=True)
        child = Child(
            "LocalStack",
            [python, "-m", "localstack.runtime.main"],
            BUILD / "localstack.log",
            environment=scrubbed_environment(
                FILESYSTEM_ROOT=directory,
                TMPDIR=directory,
                GATEWAY_LISTEN=f"{HOST}:{port}",
                # It would report its use to its makers, fetch a certificate, and serve DNS.
                DISABLE_EVENTS="1",
                SKIP_SSL_CERT_DOWNLOAD="1",
                DNS_ADDRESS="0",
            ),
            grace_seconds=5,
            crash_safe=True,
        )
        try:
            address = f"http://{HOST}:{port}"
            child.wait_until(lambda: _is_ready(address), _START_SECONDS)
            command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *TESTS]
            environment = {**os.environ, "AWS_ENDPOINT_URL": address}
            return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        finally:
            child.stop()


def _is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/_localstack/health", timeout=5) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


if __name__ == "__main__":
    sys.exit(run(main))
