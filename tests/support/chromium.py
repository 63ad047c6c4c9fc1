"""The Chromium of this machine, for the tests in a browser. Nothing is downloaded."""

import os
import shutil

_NAMES = ("chromium", "chromium-browser", "google-chrome")
#: The reason why tests are skipped, by which the summary finds them.
NO_CHROMIUM = "no Chromium: install it (apt-get install chromium), or name one with CHROMIUM=..."


def find_chromium() -> str | None:
    """The path of a Chromium: the one that ``CHROMIUM`` names, else one on the path."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
