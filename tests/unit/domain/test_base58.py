"""Base58, against its definition."""

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.base58 import base58, byte_length
from chalicelib.domain.tokens import BY_MINT, launched_token


@given(st.binary(max_size=70))
def test_the_length_of_encoded_bytes_is_known(data: bytes) -> None:
    assert byte_length(base58(data)) == len(data)


@given(st.binary(min_size=24, max_size=40))
def test_an_address_is_a_mint_if_it_has_32_bytes(data: bytes) -> None:
    assert (launched_token(base58(data)) is not None) == (len(data) == 32)


def test_every_mint_of_the_registry_is_a_mint() -> None:
    assert all(launched_token(mint) for mint in BY_MINT)
