"""The page on the deployed system: whole at both addresses, and compressed by the front door."""

import pytest
import requests

from tests.e2e.client import PATIENCE_SECONDS
from tests.support.page import files_of
from tests.support.stack import RunningStack


def get(address: str, **headers: str) -> requests.Response:
    return requests.get(address, headers=headers, timeout=PATIENCE_SECONDS)


@pytest.mark.parametrize("door", ["http", "rest"])
def test_the_page_and_its_files_come_from_the_address_that_is_asked(stack: RunningStack, door: str) -> None:
    base = stack.endpoints[door]
    page = get(f"{base}/")
    assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-cache")
    assert f'data-ws="{stack.endpoints["ws"]}/ws"' in page.text
    assert get(f"{base}/", **{"If-None-Match": page.headers["ETag"]}).status_code == 304
    files = {name: get(f"{base}/ui/{name}") for name in files_of(page.text)}
    assert {name.rpartition(".")[2] for name in files} == {"css", "js", "svg"}
    for name, file in files.items():
        assert (file.status_code, file.headers["Cache-Control"]) == (200, "public, max-age=31536000, immutable"), name
        assert file.text


def test_the_front_door_compresses_the_scripts_and_knows_a_copy_of_either_form(stack: RunningStack) -> None:
    base = stack.endpoints["http"]
    [name] = [name for name in files_of(get(f"{base}/").text) if name.startswith("lit.")]
    plain, packed = (get(f"{base}/ui/{name}", **{"Accept-Encoding": coding}) for coding in ("identity", "gzip"))
    assert (plain.headers.get("Content-Encoding"), packed.headers["Content-Encoding"]) == (None, "gzip")
    assert plain.content == packed.content
    for copy in (plain, packed):
        headers = {"If-None-Match": copy.headers["ETag"], "Accept-Encoding": "gzip"}
        assert get(f"{base}/ui/{name}", **headers).status_code == 304
