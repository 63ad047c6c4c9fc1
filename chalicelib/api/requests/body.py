"""The JSON of a client, over HTTP and on sockets: an object whose names and text have one reading only."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from chalicelib.api.codes import FieldCode, ProblemCode
from chalicelib.api.errors import FieldError
from chalicelib.api.problems import malformed, too_large
from chalicelib.api.requests.fields import has_replacement
from chalicelib.codec.exact_json import NumberRangeError, loads_with_repetitions

#: Halves of surrogate pairs, which UTF-8 cannot hold.
_SURROGATES = re.compile("[\ud800-\udfff]")
#: More levels of objects and arrays than any request has, and few enough for every recursion over a body.
MAX_DEPTH = 32
#: A string up to its end, or a bracket. A string matches wherever it begins, so a scan takes linear time.
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.DOTALL)
#: The mark, and its bytes where each became a character. The JSON parser would remove both silently.
_BYTE_ORDER_MARKS = ("\ufeff", "\xef\xbb\xbf")


def read_json(raw: str | bytes, max_bytes: int, subject: str) -> dict[str, Any]:
    """The members of the object; ``subject`` begins the sentences of errors, as in "The body".

    :raises ProblemError: 413 for more than ``max_bytes``; 400 for anything but a JSON object in UTF-8 whose names are
        unique.
    """
    fields, repeated = parse_json(raw, max_bytes, subject)
    refuse_repeated(repeated, subject)
    return fields


def parse_json(raw: str | bytes, max_bytes: int, subject: str) -> tuple[dict[str, Any], list[str]]:
    """The members, and the names that come more than once, for ``refuse_repeated``; raises as ``read_json`` does."""
    text = _decoded(raw, max_bytes, subject)
    if _nests_deeper(text, MAX_DEPTH):
        detail = f"{subject} may nest objects and arrays {MAX_DEPTH} levels deep."
        raise malformed(detail, ProblemCode.MALFORMED_JSON)
    try:
        fields, repeated = loads_with_repetitions(text)
    except NumberRangeError:
        raise malformed(f"{subject} has a number out of range.", ProblemCode.MALFORMED_JSON) from None
    except ValueError:
        raise malformed(f"{subject} must be JSON.", ProblemCode.MALFORMED_JSON) from None
    if not isinstance(fields, dict):
        raise malformed(f"{subject} must be a JSON object.", ProblemCode.MALFORMED_JSON)
    # Only an escape can bring in such text after the check of the raw text.
    if "\\u" in text and not all(map(_is_utf8, _texts(fields))):
        raise _not_utf8(subject)
    return fields, repeated


def refuse_repeated(repeated: Sequence[str], subject: str) -> None:
    """:raises ProblemError: 400 naming every name that comes more than once."""
    if repeated:
        errors = [FieldError(name, FieldCode.REPEATED, "is given more than once") for name in repeated]
        raise malformed(f"{subject} has a name more than once.", ProblemCode.DUPLICATE_NAME, errors)


def _decoded(raw: str | bytes, max_bytes: int, subject: str) -> str:
    data = raw.encode(errors="surrogatepass") if isinstance(raw, str) else raw
    if len(data) > max_bytes:
        raise too_large(max_bytes)
    try:
        text = data.decode()
    except ValueError:
        raise _not_utf8(subject) from None
    if not _is_utf8(text):
        raise _not_utf8(subject)
    if text.startswith(_BYTE_ORDER_MARKS):
        # RFC 8259, 8.1: JSON between systems has no byte order mark.
        raise malformed(f"{subject} must begin without a byte order mark.", ProblemCode.MALFORMED_JSON)
    return text


def _nests_deeper(text: str, limit: int) -> bool:
    """True if the brackets of JSON nest deeper than ``limit`` levels."""
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(text):
        if found[0] in ("{", "["):
            depth += 1
            if depth > limit:
                return True
        elif found[0] in ("}", "]"):
            depth -= 1
    return False


def _is_utf8(text: str) -> bool:
    return not has_replacement(text) and _SURROGATES.search(text) is None


def _not_utf8(subject: str) -> Exception:
    detail = f"{subject} must be UTF-8 text without U+FFFD, the mark of text in another encoding."
    return malformed(detail, ProblemCode.MALFORMED_JSON)


def _texts(value: Any) -> Iterator[str]:
    """Every name and text in a JSON value."""
    match value:
        case str():
            yield value
        case dict():
            for name, member in value.items():
                yield name
                yield from _texts(member)
        case list():
            for member in value:
                yield from _texts(member)
