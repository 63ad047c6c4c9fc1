"""The text of an API key reveals every slip before the engine asks its table."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.auth.key_text import new_key, read_key
from chalicelib.domain.errors import InvalidCredentialError

KEY = new_key("local")
CHARACTERS = string.ascii_letters + string.digits + "_-. \u00e4\ud800"


@given(st.text(string.ascii_lowercase, min_size=1, max_size=10))
def test_a_new_key_is_read_as_it_was_made(stage: str) -> None:
    made = new_key(stage)
    assert read_key(made.text, stage) == made
    assert made.text.startswith(f"oee_{stage}_{made.id}_")
    assert len(made.text) == len("oee_") + len(stage) + 1 + 12 + 1 + 43 + 6


@given(st.integers(0, len(KEY.text) - 1), st.sampled_from(CHARACTERS))
def test_a_key_with_one_changed_character_is_refused(position: int, character: str) -> None:
    changed = KEY.text[:position] + character + KEY.text[position + 1 :]
    if changed == KEY.text:
        return
    with pytest.raises(InvalidCredentialError):
        read_key(changed, "local")


@given(st.integers(0, len(KEY.text) - 1))
def test_a_truncated_key_is_refused(length: int) -> None:
    for part in (KEY.text[:length], KEY.text[len(KEY.text) - length :]):
        with pytest.raises(InvalidCredentialError):
            read_key(part, "local")


@given(st.text())
def test_any_other_text_is_refused(text: str) -> None:
    for each in (text, f"{KEY.text}{text}_", f"oee_local_{text}"):
        with pytest.raises(InvalidCredentialError):
            read_key(each, "local")


def test_a_key_of_another_stage_is_refused() -> None:
    with pytest.raises(InvalidCredentialError):
        read_key(new_key("prod").text, "dev")


def test_no_two_keys_are_alike() -> None:
    made = [new_key("local") for _ in range(200)]
    assert len({key.id for key in made}) == len({key.text[-49:-6] for key in made}) == 200


def test_the_digest_depends_on_the_whole_text_and_on_the_hashing_key() -> None:
    other = new_key("local")
    assert len({KEY.digest(b"one"), KEY.digest(b"two"), other.digest(b"one")}) == 3
    assert KEY.text not in KEY.digest(b"one")
