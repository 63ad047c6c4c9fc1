"""The secrets of a deployment."""

from typing import Protocol


class SecretUnavailableError(Exception):
    """The secret cannot be read now, or the deployment has none of this name."""


class Secrets(Protocol):
    def read(self, name: str) -> str:
        """The value of a secret. A process reads each secret once.

        :raises SecretUnavailableError: if the secret cannot be read.
        """
        ...


class RenewableSecrets(Secrets, Protocol):
    """Secrets whose value may change while a process runs."""

    def read_now(self, name: str) -> str:
        """The present value of a secret, which ``read`` returns from now on.

        :raises SecretUnavailableError: if the secret cannot be read.
        """
        ...
