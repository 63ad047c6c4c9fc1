"""The callers of the JSON Web Tokens that an OIDC issuer signs."""

import hashlib
from collections.abc import Callable
from typing import Any

from chalicelib.auth.issuer import Issuer
from chalicelib.auth.jwks import IssuerKeys
from chalicelib.auth.jwt_claims import caller_of_claims, require_unexpired
from chalicelib.auth.jwt_header import read_header
from chalicelib.auth.timed_cache import TimedCache
from chalicelib.clock import Clock
from chalicelib.domain.errors import InvalidCredentialError
from chalicelib.domain.identity import Caller

_VERIFIED_SECONDS = 30.0
_MAX_VERIFIED_TOKENS = 1_000


def jwt_verifier(
    issuer: str, audience: str, user_claim: str, monotonic: Callable[[], float], now: Clock
) -> "JwtVerifier":
    """The verifier of the tokens of ``issuer``, which it asks for its keys when the first token arrives."""
    keys = IssuerKeys(Issuer(issuer, monotonic).fetch_keys, monotonic)
    verified: TimedCache[bytes, Caller] = TimedCache(_VERIFIED_SECONDS, _MAX_VERIFIED_TOKENS, monotonic)
    return JwtVerifier(issuer, audience, user_claim, keys, verified, now)


class JwtVerifier:
    """Verifies the tokens that one issuer signs for one audience."""

    def __init__(
        self,
        issuer: str,
        audience: str,
        user_claim: str,
        keys: IssuerKeys,
        verified: TimedCache[bytes, Caller],
        now: Clock,
    ) -> None:
        """``user_claim`` is the claim of the user; ``verified`` holds callers by the digests of their tokens."""
        self._issuer = issuer
        self._audience = audience
        self._user_claim = user_claim
        self._keys = keys
        self._verified = verified
        self._now = now

    def verify(self, token: str) -> Caller:
        """The caller to whom the issuer gave the token.

        :raises InvalidCredentialError: if the token is malformed, forged, or not for this engine or time.
        :raises ExpiredCredentialError: if nothing but its expiry is wrong.
        :raises IssuerUnavailableError: if the issuer does not give its keys, and none are cached.
        """
        digest = hashlib.sha256(token.encode(errors="surrogatepass")).digest()
        caller = self._verified.get(digest)
        if caller is None:
            caller = caller_of_claims(self._signed_claims(token), self._user_claim, self._now())
            self._verified.put(digest, caller)
        require_unexpired(caller, self._now())
        return caller

    def _signed_claims(self, token: str) -> dict[str, Any]:
        header = read_header(token)
        key = self._keys.key(header.kid, header.algorithm)
        # PyJWT loads cryptography, which a start without a token does not need.
        import jwt

        try:
            return jwt.decode(
                token,
                key,
                algorithms=[header.algorithm],
                audience=self._audience,
                issuer=self._issuer,
                # PyJWT takes texts and booleans for times, and has a clock of its own.
                options={"require": ["iss", "aud"], "verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
        except jwt.PyJWTError:
            # Without the cause, which quotes the token.
            raise InvalidCredentialError from None
