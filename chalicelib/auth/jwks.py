"""The keys of an issuer, as long as they may verify tokens."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from chalicelib.domain.errors import InvalidCredentialError
from chalicelib.ports.authentication import IssuerUnavailableError

if TYPE_CHECKING:
    from jwt import PyJWK

log = logging.getLogger(__name__)

_FRESH_SECONDS = 600.0
#: Keys of an issuer that is away.
_MAX_AGE_SECONDS = 24 * 3600.0
#: How long the last answer, or its absence, holds: with keys, and without any.
_PAUSE_SECONDS = 30.0
_PAUSE_WITHOUT_KEYS_SECONDS = 5.0
#: How long a token whose key is not known waits for the fetch of another thread.
_PATIENCE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class _KeyType:
    algorithm: str
    kty: str
    crv: str | None
    #: The members of the public key. A private or symmetric one is never read.
    members: tuple[str, ...]


_KEY_TYPES = (
    _KeyType("RS256", "RSA", None, ("n", "e")),
    _KeyType("ES256", "EC", "P-256", ("x", "y")),
    _KeyType("EdDSA", "OKP", "Ed25519", ("x",)),
)
ALGORITHMS = frozenset(key_type.algorithm for key_type in _KEY_TYPES)


@dataclass(frozen=True, slots=True)
class _KeySet:
    keys: "tuple[PyJWK, ...]"
    fetched_at: float

    def find(self, kid: str | None, algorithm: str) -> "PyJWK | None":
        """The only key that fits. A token without a key id names the only key of its algorithm."""
        found = [key for key in self.keys if key.algorithm_name == algorithm and kid in (None, key.key_id)]
        return found[0] if len(found) == 1 else None


class IssuerKeys:
    """Caches the keys, and asks for them with one thread at a time. Known keys never wait for a fetch elsewhere."""

    def __init__(self, fetch: Callable[[], Iterable[object]], monotonic: Callable[[], float]) -> None:
        """``fetch`` returns the published keys and raises ``IssuerUnavailableError``."""
        self._fetch = fetch
        self._monotonic = monotonic
        self._fetching = Lock()
        self._set: _KeySet | None = None
        self._asked_at: float | None = None

    def key(self, kid: str | None, algorithm: str) -> "PyJWK":
        """The key that verifies a token with this key id and algorithm.

        :raises InvalidCredentialError: if the issuer publishes no such key.
        :raises IssuerUnavailableError: if the issuer's keys are not known.
        """
        found = self._find(kid, algorithm)
        if found is None or self._age() > _FRESH_SECONDS:
            self._refresh(_PATIENCE_SECONDS if found is None else 0)
            found = self._find(kid, algorithm)
        if found is not None:
            return found
        if self._age() > _MAX_AGE_SECONDS:
            raise IssuerUnavailableError
        raise InvalidCredentialError

    def _find(self, kid: str | None, algorithm: str) -> "PyJWK | None":
        known = self._set
        return known.find(kid, algorithm) if known and self._age() <= _MAX_AGE_SECONDS else None

    def _age(self) -> float:
        return self._monotonic() - self._set.fetched_at if self._set else float("inf")

    def _refresh(self, patience_seconds: float) -> None:
        if not self._fetching.acquire(timeout=patience_seconds):
            return
        try:
            if self._may_ask():
                self._ask()
        finally:
            self._fetching.release()

    def _may_ask(self) -> bool:
        pause = _PAUSE_SECONDS if self._age() <= _MAX_AGE_SECONDS else _PAUSE_WITHOUT_KEYS_SECONDS
        return self._asked_at is None or self._monotonic() - self._asked_at >= pause

    def _ask(self) -> None:
        try:
            keys = usable_keys(self._fetch())
            self._set = _KeySet(keys, self._monotonic())
        except IssuerUnavailableError as error:
            log.warning("cannot fetch the keys of the issuer: %s", error)
        finally:
            self._asked_at = self._monotonic()


def usable_keys(published: Iterable[object]) -> "tuple[PyJWK, ...]":
    """The public keys that may verify tokens. An issuer may publish keys for other uses beside them."""
    return tuple(key for jwk in published if (key := _usable_key(jwk)) is not None)


def _usable_key(jwk: object) -> "PyJWK | None":
    # PyJWT loads cryptography, which a start without a token does not need.
    from jwt import PyJWK, PyJWTError

    if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig":
        return None
    kind = (jwk.get("kty"), jwk.get("crv"))
    key_type = next((known for known in _KEY_TYPES if (known.kty, known.crv) == kind), None)
    if key_type is None or jwk.get("alg", key_type.algorithm) != key_type.algorithm:
        return None
    try:
        key = PyJWK({name: jwk.get(name) for name in ("kty", "crv", "kid", *key_type.members)}, key_type.algorithm)
    except PyJWTError:
        return None
    return None if key.Algorithm.check_key_length(key.key) else key
