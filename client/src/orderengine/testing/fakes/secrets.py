"""Secrets in memory."""

from chalicelib.ports.secrets import SecretUnavailableError


class FakeSecrets:
    """``RenewableSecrets`` in memory. Every name has a value unless ``down`` is set; ``values`` has chosen ones."""

    def __init__(self) -> None:
        self.down = False
        self.values: dict[str, str] = {}
        #: The names that were read.
        self.reads: list[str] = []

    def read(self, name: str) -> str:
        self.reads.append(name)
        if self.down:
            raise SecretUnavailableError(name)
        return self.values.get(name, f"the secret {name}")

    def read_now(self, name: str) -> str:
        return self.read(name)
