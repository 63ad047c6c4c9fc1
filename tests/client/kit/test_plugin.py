"""The fixture of the pytest plugin, in a project of a tester."""

import os
import subprocess
import sys
from pathlib import Path

from orderengine import testing
from orderengine.testing.handle import VirtualEngine

_TEST = """
import pytest

def test_the_fixture_is_an_engine(engine):
    assert engine.advance("30m") == engine.now

@pytest.mark.engine(seed="mine", auth=True)
def test_a_mark_gives_it_settings(engine):
    assert engine.key("alice").startswith("oee_local_")

def test_a_violation_fails_the_test(engine):
    engine._deployment.sockets.violations.append("I7 a stranger got a frame")
"""


_WITHOUT_GREENLET = """
import sys
sys.modules["greenlet"] = None
from orderengine import testing
with testing.engine():
    pass
"""


def test_without_the_extra_the_kit_says_what_to_install() -> None:
    """In a process of its own: modules that are loaded twice would be patched by halves in later tests."""
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", _WITHOUT_GREENLET]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "ImportError" in done.stderr
    assert "needs greenlet: pip install 'orderengine[test]'" in done.stderr


def test_a_tester_can_name_the_type_of_the_fixture() -> None:
    assert testing.VirtualEngine is VirtualEngine


def test_a_tester_gets_a_fixture(tmp_path: Path) -> None:
    (tmp_path / "test_bot.py").write_text(_TEST)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "orderengine.testing.plugin", "--strict-markers", "."]
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert "3 passed, 1 error" in done.stdout, done.stdout + done.stderr
    assert "I7 a stranger got a frame" in done.stdout
