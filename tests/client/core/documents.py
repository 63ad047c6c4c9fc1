"""The documents of the contract."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_CONTRACT = Path(__file__).parents[3] / "chalicelib/contract"
OPENAPI = json.loads((_CONTRACT / "openapi.json").read_text())
ASYNCAPI = json.loads((_CONTRACT / "asyncapi.json").read_text())
SCHEMAS = OPENAPI["components"]["schemas"]


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in OPENAPI["paths"].items():
        for method in ("get", "post", "put", "patch", "delete"):
            if method in item:
                yield method.upper(), path, item[method]
