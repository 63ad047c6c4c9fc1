"""What the tests keep under ``build/ui`` for a person to look at: pictures, traces and figures."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from infra.project import ROOT

DIRECTORY = ROOT / "build" / "ui"
WIDTHS = (360, 1280, 2560)
SCHEMES = ("light", "dark")
_HEIGHTS = {360: 740, 1280: 800, 2560: 1300}


def path_of(kind: str, name: str, suffix: str) -> Path:
    """The file of an artefact, in a directory that exists."""
    directory = DIRECTORY / kind
    directory.mkdir(parents=True, exist_ok=True)
    return directory / f"{re.sub(r'[^A-Za-z0-9.-]+', '-', name).strip('-')}.{suffix}"


def keep_figures(name: str, figures: Mapping[str, Any]) -> None:
    """Write what a test has measured and does not judge."""
    path_of("figures", name, "json").write_text(json.dumps(figures, indent=2) + "\n")


def keep_pictures(page: Page, name: str, *, full_page: bool = True) -> None:
    """Take pictures of a view at each width in both schemes, and check that no width makes the page scroll sideways.

    The page has its first size and scheme again afterwards. Without ``full_page`` a picture ends with the window.
    """
    size = page.viewport_size
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": _HEIGHTS[width]})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            path = path_of("pictures", f"{name}-{width}-{scheme}", "png")
            page.screenshot(path=path, animations="disabled", full_page=full_page)
        too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert too_wide <= 0, f"{name} is {too_wide} px wider than a window of {width} px"
    page.emulate_media(color_scheme="null")
    if size:
        page.set_viewport_size(size)
