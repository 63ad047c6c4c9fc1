"""Every snippet of the client's documents runs: Python on the kit, commands against ``oe sim``."""

import ast
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import orderengine
from infra.project import ROOT
from orderengine import Client
from orderengine.testing import engine as engine_of
from tests.client.docs.snippets import Snippet, snippets

DOCUMENTS = [ROOT / "README.md", ROOT / "docs/client.md", ROOT / "client/README.md"]
BASE_URL = "http://engine.test"
#: Installations and servers, which other tests start; a tree without a language is no snippet.
NOT_RUN = ("pip install ", "make run", "oe sim", "claude mcp add ")


def _of(language: str) -> list[Any]:
    return [
        pytest.param(one, id=f"{path.relative_to(ROOT)}:{one.line}")
        for path in DOCUMENTS
        for one in snippets(path)
        if one.language == language
    ]


@pytest.mark.parametrize("snippet", _of("python"))
def test_a_python_snippet_runs_on_the_kit(snippet: Snippet, monkeypatch: pytest.MonkeyPatch) -> None:
    with engine_of(seed="docs") as engine:
        # The snippets name no address and no transport: those of the reader are in OE_URL.
        monkeypatch.setattr(orderengine, "Client", _on(orderengine.Client, engine.transport))
        names: dict[str, Any] = {"__name__": "snippet"}
        exec(compile(snippet.text, f"snippet at line {snippet.line}", "exec"), names)  # noqa: S102
        for name in _tests(snippet.text):
            names[name](engine)


def _on(client: type[Client], transport: Any) -> Callable[..., Client]:
    def connect(base_url: str = BASE_URL, **options: Any) -> Client:
        return client(base_url, **{"transport": transport, **options})

    return connect


def _tests(text: str) -> list[str]:
    named = (one.name for one in ast.parse(text).body if isinstance(one, ast.FunctionDef))
    return [name for name in named if name.startswith("test_")]


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a terminal that has ``oe``, and the address of an engine in ``OE_URL``."""
    home = tmp_path_factory.mktemp("home")
    command = home / ".venv/bin/oe"
    command.parent.mkdir(parents=True)
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m orderengine.cli "$@"\n')
    command.chmod(0o755)
    path = os.pathsep.join([str(command.parent), str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {"PATH": path, "PYTHONPATH": os.pathsep.join(sys.path), "HOME": str(home), "OE_USER": "bot-1"}
    with subprocess.Popen(
        [command, "sim", "--port", "0", "--json"], env=environment, stdout=subprocess.PIPE, text=True
    ) as sim:
        assert sim.stdout is not None
        yield {**environment, "OE_URL": json.loads(sim.stdout.readline())["http"]}
        sim.send_signal(signal.SIGINT)


@pytest.mark.parametrize("snippet", _of("sh"))
def test_commands_run_against_oe_sim(snippet: Snippet, terminal: dict[str, str]) -> None:
    shell = ["sh", "-eux", "-c", snippet.text]
    done = subprocess.run(
        shell, env=terminal, cwd=terminal["HOME"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_else_is_a_snippet() -> None:
    for path in DOCUMENTS:
        for one in snippets(path):
            assert one.language in ("python", "sh", "console", ""), f"{path.name}:{one.line}"
            if one.language == "console":
                assert all(line.startswith(NOT_RUN) for line in one.text.splitlines()), f"{path.name}:{one.line}"
