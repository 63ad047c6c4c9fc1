"""The installed wheel, in an environment and a directory that have nothing else of the project."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.client.packaging.conftest import run

#: A Chalice application has a package and a module of these names too.
FOREIGN = 'raise ImportError("this is the application of the bot")\n'

FIRST_ORDER = """
import sys
sys.path.insert(0, "")
from orderengine.testing import engine
with engine(seed="x") as e:
    print(e.client(user="bot-1").submit("SOL", "USDC", "1.5").result().status)
    e.serve()
assert not {"app", "chalicelib", "psycopg", "certifi", "pythonjsonlogger"} & sys.modules.keys()
"""

NO_PAGE = """
from orderengine.testing import engine
with engine() as e:
    print(e.client().request("GET", "/").status)
"""

#: The kit loads the modules of the engine that it needs; others need more packages.
IMPORTS = """
import importlib, pkgutil
import orderengine
for module in pkgutil.walk_packages(orderengine.__path__, "orderengine."):
    if not module.name.endswith("__main__") and not module.name.startswith("orderengine._engine"):
        importlib.import_module(module.name)
"""

TYPED = """
from decimal import Decimal
from orderengine import Client

def sell(client: Client) -> Decimal | None:
    return client.submit("SOL", "USDC", "1.5").result().amount_out

sell("no client")
"""


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    """A directory with a Chalice application."""
    (tmp_path / "chalicelib").mkdir()
    (tmp_path / "chalicelib/__init__.py").write_text(FOREIGN)
    (tmp_path / "app.py").write_text(FOREIGN)
    return tmp_path


def test_the_kit_runs_beside_a_chalice_application_of_the_bot(installed: Path, bot: Path) -> None:
    assert run(installed / "python", "-c", FIRST_ORDER, cwd=bot).split() == ["confirmed"]


def test_the_engine_of_the_wheel_has_no_page(installed: Path, bot: Path) -> None:
    assert run(installed / "python", "-c", NO_PAGE, cwd=bot).split() == ["404"]


def test_every_module_can_be_imported(installed: Path, bot: Path) -> None:
    run(installed / "python", "-c", IMPORTS, cwd=bot)


def test_the_command_says_its_version(installed: Path, tmp_path: Path) -> None:
    assert re.fullmatch(r"oe \d+\.\d+\.\d+\n", run(installed / "oe", "--version", cwd=tmp_path))


def test_pytest_offers_the_fixture_engine(installed: Path, bot: Path) -> None:
    (bot / "test_bot.py").write_text(
        "def test_a_bot(engine):\n    assert engine.client(user='b').submit('SOL', 'USDC', 1).result().filled\n"
    )
    assert "1 passed" in run(installed / "python", "-m", "pytest", "-q", "test_bot.py", cwd=bot)


def test_the_client_loads_no_engine_and_no_extra(installed: Path, tmp_path: Path) -> None:
    heavy = {"click", "rich", "mcp", "pydantic", "chalice", "pytest", "orderengine._engine", "orderengine.testing"}
    script = f"import sys, orderengine; assert not {heavy!r} & sys.modules.keys()"
    run(installed / "python", "-c", script, cwd=tmp_path)


def test_the_import_of_the_client_is_cheap(installed: Path, tmp_path: Path) -> None:
    script = "import time; t = time.process_time(); import orderengine; print(time.process_time() - t)"
    seconds = min(float(run(installed / "python", "-c", script, cwd=tmp_path)) for _ in range(5))
    print(f"import orderengine: {seconds:.3f} s")
    assert seconds < 0.15


def test_the_types_of_the_package_are_visible(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "bot.py").write_text(TYPED)
    check = ["-m", "mypy", "--python-executable", installed / "python", "--follow-imports=silent", "bot.py"]
    command = list(map(str, [sys.executable, *check]))
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert 'has incompatible type "str"; expected "Client"' in done.stdout
    assert "Found 1 error" in done.stdout
