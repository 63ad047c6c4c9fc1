"""Base58 as Bitcoin and Solana write it, for addresses and transaction signatures."""

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGITS = {character: digit for digit, character in enumerate(_ALPHABET)}


def base58(data: bytes) -> str:
    """Encode bytes; every leading zero byte becomes a leading ``1``."""
    number = int.from_bytes(data, "big")
    digits = []
    while number:
        number, digit = divmod(number, 58)
        digits.append(_ALPHABET[digit])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + "".join(reversed(digits))


def byte_length(text: str) -> int:
    """The number of bytes that a text of base58 encodes.

    :raises KeyError: if the text is not base58.
    """
    number = 0
    for character in text:
        number = number * 58 + _DIGITS[character]
    zeros = len(text) - len(text.lstrip(_ALPHABET[0]))
    return zeros + (number.bit_length() + 7) // 8
