"""Writes the documents of the contract: ``python -m infra.contract``."""

import sys

from chalicelib.http.application import app
from chalicelib.http.contract import DIRECTORY
from infra.command import run
from infra.contract.documents import documents


def main() -> int:
    """Write every document that differs from its file, and return the exit code."""
    DIRECTORY.mkdir(exist_ok=True)
    for name, text in documents(app.routes).items():
        file = (DIRECTORY / name).resolve()
        file.write_text(text)
        print(f"{file} ({len(text.encode()) / 1e3:.0f} kB)")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
