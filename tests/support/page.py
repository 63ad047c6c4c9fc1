"""The page of the engine, as tests read it."""

import re

_FILE = re.compile(r'"ui/([a-z]+\.[0-9a-f]{16}\.[a-z]+)"')


def files_of(page: str) -> set[str]:
    """The names of the files that the page asks for."""
    return set(_FILE.findall(page))
