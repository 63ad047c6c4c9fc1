"""Names and places of the project that packaging, deployment and the operators' commands share."""

import sys
from pathlib import Path

APP = "order-execution-engine"
STAGES = ("local", "dev", "prod")
ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
#: The Python that runs this, and the functions of the local stack.
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
#: The Python of the functions on AWS, whichever runs this. Its runtime is Amazon Linux 2023 with glibc 2.34.
LAMBDA_PYTHON = "3.13"
