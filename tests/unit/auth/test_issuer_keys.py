"""The keys of an issuer are asked for as seldom as can be, and outlast its absence for a day."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.auth.jwks import IssuerKeys, usable_keys
from chalicelib.domain.errors import InvalidCredentialError
from chalicelib.ports.authentication import IssuerUnavailableError
from orderengine.testing.fakes.clock import FakeClock
from tests.unit.auth.conftest import Keys

_FRESH, _DAY = 600, 24 * 3600


class Publisher:
    """Publishes the keys ``published``, or is away if they are ``None``."""

    def __init__(self, published: list[object] | None) -> None:
        self.published = published
        self.fetches = 0
        #: Counts the fetches that a test has not waited for yet.
        self.begun = threading.Semaphore(0)
        #: Holds each fetch until it is set.
        self.open = threading.Event()
        self.open.set()

    def fetch(self) -> list[object]:
        self.fetches += 1
        self.begun.release()
        self.open.wait()
        if self.published is None:
            raise IssuerUnavailableError
        return self.published


@pytest.fixture
def publisher(keys: Keys) -> Iterator[Publisher]:
    publisher = Publisher([keys.rsa.jwk])
    yield publisher
    publisher.open.set()


@pytest.fixture
def known(publisher: Publisher, clock: FakeClock) -> IssuerKeys:
    return IssuerKeys(publisher.fetch, lambda: clock.now().timestamp())


def refused(error: type[Exception], keys: IssuerKeys, kid: str = "rsa") -> None:
    with pytest.raises(error):
        keys.key(kid, "RS256")


def test_keys_are_asked_for_every_ten_minutes(publisher: Publisher, known: IssuerKeys, clock: FakeClock) -> None:
    for seconds, fetches in ((0, 1), (_FRESH, 1), (1, 2), (_FRESH, 2), (1, 3)):
        clock.sleep(seconds)
        assert known.key("rsa", "RS256").key_id == "rsa"
        assert publisher.fetches == fetches


def test_an_unknown_key_id_is_asked_for_at_most_every_half_a_minute(
    publisher: Publisher, known: IssuerKeys, clock: FakeClock, keys: Keys
) -> None:
    known.key("rsa", "RS256")
    for number in range(100):
        refused(InvalidCredentialError, known, f"made-up-{number}")
    assert publisher.fetches == 1
    publisher.published = [keys.rsa.jwk, keys.ec.jwk]
    clock.sleep(30)
    assert known.key("ec", "ES256").key_id == "ec"
    refused(InvalidCredentialError, known, "made-up")
    assert publisher.fetches == 2


def test_a_key_that_is_no_longer_published_verifies_nothing_after_the_next_fetch(
    publisher: Publisher, known: IssuerKeys, clock: FakeClock, keys: Keys
) -> None:
    known.key("rsa", "RS256")
    publisher.published = [keys.ec.jwk]
    clock.sleep(_FRESH + 1)
    refused(InvalidCredentialError, known)


def test_the_keys_of_an_issuer_that_is_away_are_known_for_a_day(
    publisher: Publisher, known: IssuerKeys, clock: FakeClock
) -> None:
    known.key("rsa", "RS256")
    publisher.published = None
    clock.sleep(_DAY)
    assert known.key("rsa", "RS256")
    refused(InvalidCredentialError, known, "unknown")
    clock.sleep(1)
    refused(IssuerUnavailableError, known)


def test_an_issuer_that_is_away_is_asked_every_half_a_minute_while_its_keys_are_known(
    publisher: Publisher, known: IssuerKeys, clock: FakeClock
) -> None:
    known.key("rsa", "RS256")
    publisher.published = None
    clock.sleep(_FRESH + 1)
    for _ in range(60):
        known.key("rsa", "RS256")
        clock.sleep(1)
    assert publisher.fetches == 3


def test_an_issuer_that_is_away_is_asked_every_five_seconds_while_no_key_is_known(
    publisher: Publisher, known: IssuerKeys, clock: FakeClock, keys: Keys
) -> None:
    publisher.published = None
    for _ in range(10):
        refused(IssuerUnavailableError, known)
        clock.sleep(1)
    assert publisher.fetches == 2
    publisher.published = [keys.rsa.jwk]
    assert known.key("rsa", "RS256")


def test_tokens_that_arrive_at_once_make_one_fetch(publisher: Publisher, known: IssuerKeys) -> None:
    publisher.open.clear()
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(known.key, "rsa", "RS256") for _ in range(8)]
        publisher.open.set()
    assert {future.result().key_id for future in waiting} == {"rsa"}
    assert publisher.fetches == 1


def test_a_known_key_does_not_wait_for_the_fetch_of_another_thread(
    publisher: Publisher, known: IssuerKeys, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.auth.jwks._PATIENCE_SECONDS", 60)
    known.key("rsa", "RS256")
    assert publisher.begun.acquire(timeout=10)
    clock.sleep(_FRESH + 1)
    publisher.open.clear()
    with ThreadPoolExecutor(2) as pool:
        try:
            first = pool.submit(known.key, "rsa", "RS256")
            assert publisher.begun.acquire(timeout=10)
            assert pool.submit(known.key, "rsa", "RS256").result(timeout=10).key_id == "rsa"
            assert not first.done()
        finally:
            publisher.open.set()
    assert publisher.fetches == 2


def test_a_token_waits_for_the_fetch_of_another_thread_no_longer_than_its_patience(
    publisher: Publisher, known: IssuerKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.auth.jwks._PATIENCE_SECONDS", 0.01)
    publisher.open.clear()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(known.key, "rsa", "RS256")
        assert publisher.begun.acquire(timeout=10)
        refused(IssuerUnavailableError, known)
        publisher.open.set()


def test_an_issuer_without_a_key_refuses_every_token(publisher: Publisher, known: IssuerKeys) -> None:
    publisher.published = []
    refused(InvalidCredentialError, known)


def test_only_public_keys_for_signatures_of_the_known_algorithms_are_usable(keys: Keys) -> None:
    rsa = keys.rsa.jwk
    published: list[object] = [
        {**rsa, "use": "enc"},
        {**rsa, "alg": "RSA-OAEP"},
        {**rsa, "alg": "RS512"},
        {**rsa, "n": "AQAB"},
        {**rsa, "n": 5},
        {**rsa, "kty": "oct", "k": "c2VjcmV0"},
        {**keys.ec.jwk, "crv": "P-384"},
        {**keys.ec.jwk, "x": keys.ec.jwk["y"]},
        {**keys.ed25519.jwk, "crv": "X25519"},
        {"kty": "RSA"},
        {"kty": ["RSA"]},
        [],
        None,
    ]
    assert usable_keys(published) == ()
    plain = {name: value for name, value in rsa.items() if name not in ("use", "alg")}
    assert [key.algorithm_name for key in usable_keys([*published, plain])] == ["RS256"]


def test_the_private_part_of_a_published_key_is_ignored(keys: Keys) -> None:
    (key,) = usable_keys([{**keys.ed25519.jwk, "d": keys.ed25519.jwk["x"]}])
    assert not hasattr(key.key, "sign")


def test_two_keys_of_one_id_verify_nothing(publisher: Publisher, known: IssuerKeys, keys: Keys) -> None:
    publisher.published = [keys.rsa.jwk, keys.forger.jwk]
    refused(InvalidCredentialError, known)


_values = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text(max_size=2), max_size=2)


@given(
    st.fixed_dictionaries(
        {"kty": st.sampled_from(["RSA", "EC", "OKP"]) | _values},
        optional={
            "crv": st.sampled_from(["P-256", "Ed25519"]) | _values,
            **{name: _values | st.from_regex("[A-Za-z0-9_-]{43}", fullmatch=True) for name in ("n", "e", "x", "y")},
            **{name: _values for name in ("kid", "use", "alg")},
        },
    )
)
def test_no_published_key_makes_the_others_unusable(jwk: dict[str, object]) -> None:
    assert len(usable_keys([jwk])) <= 1
