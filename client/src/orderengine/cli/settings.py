"""What one run of ``oe`` was told: the engine, the credential, the user, and how to print."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from orderengine import Client
from orderengine.cli.command_text import command_text
from orderengine.cli.output import Output
from orderengine.cli.report import text_of
from orderengine.core.retry import Retry
from orderengine.io.defaults import addresses_of
from orderengine.io.network import NetworkTransport
from orderengine.io.transport import Transport


@dataclass(frozen=True, slots=True)
class Placed:
    """An order that this run has placed, and the idempotency key that finds it again."""

    order_id: str
    key: str


@dataclass
class Settings:
    """The global options. The client reads ``OE_URL``, ``OE_KEY`` and ``OE_USER`` where an option is absent."""

    url: str | None = None
    key: str | None = None
    key_file: Path | None = None
    user: str | None = None
    json: bool | None = None
    timeout: float | None = None
    #: Replaces the network, in tests.
    transport: Transport | None = None
    #: Told with any error that follows, as nothing else may have named it yet.
    placed: Placed | None = None

    @property
    def out(self) -> Output:
        return Output(not sys.stdout.isatty() if self.json is None else self.json)

    def connection(self) -> Transport:
        """:raises InvalidArgument: if the address is none that an engine can have."""
        return self.transport or NetworkTransport(addresses_of(self.url, None))

    def client(self, transport: Transport | None = None, **options: Any) -> Client:
        """A client for these options. With ``--timeout`` a call and all its retries take no longer."""
        if self.timeout is not None:
            options["timeout"] = self.timeout
        return Client(
            key=self.credential(),
            user=self.user,
            transport=transport or self.connection(),
            on_retry=self._announce,
            **options,
        )

    def credential(self) -> str | None:
        """The key of ``--key`` or ``--key-file``.

        :raises click.UsageError: if the file cannot be read.
        """
        if self.key_file is None:
            return self.key
        try:
            return self.key_file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise click.UsageError(f"--key-file: {error}") from None

    @property
    def known_key(self) -> str | None:
        """The key that the client uses, from wherever it has it."""
        return self.credential() or os.environ.get("OE_KEY") or None

    @property
    def known_user(self) -> str | None:
        """The user whose orders the client reads, unless that is the credential's."""
        return self.user or os.environ.get("OE_USER") or None

    def options_text(self) -> dict[str, object]:
        """The options that a command to repeat needs; never the key itself."""
        return {"--url": self.url, "--user": self.user, "--key-file": self.key_file}

    def placed_facts(self) -> dict[str, str]:
        """The order that this run has placed, and the command that shows it, as members of a problem document."""
        if self.placed is None:
            return {}
        look = command_text(["get", self.placed.order_id], self.options_text())
        return {"orderId": self.placed.order_id, "idempotencyKey": self.placed.key, "command": look}

    def _announce(self, retry: Retry) -> None:
        self.out.note(f"{text_of(retry.failure)}. Try {retry.attempt + 1} follows in {retry.pause_seconds:.1f} s")
