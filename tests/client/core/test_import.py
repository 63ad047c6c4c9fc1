"""The import of the client is light."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_SOURCE = Path(__file__).parents[3] / "client/src"
_HEAVY = ("httpx2", "httpcore2", "websockets", "click", "rich", "chalicelib", "asyncio", "ssl")


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh process has loaded after some code."""
    script = f"{code}\nimport sys\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(_SOURCE)!r})\n{script}"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"]},
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("code", ["import orderengine", "from orderengine import Client; Client()"])
def test_a_client_loads_no_library_before_it_sends(code: str) -> None:
    assert not loaded_by(code) & set(_HEAVY)


def test_the_awaited_client_loads_asyncio_alone() -> None:
    found = loaded_by("from orderengine import AsyncClient; AsyncClient()")
    assert not found & (set(_HEAVY) - {"asyncio", "ssl"})


def test_a_name_that_the_package_lacks_is_an_attribute_error() -> None:
    import orderengine

    with pytest.raises(AttributeError, match="Clinet"):
        _ = orderengine.Clinet
    assert orderengine.AsyncPlacedOrder.__name__ == "AsyncPlacedOrder"
    assert all(hasattr(orderengine, name) for name in orderengine.__all__)
