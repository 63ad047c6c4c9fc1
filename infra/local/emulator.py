"""The AWS emulator: API Gateway, Lambda, SQS, DynamoDB and CloudFormation in one process."""

import re
import shutil
import sys
import urllib.error
import urllib.request
from pathlib import Path

from infra.local.config import HOST, REGION, LocalConfig, scrubbed_environment
from infra.local.process import Child

#: The emulator's base address in its saved state.
_ADDRESS = re.compile(r"(http://localhost:)\d+/")
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}


def start(config: LocalConfig) -> Child:
    """Start the emulator with the state that its last clean stop saved."""
    temporary = temporary_directory(config)
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    state = config.state_dir / "aws"
    _readdress(state, config.aws_port)
    environment = scrubbed_environment(
        **CREDENTIALS,
        GATEWAY_PORT=str(config.aws_port),
        BIND_HOST=HOST,
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        PERSIST_STATE="1",
        STATE_DIR=str(state),
        S3_PERSIST="1",
        S3_DATA_DIR=str(state / "s3"),
        TMPDIR=str(temporary),
        LOG_LEVEL="WARNING",
        ENGINE_LOGS=str(config.logs),
        PYTHONUNBUFFERED="1",
        # A waiting invocation occupies a thread, and the handlers' own AWS calls need free threads too.
        MINISTACK_WORKER_THREADS="1024",
    )
    command: list[str | Path] = [sys.executable, Path(__file__).with_name("emulator_process.py")]
    return Child("The AWS emulator", command, config.logs / "emulator.log", environment=environment)


def _readdress(state: Path, port: int) -> None:
    """Write the current port into the addresses of saved queues: the emulator finds a queue by its full address.

    At another port than last time no sender would find a queue, and its function would wait forever.
    """
    for file in state.glob("*.json"):
        saved = file.read_text()
        readdressed = _ADDRESS.sub(rf"\g<1>{port}/", saved)
        if readdressed != saved:
            file.write_text(readdressed)


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
