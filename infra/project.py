"""Names and places of the project that packaging, deployment and the operators' commands share."""

import sys
from pathlib import Path

APP = "order-execution-engine"
STAGES = ("local", "dev", "prod")
ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
#: The Python that runs this is the Python that the package is made for.
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
