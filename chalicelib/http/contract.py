"""The documents of the contract, which every caller may read and every cache may keep for a while."""

from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

from chalice.app import Blueprint, Request, Response

from chalicelib.http.conditional import digest, tagged
from chalicelib.http.headers import CACHE_CONTROL
from chalicelib.http.responses import CORS, READS, answering

routes = Blueprint(__name__)

DIRECTORY = Path(__file__).parent.parent / "contract"
#: A deployment may change the documents, and a reader may have those of five minutes ago.
_CACHING = "public, max-age=300"


@routes.route("/openapi.json", methods=READS, cors=CORS)
@answering(routes)
def get_openapi() -> Response:
    return _document(routes.current_request, "openapi.json", "application/json")


@routes.route("/asyncapi.json", methods=READS, cors=CORS)
@answering(routes)
def get_asyncapi() -> Response:
    return _document(routes.current_request, "asyncapi.json", "application/json")


@routes.route("/docs", methods=READS, cors=CORS)
@answering(routes)
def get_docs() -> Response:
    return _document(routes.current_request, "docs.html", "text/html; charset=utf-8", _docs_policy())


@routes.route("/llms.txt", methods=READS, cors=CORS)
@answering(routes)
def get_llms() -> Response:
    return _document(routes.current_request, "llms.txt", "text/plain; charset=utf-8")


def _document(
    request: Request, name: str, content_type: str, more_headers: Mapping[str, str] = MappingProxyType({})
) -> Response:
    text, tag = _read(name)
    return tagged(request, text, tag, content_type, {CACHE_CONTROL: _CACHING, **more_headers})


@cache
def _docs_policy() -> Mapping[str, str]:
    """The page may have its own style, and nothing else: no script, no form, no resource, no frame around it."""
    style = _read("docs.html")[0].partition("<style>")[2].partition("</style>")[0]
    hashed = b64encode(sha256(style.encode()).digest()).decode()
    others = "".join(f"; {name} 'none'" for name in ("base-uri", "form-action", "frame-ancestors"))
    return {"Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{hashed}'{others}"}


@cache
def _read(name: str) -> tuple[str, str]:
    """The text of a file of the package, and its tag."""
    data = (DIRECTORY / name).read_bytes()
    return data.decode(), f'"{digest(data)}"'
