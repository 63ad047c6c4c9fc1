"""The part of the composition root that builds what knows callers: credentials, limits and cursors."""

from chalicelib.adapters import Adapters
from chalicelib.auth.authenticator import CredentialAuthenticator
from chalicelib.auth.derived_keys import derived_key
from chalicelib.auth.jwt_tokens import jwt_verifier
from chalicelib.auth.key_verifier import KeyVerifier
from chalicelib.clock import Clock
from chalicelib.codec.times import to_ms, to_seconds
from chalicelib.ports.authentication import Authenticator
from chalicelib.runtime import Runtime
from chalicelib.services.limits.request_rate import RequestRate
from chalicelib.services.limits.wait_limit import LimitWaits
from chalicelib.services.orders.signed_cursors import CursorSigner
from chalicelib.settings import NEW_ACCOUNT_CONCURRENCY, Settings


def build_authenticator(settings: Settings, adapters: Adapters, runtime: Runtime) -> Authenticator:
    api_keys, secrets, secret_name = adapters.api_keys, adapters.secrets, settings.auth_secret
    now, monotonic = runtime.now, runtime.monotonic
    keys = KeyVerifier(settings.stage, api_keys, secrets, secret_name, monotonic, now)
    issuer, audience, claim = settings.auth_issuer, settings.auth_audience, settings.auth_user_claim
    tokens = jwt_verifier(issuer, audience, claim, monotonic, now) if issuer else None
    return CredentialAuthenticator(settings.auth, keys, tokens, now)


def build_request_rate(settings: Settings, adapters: Adapters, now: Clock) -> RequestRate:
    return RequestRate(adapters.request_permits, settings.max_requests_per_minute, lambda: to_ms(now()))


def build_wait_limit(settings: Settings, adapters: Adapters, now: Clock) -> LimitWaits:
    """At most half of the environments that the API may count on wait."""
    environments = settings.api_concurrency or NEW_ACCOUNT_CONCURRENCY
    most = min(settings.max_event_waits, environments // 2)
    of_user = settings.max_event_waits_per_user
    return LimitWaits(adapters.wait_counts, lambda: to_seconds(now()), most, of_user)


def build_cursor_signer(settings: Settings, adapters: Adapters) -> CursorSigner:
    return CursorSigner(lambda: derived_key(adapters.secrets.read(settings.auth_secret), "cursors"))
