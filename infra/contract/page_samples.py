"""Samples of a call for the shell and for Python.

Both use variables that ``SHELL_SETUP`` and ``PYTHON_SETUP`` set: the engine's address, the key, an order, and a file
of the page.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from shlex import quote
from textwrap import indent
from typing import Any

from chalicelib.codec.exact_json import dumps
from infra.contract.page_documents import Call, Document, Json, examples_of
from infra.contract.page_text import laid_out

SHELL_SETUP = """\
BASE=http://localhost:8000     # the address that make run prints
KEY=your-api-key               # any text where the deployment has no authentication
ORDER=the-orderId-of-an-answer
FILE=style.0123456789abcdef.css # a file that the page names
"""
PYTHON_SETUP = """\
import requests

BASE = "http://localhost:8000"  # the address that make run prints
KEY = "your-api-key"  # any text where the deployment has no authentication
ORDER = "the-orderId-of-an-answer"
FILE = "style.0123456789abcdef.css"  # a file that the page names
"""
_JSON = "application/json"
#: The variables by the path parameters that they fill.
_VARIABLES = {"orderId": "ORDER", "name": "FILE"}


@dataclass(frozen=True, slots=True)
class Request:
    """An example of a call, as data."""

    method: str
    path: str
    needs_key: bool
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


def request_of(document: Document, call: Call) -> Request:
    """The first example of each required parameter and of the body, and of the optional ones that have an example."""
    bodies = examples_of(document.body(call))
    return Request(
        call.method,
        call.path,
        bool(call.operation.get("security")),
        _given(document.parameters(call, "query")),
        _given(document.parameters(call, "header")),
        bodies[0].value if bodies else None,
    )


def curl(request: Request) -> str:
    """The request as a command of a POSIX shell."""
    query = "&".join(f"{name}={value}" for name, value in request.query.items())
    address = "$BASE" + _path(request, "${}") + (f"?{query}" if query else "")
    method = "" if request.method == "GET" else f" -X {request.method}"
    lines = [f'curl{method} "{address}"']
    lines += [f'-H "{name}: {value}"' for name, value in _credential(request, "$KEY").items()]
    lines += [f"-H {quote(f'{name}: {value}')}" for name, value in _headers(request).items()]
    if request.body is not None:
        lines.append(f"-d {quote(laid_out(request.body))}")
    return " \\\n  ".join(lines)


def python(request: Request) -> str:
    """The request as statements of Python, with ``requests``."""
    path = _path(request, "{{{}}}")
    lines = [f'f"{{BASE}}{path}"']
    headers = [f'"{name}": f"{value}"' for name, value in _credential(request, "{KEY}").items()]
    headers += [f"{dumps(name)}: {dumps(value)}" for name, value in request.headers.items()]
    if headers:
        lines.append(f"headers={{{', '.join(headers)}}}")
    if request.query:
        lines.append(f"params={laid_out(dict(request.query))}")
    if request.body is not None:
        lines.append(f"json={laid_out(request.body, _scalar)}")
    lines.append("timeout=30")
    arguments = indent("".join(f"{line},\n" for line in lines), "    ")
    return f"answer = requests.{request.method.lower()}(\n{arguments})\nprint(answer.status_code, answer.text)"


def _path(request: Request, use: str) -> str:
    """The path with its parameters as the uses of their variables."""
    path = request.path
    for parameter, variable in _VARIABLES.items():
        path = path.replace(f"{{{parameter}}}", use.format(variable))
    return path


def _given(parameters: list[Json]) -> dict[str, str]:
    examples = {parameter["name"]: examples_of(parameter) for parameter in parameters}
    return {name: str(values[0].value) for name, values in examples.items() if values}


def _credential(request: Request, key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if request.needs_key else {}


def _headers(request: Request) -> dict[str, str]:
    content_type = {} if request.body is None else {"Content-Type": _JSON}
    return {**content_type, **request.headers}


def _scalar(value: Any) -> str:
    """A JSON value that is neither an object nor a list, as Python writes it."""
    return str(value) if value is None or isinstance(value, bool) else dumps(value)
