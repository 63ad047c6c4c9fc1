"""What a machine measured and a test cannot repeat to the byte: CPU time, and the size of rows in Postgres.

``make cost WRITE=1`` writes the file. Prices and documents take these numbers from it, so they do not change with the
load of the machine.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("recorded.json")


@cache
def recorded() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text())
    return found


def cpu_ms(kind: str, function: str) -> float:
    """CPU milliseconds of all invocations of a function for one order of a kind, by their mean."""
    found: float = recorded()["cpuMs"][kind][function]
    return found


def postgres_bytes() -> float:
    """Bytes of a recorded market order in Postgres, with its indexes."""
    found: float = recorded()["postgresBytes"]
    return found


def write(cpu: dict[str, dict[str, float]], postgres: float) -> None:
    text = json.dumps({"cpuMs": cpu, "postgresBytes": postgres}, indent=2)
    FILE.write_text(f"{text}\n")
    recorded.cache_clear()
