"""The page that shows the engine at work, and its files, which every caller may read."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from urllib.parse import urlsplit

from chalice.app import Blueprint, Response

from chalicelib import VERSION
from chalicelib.api.bare_problems import plain_problem
from chalicelib.api.problems import ProblemError
from chalicelib.bootstrap import engine
from chalicelib.http.conditional import digest, tagged
from chalicelib.http.headers import CACHE_CONTROL
from chalicelib.http.page_files import DIRECTORY, PageFile, index_page, page_files
from chalicelib.http.responses import CORS, READS, answering

routes = Blueprint(__name__)

_KEEP = MappingProxyType({CACHE_CONTROL: "public, max-age=31536000, immutable"})
#: lit-html names its policy of trusted types after itself.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' {sockets}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types lit-html"
)


@routes.route("/", methods=READS, cors=CORS)
@answering(routes)
def get_page() -> Response:
    files, settings = _files(), engine().settings
    text = _page(settings.public_ws_url, settings.stage, settings.auth, settings.simulation)
    headers = {
        CACHE_CONTROL: "no-cache",
        "Content-Security-Policy": _policy(settings.public_ws_url),
        "Link": _preloads(files),
    }
    return tagged(routes.current_request, text, f'"{digest(text.encode())}"', "text/html; charset=utf-8", headers)


@routes.route("/ui/{name}", methods=READS, cors=CORS)
@answering(routes)
def get_page_file(name: str) -> Response:
    file = next((file for file in _files().values() if file.name == name), None)
    if file is None:
        raise ProblemError(plain_problem(404, "The page has no such file. The page itself names the ones it has."))
    return tagged(routes.current_request, file.text, file.tag, file.content_type, _KEEP)


def _files() -> Mapping[str, PageFile]:
    """:raises ProblemError: 404 in a package of the engine without the page, which the client's wheel has."""
    if not DIRECTORY.is_dir():
        raise ProblemError(plain_problem(404, "This engine comes without its page."))
    return page_files()


@cache
def _page(sockets: str, stage: str, auth: bool, simulation: bool) -> str:
    flags = {"auth": auth, "simulation": simulation}
    words = {name: "on" if flag else "off" for name, flag in flags.items()}
    return index_page({"ws": sockets, "stage": stage, "version": VERSION, **words})


def _policy(sockets: str) -> str:
    """The page runs its own files alone, and connects to its own origin and to that of the sockets."""
    address = urlsplit(sockets)
    return _POLICY.format(sockets=f"{address.scheme}://{address.netloc}")


def _preloads(files: Mapping[str, PageFile]) -> str:
    """What a browser may fetch before it has read the page: everything comes in one round trip."""
    scripts = (f"<ui/{files[key].name}>; rel=modulepreload" for key in ("lit", "app"))
    return ", ".join([f"<ui/{files['style'].name}>; rel=preload; as=style", *scripts])
