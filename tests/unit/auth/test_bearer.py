"""The ``Authorization`` header has one reading only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.auth.bearer import bearer_token
from chalicelib.domain.errors import InvalidCredentialError, MissingCredentialError, UnauthenticatedError


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
@pytest.mark.parametrize("spaces", [" ", "   "])
def test_the_scheme_is_read_in_any_case(scheme: str, spaces: str) -> None:
    assert bearer_token([f"{scheme}{spaces}abc.DEF-123_~+/=="]) == "abc.DEF-123_~+/=="


def test_white_space_around_the_value_does_not_count() -> None:
    assert bearer_token([" \tBearer abc \t"]) == "abc"


@pytest.mark.parametrize("values", [[], [""], ["  "], ["", "\t"]])
def test_a_request_without_a_value_has_no_credential(values: list[str]) -> None:
    with pytest.raises(MissingCredentialError):
        bearer_token(values)


@pytest.mark.parametrize(
    "values",
    [
        *(["Bearer abc", "Bearer abc"], ["Bearer abc", ""], ["", "Bearer abc"], ["Bearer abc, Bearer abc"]),
        *(["Basic dXNlcjpwYXNz"], ["Digest abc"], ["Bearers abc"], ["Bear er abc"], ["abc"]),
        *(["Bearer"], ["Bearer "], ["Bearerabc"], ["Bearer\tabc"], ["Bearer abc def"], ["Bearer =abc"]),
        *(
            ["Bearer abc\x00"],
            ["Bearer a\x7fbc"],
            ["Bearer abc\r\nX-Other: 1"],
            ["\x00Bearer abc"],
            ["Bearer \u00e4bc"],
        ),
        *(["Bearer \u00e4bc"], ["Be\u0430rer abc"], ["Bearer abc\ud800"], ["Bearer " + "a" * 8192]),
    ],
)
def test_any_other_value_is_invalid(values: list[str]) -> None:
    with pytest.raises(InvalidCredentialError):
        bearer_token(values)


@given(st.lists(st.text() | st.text(st.characters(codec="latin-1")).map("Bearer {}".format), max_size=3))
def test_every_header_is_a_token_or_refused(values: list[str]) -> None:
    try:
        token = bearer_token(values)
    except UnauthenticatedError:
        return
    assert token.isascii()
    assert token.isprintable()
    assert " " not in token
