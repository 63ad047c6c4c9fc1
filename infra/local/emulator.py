"""The AWS emulator: API Gateway, Lambda, SQS, DynamoDB and CloudFormation in one process."""

import shutil
import sys
import urllib.error
import urllib.request
from pathlib import Path

from infra.local.config import HOST, REGION, LocalConfig, scrubbed_environment
from infra.local.errors import LocalStackError
from infra.local.process import Child
from infra.local.saved_services import DEPLOYED_PATH

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}


def start(config: LocalConfig) -> Child:
    """Start the emulator with the state that it had when it ended, however it ended."""
    temporary = temporary_directory(config)
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    state = config.state_dir / "aws"
    state.mkdir(exist_ok=True)
    environment = scrubbed_environment(
        **CREDENTIALS,
        GATEWAY_PORT=str(config.aws_port),
        BIND_HOST=HOST,
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        PERSIST_STATE="1",
        STATE_DIR=str(state),
        STATE_FILE=str(state / "state.sqlite3"),
        S3_PERSIST="1",
        S3_DATA_DIR=str(state / "s3"),
        TMPDIR=str(temporary),
        LOG_LEVEL="WARNING",
        ENGINE_LOGS=str(config.logs),
        PYTHONUNBUFFERED="1",
        # A waiting invocation occupies a thread, and the handlers' own AWS calls need free threads too.
        MINISTACK_WORKER_THREADS="1024",
        # Without a limit, which would count the invocations that wait for an environment.
        LAMBDA_ACCOUNT_CONCURRENCY="0",
        **config.socket_limits,
    )
    command: list[str | Path] = [sys.executable, Path(__file__).with_name("emulator_process.py")]
    return Child("The AWS emulator", command, config.logs / "emulator.log", environment=environment, grace_seconds=10)


def finish_deployment(config: LocalConfig) -> None:
    """Have the emulator save the deployment, so that a kill does not take it back, and deliver messages from now on.

    :raises LocalStackError: if the emulator cannot save it.
    """
    try:
        with urllib.request.urlopen(f"{config.aws}{DEPLOYED_PATH}", data=b"", timeout=30):  # noqa: S310
            return
    except urllib.error.HTTPError as error:
        reason = error.read().decode()
    except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
        reason = str(error)
    raise LocalStackError(f"The AWS emulator cannot save its state: {reason}")


def ready(config: LocalConfig) -> bool:
    """Return whether the emulator answers."""
    try:
        with urllib.request.urlopen(f"{config.aws}/_ministack/ready", timeout=5) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def temporary_directory(config: LocalConfig) -> Path:
    """Return the directory in which Lambda workers unpack their code; it is worthless after the emulator stops."""
    return config.state_dir / "tmp"
