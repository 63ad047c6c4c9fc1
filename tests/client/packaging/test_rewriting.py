"""The build hook rewrites every reference to the engine's modules, and refuses the ones that it cannot."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from infra.project import ROOT


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "client/hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from chalicelib import logs", "from orderengine._engine.chalicelib import logs"),
        ("from  chalicelib.domain.orders import (\n    Order,\n)", None),
        ("if True:\n    from chalicelib.http import orders", None),
        ("import chalicelib.connect  # noqa: F401", "import orderengine._engine.chalicelib.connect  # noqa: F401"),
        ("import chalicelib.connect as c, sys", "import orderengine._engine.chalicelib.connect as c, sys"),
        ('files("chalicelib.contract")', 'files("orderengine._engine.chalicelib.contract")'),
        ('x = "ä"; y = "chalicelib.codec"', 'x = "ä"; y = "orderengine._engine.chalicelib.codec"'),
    ],
)
def test_a_reference_is_led_to_the_engine_of_the_wheel(hook: ModuleType, source: str, expected: str | None) -> None:
    found = hook.rewrite(source.encode(), "module.py").decode()
    assert found == (expected or source.replace("chalicelib", "orderengine._engine.chalicelib"))


@pytest.mark.parametrize(
    "source",
    [
        "from app import app",
        "from chalicelibrary import x",
        "from .chalicelib import x",
        '"""See ``python -m chalicelib.history.migrate``."""',
        '"""chalicelib is a package."""',
        "app = 1",
        'name = "app"',
    ],
)
def test_everything_else_stays(hook: ModuleType, source: str) -> None:
    assert hook.rewrite(source.encode(), "module.py").decode() == source


@pytest.mark.parametrize(
    "source",
    [
        "import chalicelib\nchalicelib.VERSION",
        "import chalicelib.connect\nchalicelib.connect.connect()",
        'files("chalicelib" ".contract")',
    ],
)
def test_a_reference_that_cannot_be_rewritten_fails_the_build(hook: ModuleType, source: str) -> None:
    with pytest.raises(ValueError, match=r"module\.py:\d+: "):
        hook.rewrite(source.encode(), "module.py")


def test_a_file_that_is_none_of_the_engines_fails_the_build(hook: ModuleType, tmp_path: Path) -> None:
    engine, kit = tmp_path / "chalicelib", tmp_path / "testing"
    for directory in (engine / "history", engine / "__pycache__", kit):
        directory.mkdir(parents=True)
        (directory / "__init__.py").touch()
    (engine / "__pycache__/history.cpython-311.pyc").touch()
    hook.write_rewritten(tmp_path, kit, tmp_path / "wheel")
    (engine / "history/server-ca.pem").touch()
    with pytest.raises(ValueError, match=r"no part of the engine: \S+/history/server-ca\.pem$"):
        hook.write_rewritten(tmp_path, kit, tmp_path / "wheel")
