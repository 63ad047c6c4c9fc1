"""The cover of the looks in memory."""


class FakeLookCover:
    """``LookCover`` in memory."""

    def __init__(self) -> None:
        self._until_ms = 0

    def until_ms(self) -> int:
        return self._until_ms

    def extend(self, until_ms: int) -> None:
        self._until_ms = until_ms
