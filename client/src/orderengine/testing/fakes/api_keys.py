"""API keys in memory."""

from dataclasses import replace

from chalicelib.ports.api_keys import ApiKey


class FakeApiKeys:
    """``ApiKeys`` in memory, which counts what it is asked for. While ``down`` is set, every call fails."""

    def __init__(self) -> None:
        self.keys: dict[str, ApiKey] = {}
        self.down = False
        self.reads = 0
        self.writes = 0

    def add(self, key: ApiKey) -> None:
        self.keys[key.id] = key

    def find(self, key_id: str) -> ApiKey | None:
        self.reads += 1
        self._answer()
        return self.keys.get(key_id)

    def note_use(self, key_id: str, at: int, unless_since: int) -> None:
        self.writes += 1
        self._answer()
        key = self.keys.get(key_id)
        if key is not None and (key.last_used_at is None or key.last_used_at < unless_since):
            self.keys[key_id] = replace(key, last_used_at=at)

    def _answer(self) -> None:
        if self.down:
            raise ConnectionError("the fake table of keys is down")
