"""What a test fails with when the engine broke a promise."""

from collections.abc import Sequence


class InvariantError(AssertionError):
    """The engine broke invariants; ``violations`` has a line for each."""

    def __init__(self, violations: Sequence[str]) -> None:
        super().__init__("\n".join(["The engine broke its invariants:", *violations]))
        self.violations = tuple(violations)
