"""The emulator saves all of its services or none, and ends with an error if it cannot save or read them."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from ministack.core import persistence

from infra.local.saved_services import DEPLOYED_PATH, SavedServices
from infra.local.state_file import StateFile


class Ended(BaseException):
    """The process has ended with this code."""


def _end(code: int) -> NoReturn:
    raise Ended(code)


class App:
    """The emulator's application with a few services, each with a value as its state."""

    def __init__(self, **states: Any) -> None:
        self.states = states
        self._state_map = {name: name for name in states}
        self._load_persisted_state: Callable[[], None]
        self.served: list[str] = []

    async def app(self, scope: dict[str, Any], *_: Any) -> None:
        if scope["type"] == "lifespan":
            self._load_persisted_state()
        self.served.append(scope["type"])

    def _get_module(self, name: str) -> Any:
        return SimpleNamespace(load_persisted_state=lambda state: self.states.update({name: state}))

    def _build_persistence_save_dict(self) -> dict[str, Callable[[], Any]]:
        return {name: partial(self._state_of, name) for name in self.states}

    def _state_of(self, name: str) -> Any:
        if isinstance(self.states[name], Exception):
            raise self.states[name]
        return self.states[name]


@pytest.fixture
def file(tmp_path: Path) -> Iterator[StateFile]:
    opened = StateFile(tmp_path / "state.sqlite3")
    yield opened
    opened.close()


def _services(
    file: StateFile, app: App, port: str = "1", deployed: Callable[[], None] = lambda: None
) -> SavedServices:
    services = SavedServices(app, persistence, file, port)
    services.install(lambda: None, deployed, _end)
    return services


def _started(file: StateFile, app: App, **options: Any) -> SavedServices:
    services = _services(file, app, **options)
    asyncio.run(services.serve({"type": "lifespan"}, _receive, _send))
    return services


async def _receive() -> dict[str, Any]:
    raise AssertionError


async def _send(_: dict[str, Any]) -> None: ...


def _deployed(services: SavedServices) -> int:
    answers: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        answers.append(message)

    asyncio.run(services.serve({"type": "http", "method": "POST", "path": DEPLOYED_PATH}, _receive, send))
    return int(answers[0]["status"])


def test_a_deployment_survives_a_kill(file: StateFile) -> None:
    assert _deployed(_started(file, App(queues={"a": 1}, tables=None))) == 200
    again = App(queues=None, tables=None)
    _started(file, again)
    assert again.states == {"queues": {"a": 1}, "tables": None}


def test_saved_addresses_get_the_port_of_the_new_start(file: StateFile) -> None:
    _deployed(_started(file, App(queues="http://localhost:1/000/orders"), port="1"))
    again = App(queues=None)
    _started(file, again, port="2")
    assert again.states == {"queues": "http://localhost:2/000/orders"}


def test_messages_are_delivered_once_the_deployment_is_saved(file: StateFile) -> None:
    delivering: list[bool] = []
    services = _started(file, App(queues={"a": 1}), deployed=lambda: delivering.append(True))
    assert not delivering
    _deployed(services)
    assert delivering


def test_a_stop_saves_all_services_and_ends_the_process(file: StateFile) -> None:
    services = _started(file, App(queues={"a": 1}))
    with pytest.raises(Ended, match="0"):
        services.stop()
    assert file.service("queues") == '{"a": 1}'


def test_a_service_that_changes_while_it_is_saved_is_read_again(file: StateFile) -> None:
    app = App(queues=RuntimeError("dictionary changed size during iteration"))

    class Changing(App):
        reads = 0

        def _state_of(self, name: str) -> Any:
            self.reads += 1
            return app._state_of(name) if self.reads == 1 else {"a": 1}

    assert _deployed(_started(file, Changing(queues=None))) == 200
    assert file.service("queues") == '{"a": 1}'


def test_a_service_that_cannot_be_saved_keeps_all_at_the_last_deployment_and_fails_the_stop(
    file: StateFile, capfd: pytest.CaptureFixture[str]
) -> None:
    app = App(queues={"a": 1}, tables={"b": 1})
    services = _started(file, app)
    _deployed(services)
    app.states = {"queues": {"a": 2}, "tables": ValueError("no state")}
    assert _deployed(services) == 500
    with pytest.raises(Ended, match="1"):
        services.stop()
    assert "could not be saved" in capfd.readouterr().err
    assert (file.service("queues"), file.service("tables")) == ('{"a": 1}', '{"b": 1}')


def test_a_stop_on_a_full_disk_ends_with_an_error(file: StateFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    services = _started(file, App(queues={"a": 1}))
    monkeypatch.setattr(file, "_write", full)
    with pytest.raises(Ended, match="1"):
        services.stop()


def test_a_stop_before_the_services_are_restored_saves_nothing(file: StateFile) -> None:
    _deployed(_started(file, App(queues={"a": 1})))
    with pytest.raises(Ended, match="0"):
        _services(file, App(queues={})).stop()
    assert file.service("queues") == '{"a": 1}'


def test_an_emulator_that_cannot_read_its_services_does_not_start(
    file: StateFile, capfd: pytest.CaptureFixture[str]
) -> None:
    file.save_services({"queues": "{"})
    with pytest.raises(Ended, match="1"):
        _started(file, App(queues=None))
    assert "could not be read" in capfd.readouterr().err


def test_other_requests_reach_the_emulator(file: StateFile) -> None:
    app = App(queues=None)
    services = _services(file, app)
    asyncio.run(services.serve({"type": "http", "method": "GET", "path": DEPLOYED_PATH}, _receive, _send))
    asyncio.run(services.serve({"type": "websocket", "path": "/"}, _receive, _send))
    assert app.served == ["http", "websocket"]
