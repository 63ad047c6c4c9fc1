"""An API key proves its holder; every other credential proves nobody."""

import logging
from dataclasses import replace

import pytest

from chalicelib.auth.authenticator import CredentialAuthenticator
from chalicelib.auth.key_text import new_key, read_key
from chalicelib.auth.key_verifier import MAX_AGE_SECONDS, MAX_CACHED_KEYS, KeyVerifier
from chalicelib.domain.errors import ExpiredCredentialError, InvalidCredentialError, MissingCredentialError
from chalicelib.domain.identity import Caller, Credential, Scope, unrestricted
from chalicelib.ports.secrets import SecretUnavailableError
from tests.support.api_keys import a_key
from tests.support.workbench import Workbench, a_workbench

READ_AND_TRADE = (Scope.READ, Scope.TRADE)


class FakeTokens:
    """The tokens of an issuer, which all name Carol."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def verify(self, token: str) -> Caller:
        self.asked.append(token)
        return Caller("carol", frozenset(READ_AND_TRADE), Credential("", None))


@pytest.fixture
def bench() -> Workbench:
    return a_workbench(auth=True)


@pytest.fixture
def authenticator(bench: Workbench) -> CredentialAuthenticator:
    """The engine's authenticator with a clock for the age of cached keys that the test moves."""
    settings, clock = bench.engine.settings, bench.clock
    keys = KeyVerifier(
        settings.stage,
        bench.api_keys,
        bench.secrets,
        settings.auth_secret,
        monotonic=lambda: clock.now().timestamp(),
        now=clock.now,
    )
    return CredentialAuthenticator(bench.engine.authenticator.is_on, keys, None, clock.now)


def seconds(bench: Workbench) -> int:
    return int(bench.clock.now().timestamp())


def test_a_key_proves_its_user_with_its_scopes(bench: Workbench) -> None:
    key = a_key(bench, "alice", *READ_AND_TRADE, expires_at=seconds(bench) + 60)
    caller = bench.engine.authenticator.authenticate([f"Bearer {key}"], named_user="bob")
    credential = Credential(read_key(key, "local").id, seconds(bench) + 60)
    assert caller == Caller("alice", frozenset(READ_AND_TRADE), credential)


def test_without_authentication_a_request_is_believed_whatever_credential_it_brings() -> None:
    authenticator = a_workbench(auth=False).engine.authenticator
    for headers in ([], ["Bearer nonsense"], ["", "Basic x"]):
        assert authenticator.authenticate(headers, "bob") == unrestricted("bob")
        assert authenticator.authenticate(headers) == unrestricted()


def test_a_request_without_a_credential_proves_nobody(bench: Workbench) -> None:
    with pytest.raises(MissingCredentialError):
        bench.engine.authenticator.authenticate([], named_user="alice")


def test_an_unknown_credential_is_invalid(bench: Workbench) -> None:
    for token in ("nonsense", "oee_local_short", new_key("local").text, new_key("prod").text, "a.b.c"):
        with pytest.raises(InvalidCredentialError):
            bench.engine.authenticator.authenticate([f"Bearer {token}"])


def test_a_credential_that_cannot_be_a_key_of_this_stage_costs_no_call(bench: Workbench) -> None:
    genuine = a_key(bench)
    for token in (genuine[:-1], genuine[:-1] + "~", new_key("prod").text, "nonsense", "a.b.c"):
        with pytest.raises(InvalidCredentialError):
            bench.engine.authenticator.authenticate([f"Bearer {token}"])
    assert bench.api_keys.reads == 0


def test_a_forged_secret_under_a_known_id_is_invalid(bench: Workbench) -> None:
    genuine, other = a_key(bench), a_key(bench)
    known = bench.api_keys.keys.pop(read_key(other, "local").id)
    bench.api_keys.keys[known.id] = replace(bench.api_keys.keys[read_key(genuine, "local").id], id=known.id)
    with pytest.raises(InvalidCredentialError):
        bench.engine.authenticator.authenticate([f"Bearer {other}"])


def test_a_key_hashed_by_another_secret_is_invalid(bench: Workbench) -> None:
    key = a_key(bench)
    rotated = a_workbench(auth=True, auth_secret="another")
    rotated.api_keys.keys.update(bench.api_keys.keys)
    with pytest.raises(InvalidCredentialError):
        rotated.engine.authenticator.authenticate([f"Bearer {key}"])


def test_a_key_expires_at_the_very_second(bench: Workbench) -> None:
    key = a_key(bench, expires_at=seconds(bench) + 60)
    credential = bench.engine.authenticator.authenticate([f"Bearer {key}"]).credential
    assert credential is not None
    bench.clock.sleep(59)
    assert bench.engine.authenticator.is_live(credential)
    bench.engine.authenticator.authenticate([f"Bearer {key}"])
    bench.clock.sleep(1)
    assert not bench.engine.authenticator.is_live(credential)
    with pytest.raises(ExpiredCredentialError):
        bench.engine.authenticator.authenticate([f"Bearer {key}"])


def test_a_revoked_key_is_invalid_even_if_it_has_expired(bench: Workbench) -> None:
    key = a_key(bench, expires_at=1, revoked_at=1)
    with pytest.raises(InvalidCredentialError):
        bench.engine.authenticator.authenticate([f"Bearer {key}"])


def test_a_forger_does_not_learn_that_a_key_has_expired(bench: Workbench) -> None:
    genuine, forged = a_key(bench, expires_at=1), new_key("local")
    bench.api_keys.add(replace(bench.api_keys.keys[read_key(genuine, "local").id], id=forged.id))
    with pytest.raises(InvalidCredentialError):
        bench.engine.authenticator.authenticate([f"Bearer {forged.text}"])


def test_a_deleted_key_is_not_live(bench: Workbench) -> None:
    assert not bench.engine.authenticator.is_live(Credential("unknown", None))


def test_a_credential_of_an_issuer_lives_until_it_expires(bench: Workbench) -> None:
    authenticator = bench.engine.authenticator
    assert authenticator.is_live(Credential("", seconds(bench) + 1))
    assert not authenticator.is_live(Credential("", seconds(bench)))
    assert bench.api_keys.reads == 0


# --- the cache ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("known", [True, False])
def test_a_warm_environment_asks_for_a_key_once(bench: Workbench, known: bool) -> None:
    key = a_key(bench) if known else new_key("local").text
    for _ in range(5):
        try:
            bench.engine.authenticator.authenticate([f"Bearer {key}"])
        except InvalidCredentialError:
            assert not known
    assert (bench.api_keys.reads, bench.api_keys.writes) == (1, int(known))


def test_a_key_that_is_revoked_is_refused_once_the_cache_has_aged(
    bench: Workbench, authenticator: CredentialAuthenticator
) -> None:
    key = a_key(bench)
    credential = authenticator.authenticate([f"Bearer {key}"]).credential
    assert credential is not None
    stored = bench.api_keys.keys[credential.id]
    bench.api_keys.add(replace(stored, revoked_at=seconds(bench)))
    bench.clock.sleep(MAX_AGE_SECONDS - 1)
    assert authenticator.is_live(credential)
    bench.clock.sleep(1)
    assert not authenticator.is_live(credential)
    with pytest.raises(InvalidCredentialError):
        authenticator.authenticate([f"Bearer {key}"])


def test_a_flood_of_unknown_keys_fills_no_memory_and_displaces_no_key(
    bench: Workbench, authenticator: CredentialAuthenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = a_key(bench)
    authenticator.authenticate([f"Bearer {key}"])
    for _ in range(MAX_CACHED_KEYS + 50):
        with pytest.raises(InvalidCredentialError):
            authenticator.authenticate([f"Bearer {new_key('local').text}"])
    assert len(authenticator.keys._unknown._entries) == MAX_CACHED_KEYS
    monkeypatch.setattr(bench.api_keys, "find", lambda _: pytest.fail("the key is cached"))
    authenticator.authenticate([f"Bearer {key}"])


# --- the last use -------------------------------------------------------------------------------------------


def test_the_last_use_is_noted_once_an_hour(bench: Workbench, authenticator: CredentialAuthenticator) -> None:
    key = a_key(bench)
    noted = []
    for _ in range(4):
        for _ in range(3):
            authenticator.authenticate([f"Bearer {key}"])
        noted.append(bench.api_keys.keys[read_key(key, "local").id].last_used_at)
        bench.clock.sleep(1801)
    assert len(set(noted)) == bench.api_keys.writes == 2


def test_a_use_that_cannot_be_noted_fails_no_request(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(bench.api_keys, "note_use", fails)
    key = a_key(bench)
    assert bench.engine.authenticator.authenticate([f"Bearer {key}"]).user_id == "alice"


# --- outages, issuers, logs -----------------------------------------------------------------------------------


def test_a_secret_that_cannot_be_read_is_an_outage_and_no_verdict(bench: Workbench) -> None:
    key = a_key(bench)
    bench.secrets.down = True
    with pytest.raises(SecretUnavailableError):
        bench.engine.authenticator.authenticate([f"Bearer {key}"])
    bench.secrets.down = False
    assert bench.engine.authenticator.authenticate([f"Bearer {key}"]).user_id == "alice"


def test_a_token_of_three_parts_is_for_the_issuer_and_a_key_never_is(authenticator: CredentialAuthenticator) -> None:
    tokens = FakeTokens()
    authenticator = replace(authenticator, tokens=tokens)
    assert authenticator.authenticate(["Bearer a.b.c"]).user_id == "carol"
    for other in ("a.b", "a.b.c.d", "oee_local.b.c"):
        with pytest.raises(InvalidCredentialError):
            authenticator.authenticate([f"Bearer {other}"])
    assert tokens.asked == ["a.b.c"]


def test_no_log_line_has_a_key(bench: Workbench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key, forged = a_key(bench), new_key("local").text
    bench.api_keys.down = True
    for text in (key, forged):
        with pytest.raises(ConnectionError):
            bench.engine.authenticator.authenticate([f"Bearer {text}"])
    bench.api_keys.down = False
    bench.engine.authenticator.authenticate([f"Bearer {key}"])
    assert not [line for line in caplog.messages if key[-49:] in line or forged[-49:] in line]
