"""Tests of the page in a browser, on the test kit: an engine for each test, without a stack."""

import shutil
from collections.abc import Iterator

import pytest

from chalicelib.http import page, page_files
from infra.aws.page import minify_page
from tests.ui.fixtures import browser, guard, ui_page  # noqa: F401
from tests.ui.kit import Kit, served_kit
from tests.ui.module import EXPORTS


@pytest.fixture(scope="package", autouse=True)
def packaged_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The page as the package has it: what a minifier breaks, a test of the page must see."""
    directory = tmp_path_factory.mktemp("page") / "ui"
    shutil.copytree(page_files.DIRECTORY, directory)
    minify_page(directory, EXPORTS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page_files, "DIRECTORY", directory)
        _forget_files()
        yield
    _forget_files()


@pytest.fixture
def kit(request: pytest.FixtureRequest) -> Iterator[Kit]:
    """An engine on a port. ``@pytest.mark.engine(auth=True)`` gives it settings."""
    mark = request.node.get_closest_marker("engine")
    with served_kit(**{"seed": request.node.name[:64], **(mark.kwargs if mark else {})}) as kit:
        yield kit


@pytest.fixture
def site_url(kit: Kit) -> str:
    return kit.url


def _forget_files() -> None:
    page_files.page_files.cache_clear()
    page._page.cache_clear()
