"""Parts of the emulator for tests: modules of their own, which a test may patch."""

import importlib.util
from typing import Any


def emulator_module(name: str) -> Any:
    """Return a new copy of a module of the emulator, such as ``services.sqs``, with empty state."""
    spec = importlib.util.find_spec(f"ministack.{name}")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
