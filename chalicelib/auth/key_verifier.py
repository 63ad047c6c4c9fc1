"""API keys: who holds one, and whether it still counts."""

import hmac
import logging
from collections.abc import Callable
from functools import cached_property

from chalicelib.auth.derived_keys import derived_key
from chalicelib.auth.key_text import read_key
from chalicelib.auth.timed_cache import TimedCache
from chalicelib.clock import Clock
from chalicelib.codec.times import to_seconds
from chalicelib.domain.errors import ExpiredCredentialError, InvalidCredentialError
from chalicelib.domain.identity import Caller, Credential
from chalicelib.ports.api_keys import ApiKey, ApiKeys
from chalicelib.ports.secrets import Secrets

log = logging.getLogger(__name__)

#: The use of the engine's secret from which the key for hashing API keys derives.
LABEL = "api-keys"
#: A process refuses a revoked key after this time at the latest.
MAX_AGE_SECONDS = 30
MAX_CACHED_KEYS = 1000
_USE_NOTED_SECONDS = 3600
#: The digest of no key. An unknown id is compared with it, so that it takes as long as a wrong secret.
_NO_DIGEST = "0" * 64


class KeyVerifier:
    """Checks the API keys of ``stage``. The secret named ``secret_name`` is read when the first key arrives."""

    def __init__(
        self,
        stage: str,
        keys: ApiKeys,
        secrets: Secrets,
        secret_name: str,
        monotonic: Callable[[], float],
        now: Clock,
    ) -> None:
        self._stage = stage
        self._keys = keys
        self._secrets = secrets
        self._secret_name = secret_name
        self._now = now
        #: By their ids.
        self._cached: TimedCache[str, ApiKey] = TimedCache(MAX_AGE_SECONDS, MAX_CACHED_KEYS, monotonic)
        #: Ids that the table does not have. A flood of them leaves the keys of users cached.
        self._unknown: TimedCache[str, bool] = TimedCache(MAX_AGE_SECONDS, MAX_CACHED_KEYS, monotonic)

    @cached_property
    def _hash_key(self) -> bytes:
        return derived_key(self._secrets.read(self._secret_name), LABEL)

    def verify(self, text: str) -> Caller:
        """The holder of the key.

        :raises InvalidCredentialError: if the key is malformed, of another stage, unknown, forged or revoked.
        :raises ExpiredCredentialError: if it has expired.
        :raises SecretUnavailableError: if the engine cannot read its secret.
        """
        given = read_key(text, self._stage)
        digest = given.digest(self._hash_key)
        cached = self._cached.get(given.id)
        key = cached or self._read(given.id)
        is_genuine = hmac.compare_digest(digest, key.digest if key else _NO_DIGEST)
        if key is None or not is_genuine or key.revoked_at is not None:
            raise InvalidCredentialError
        now, credential = to_seconds(self._now()), Credential(key.id, key.expires_at)
        if credential.has_expired(now):
            raise ExpiredCredentialError
        if cached is None:
            self._note_use(key, now)
        return Caller(key.user_id, key.scopes, credential)

    def is_live(self, key_id: str) -> bool:
        """False once the key is revoked, or if it is unknown. The answer may be ``MAX_AGE_SECONDS`` old."""
        key = self._cached.get(key_id) or self._read(key_id)
        return key is not None and key.revoked_at is None

    def _read(self, key_id: str) -> ApiKey | None:
        if self._unknown.get(key_id):
            return None
        found = self._keys.find(key_id)
        if found:
            self._cached.put(key_id, found)
        else:
            self._unknown.put(key_id, True)
        return found

    def _note_use(self, key: ApiKey, now: int) -> None:
        """Note the use, once an hour. Only a request that has just read the key does so."""
        hour_ago = now - _USE_NOTED_SECONDS
        if key.last_used_at is not None and key.last_used_at >= hour_ago:
            return
        try:
            self._keys.note_use(key.id, now, hour_ago)
        except Exception:
            # Only the operator's list shows the time of the last use; a request must not fail for it.
            log.warning("the use of an API key is not noted", extra={"keyId": key.id}, exc_info=True)
