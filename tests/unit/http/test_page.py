"""The page and its files: what a browser may do with them, and how long it may keep them."""

import hashlib
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from chalicelib import VERSION
from chalicelib.bootstrap import using
from chalicelib.codec.exact_json import loads
from chalicelib.http import page, page_files
from chalicelib.http.application import app
from chalicelib.http.headers import FIXED_HEADERS
from chalicelib.http.page_files import DIRECTORY
from tests.support.page import files_of
from tests.support.workbench import a_workbench

Answer = dict[str, Any]

SOCKETS = "wss://d111.cloudfront.net/ws"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self' wss://d111.cloudfront.net; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types lit-html"
)


class Markup(HTMLParser):
    """The elements of the page, with their attributes and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem and data.strip():
            self.texts.append((self.cdata_elem, data))

    @property
    def root(self) -> dict[str, str]:
        return next(attributes for tag, attributes in self.elements if tag == "html")


def request(path: str, name: str = "", *, method: str = "GET", tag: str = "") -> Answer:
    event = {
        "requestContext": {"httpMethod": method, "resourcePath": path, "requestId": "r"},
        "headers": {"If-None-Match": tag} if tag else {},
        "multiValueQueryStringParameters": None,
        "pathParameters": {"name": name},
        "stageVariables": None,
        "body": None,
    }
    answer: Answer = app(event, None)
    return answer


def get_page(**changes: Any) -> Answer:
    """The answer of an engine with these settings."""
    with using(a_workbench(**{"public_ws_url": SOCKETS, **changes}).engine):
        return request("/")


def get_file(name: str, **how: str) -> Answer:
    return request("/ui/{name}", name, **how)


@pytest.fixture(scope="module")
def answer() -> Answer:
    return get_page()


@pytest.fixture(scope="module")
def names(answer: Answer) -> dict[str, str]:
    """The names of the files by what comes before the digest."""
    return {name.partition(".")[0]: name for name in files_of(answer["body"])}


# --- the page -----------------------------------------------------------------------------------------------


def test_a_browser_may_load_the_pages_own_files_and_reach_its_own_sockets_alone(answer: Answer) -> None:
    assert (answer["statusCode"], answer["headers"]["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert answer["headers"]["Content-Security-Policy"] == POLICY
    others = {name: value for name, value in FIXED_HEADERS.items() if name != "Cache-Control"}
    assert others.items() <= answer["headers"].items()


def test_a_browser_asks_for_the_page_again_and_gets_no_body_if_it_has_it(answer: Answer) -> None:
    tag = answer["headers"]["ETag"]
    assert answer["headers"]["Cache-Control"] == "no-cache"
    with using(a_workbench(public_ws_url=SOCKETS).engine):
        again = request("/", tag=tag)
    assert (again["statusCode"], again["body"], again["headers"]["ETag"]) == (304, "", tag)
    assert get_page(auth=True)["headers"]["ETag"] != tag


def test_head_of_the_page_has_the_headers_of_get(answer: Answer) -> None:
    with using(a_workbench(public_ws_url=SOCKETS).engine):
        head = request("/", method="HEAD")
    length = str(len(answer["body"].encode()))
    assert (head["body"], head["headers"]) == ("", answer["headers"] | {"Content-Length": length})


def test_everything_that_the_first_view_needs_is_preloaded(answer: Answer, names: dict[str, str]) -> None:
    assert answer["headers"]["Link"] == (
        f"<ui/{names['style']}>; rel=preload; as=style, "
        f"<ui/{names['lit']}>; rel=modulepreload, <ui/{names['app']}>; rel=modulepreload"
    )


@pytest.mark.parametrize("flag", [True, False])
def test_the_page_knows_the_settings_that_it_needs(flag: bool) -> None:
    root = Markup(get_page(auth=flag, simulation=not flag, stage="dev")["body"]).root
    words = ("on", "off") if flag else ("off", "on")
    assert (root["data-auth"], root["data-simulation"]) == words
    assert (root["data-ws"], root["data-stage"], root["data-version"]) == (SOCKETS, "dev", VERSION)


def test_a_setting_is_text_and_never_markup() -> None:
    stage = "\"><script>alert('&amp;')</script>"
    body = get_page(stage=stage)["body"]
    assert Markup(body).root["data-stage"] == stage
    assert "<script>alert" not in body


def test_no_placeholder_is_left(answer: Answer) -> None:
    assert "{{" not in answer["body"]


def test_the_page_has_no_inline_script_style_or_handler(answer: Answer) -> None:
    markup = Markup(answer["body"])
    assert markup.texts == []
    assert not [tag for tag, _ in markup.elements if tag in ("style", "base", "iframe", "object", "embed")]
    assert all("src" in attributes for tag, attributes in markup.elements if tag == "script")
    attributes = [name for _, attributes in markup.elements for name in attributes]
    assert not [name for name in attributes if name == "style" or name.startswith("on")]


def test_the_page_asks_for_its_own_files_alone(answer: Answer, names: dict[str, str]) -> None:
    links = [attributes.get("href") or attributes.get("src") for _, attributes in Markup(answer["body"]).elements]
    assert {link for link in links if link} >= {f"ui/{name}" for name in names.values()}
    assert not re.search(r"https?:|//", " ".join(link for link in links if link))


# --- its files ----------------------------------------------------------------------------------------------

TYPES = {
    "style": "text/css; charset=utf-8",
    "app": "text/javascript; charset=utf-8",
    "lit": "text/javascript; charset=utf-8",
    "icon": "image/svg+xml",
}


def test_the_page_names_its_four_files(names: dict[str, str]) -> None:
    assert names.keys() == TYPES.keys()


@pytest.mark.parametrize("stem", TYPES)
def test_a_cache_may_keep_a_file_for_ever_because_its_name_is_of_its_text(names: dict[str, str], stem: str) -> None:
    file = get_file(names[stem])
    assert (file["statusCode"], file["headers"]["Content-Type"]) == (200, TYPES[stem])
    assert file["headers"]["Cache-Control"] == "public, max-age=31536000, immutable"
    assert hashlib.sha256(file["body"].encode()).hexdigest().startswith(names[stem].split(".")[1])
    assert get_file(names[stem], tag=file["headers"]["ETag"])["statusCode"] == 304
    assert get_file(names[stem], method="HEAD")["headers"] == file["headers"] | {
        "Content-Length": str(len(file["body"].encode()))
    }


@pytest.mark.parametrize(
    "name", [f"style.{'0' * 16}.css", "style.css", "index.html", "app.js", "", "../app.py", "..%2Fsettings.py"]
)
def test_any_other_name_and_that_of_an_older_file_is_not_found_and_not_kept(name: str) -> None:
    file = get_file(name)
    assert (file["statusCode"], loads(file["body"])["code"]) == (404, "NOT_FOUND")
    assert file["headers"]["Cache-Control"] == "no-store"


def test_an_engine_without_the_page_has_neither_page_nor_files(
    monkeypatch: pytest.MonkeyPatch, names: dict[str, str]
) -> None:
    monkeypatch.setattr(page, "DIRECTORY", DIRECTORY / "absent")
    for missing in (get_page(), get_file(names["style"])):
        assert (missing["statusCode"], loads(missing["body"])["code"]) == (404, "NOT_FOUND")


def test_the_library_is_the_bundle_that_its_comment_names() -> None:
    head, _, bundle = (DIRECTORY / "lit.js").read_text().partition("*/\n")
    assert re.search(r"lit-html \d+\.\d+\.\d+.*BSD-3-Clause", head)
    [digest] = re.findall(r"\b[0-9a-f]{64}\b", head)
    assert hashlib.sha256(bundle.encode()).hexdigest() == digest


def test_comments_and_indentation_are_not_served(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {
        "style.css": "/* One.\n   Two. */\na {\n  color: red;\n}\n\n  /* Three. */\n",
        "icon.svg": "<!-- One. -->\n<svg>\n  <path/>\n</svg>\n",
    }
    read = page_files._read
    monkeypatch.setattr(page_files, "_read", lambda name: texts.get(name) or read(name))
    files = page_files.page_files.__wrapped__()
    assert files["style"].text == "a {\ncolor: red;\n}\n"
    assert files["icon"].text == "<svg>\n<path/>\n</svg>\n"
