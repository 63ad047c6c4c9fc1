"""Saves and restores what the emulator's services define: stacks, functions, APIs, queues, tables, schedules.

The emulator saves each service in a file of its own, at a clean stop only, and continues without a service that it
cannot save or read. This module saves all services in one transaction, on request and at a stop, and ends the process
with an error if it cannot. The emulator's process imports this file, which must therefore not import this package.
"""

import asyncio
import contextlib
import json
import re
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from infra.local.state_file import StateFile

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

#: The launcher sends a ``POST`` to this path after a deployment.
DEPLOYED_PATH = "/_local/deployed"
_ADDRESS = re.compile(r"(http://localhost:)\d+/")
#: A service may change on another thread while it is read.
_MAX_READS = 10


class SavedServices:
    """Replaces functions of the emulator's ``app``; ``persistence`` is the module that encodes a service's state."""

    #: The functions of the two modules that this class replaces, and the names that it uses.
    NEEDED = ("app", "_load_persisted_state", "_build_persistence_save_dict", "_get_module", "_state_map")
    NEEDED_OF_PERSISTENCE = ("_json_default", "_json_object_hook")

    def __init__(self, app: Any, persistence: Any, file: "StateFile", port: str) -> None:
        self._app = app
        self._persistence = persistence
        self._file = file
        self._port = port
        self._serve = app.app
        self._is_restored = False

    def install(
        self, restored: Callable[[], None], deployed: Callable[[], None], end: Callable[[int], NoReturn]
    ) -> None:
        """Replace the emulator's own saving.

        ``restored`` runs when all services are defined again, before the emulator serves requests, ``deployed`` when
        a deployment is saved. ``end`` ends the process with an exit code.
        """
        self._restored = restored
        self._deployed = deployed
        self._end = end
        self._app._load_persisted_state = self.restore
        self._app.app = self.serve

    def restore(self) -> None:
        for name, module in self._app._state_map.items():
            if text := self._file.service(name):
                # The emulator finds a queue by its full address, and its port may be another than last time.
                text = _ADDRESS.sub(rf"\g<1>{self._port}/", text)
                state = json.loads(text, object_hook=self._persistence._json_object_hook)
                self._app._get_module(module).load_persisted_state(state)
        self._restored()
        self._is_restored = True

    def save(self) -> None:
        """Save all services, or none if one cannot be read or written."""
        services: Mapping[str, Callable[[], Any]] = self._app._build_persistence_save_dict()
        texts = {name: self._text(get_state) for name, get_state in services.items()}
        self._file.save_services({name: text for name, text in texts.items() if text})

    def stop(self) -> None:
        """Save all services and end the process at once; what was answered is in the file already."""
        try:
            # A service that is not restored yet would be saved as empty.
            if self._is_restored:
                self.save()
        except Exception:
            self._fail("The state of the stack could not be saved.")
        self._end(0)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the emulator's own requests, and this module's."""
        if scope["type"] == "lifespan":
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, self.stop)
            try:
                await self._serve(scope, receive, send)
            except Exception:
                # The server would continue with an empty emulator.
                self._fail("The state of the stack could not be read.")
        elif scope["type"] == "http" and (scope["method"], scope["path"]) == ("POST", DEPLOYED_PATH):
            await self._answer_deployed(send)
        else:
            await self._serve(scope, receive, send)

    async def _answer_deployed(self, send: Send) -> None:
        status, text = 200, ""
        try:
            self.save()
            self._deployed()
        except Exception as error:
            traceback.print_exc()
            status, text = 500, str(error)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": text.encode()})

    def _text(self, get_state: Callable[[], Any]) -> str | None:
        for _ in range(_MAX_READS - 1):
            # A dictionary that grows meanwhile raises this error.
            with contextlib.suppress(RuntimeError):
                return self._encoded(get_state())
        return self._encoded(get_state())

    def _encoded(self, state: Any) -> str | None:
        # The emulator returns no state of a module that could not be imported.
        return None if state is None else json.dumps(state, default=self._persistence._json_default)

    def _fail(self, text: str) -> NoReturn:
        traceback.print_exc()
        print(text, file=sys.stderr)
        self._end(1)
