"""Structured logs: one JSON object a line on standard output, for CloudWatch and people alike."""

import logging
import os
import sys

from pythonjsonlogger.json import JsonFormatter

from chalicelib.settings import LOG_LEVELS


def configure_logging() -> None:
    """Send all logs through one JSON handler, which replaces the handler that Lambda installs."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        JsonFormatter(
            "%(levelname)s %(name)s %(message)s",
            rename_fields={"levelname": "level", "name": "logger"},
            timestamp="at",
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    # These libraries log at every start, on INFO, where they found the credentials and settings of the deployment.
    for chatty in ("botocore.credentials", "pynamodb.settings"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # The engine refuses an invalid level when it reads its settings, and that error must reach the log.
    level = os.environ.get("LOG_LEVEL")
    root.setLevel(level if level in LOG_LEVELS else "INFO")
