"""The operator's consent: a question at the terminal, or ``YES=1`` instead of it."""

import sys
from collections.abc import Callable, Mapping

from infra.errors import InfraError

_YES = ("y", "yes")


class NotApprovedError(InfraError):
    """The operator says no, or there is nobody to ask."""


def ask(
    question: str,
    environment: Mapping[str, str],
    *,
    after_no: str = "Nothing was changed.",
    read: Callable[[str], str] = input,
    is_terminal: Callable[[], bool] = lambda: sys.stdin is not None and sys.stdin.isatty(),
) -> None:
    """Go on only if the operator says yes to ``question``, which names what happens; ``after_no`` says what did not.

    :raises NotApprovedError: if the answer is another, or there is neither a terminal nor ``YES=1``.
    """
    if environment.get("YES") == "1":
        return
    if not is_terminal():
        raise NotApprovedError(f"{question} There is no terminal to ask at: YES=1 says yes.")
    try:
        answer = read(f"{question} [y/N] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() not in _YES:
        raise NotApprovedError(after_no)
