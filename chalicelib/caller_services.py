"""The part of the composition root that builds what knows callers: credentials, request rates and cursors."""

import time

from chalicelib.adapters import Adapters
from chalicelib.auth.authenticator import CredentialAuthenticator
from chalicelib.auth.derived_keys import derived_key
from chalicelib.auth.jwt_tokens import jwt_verifier
from chalicelib.auth.key_verifier import KeyVerifier
from chalicelib.clock import Clock
from chalicelib.codec.times import to_ms
from chalicelib.ports.authentication import Authenticator
from chalicelib.services.limits.request_rate import RequestRate
from chalicelib.services.orders.signed_cursors import CursorSigner
from chalicelib.settings import Settings


def build_authenticator(settings: Settings, adapters: Adapters, now: Clock) -> Authenticator:
    api_keys, secrets, secret_name = adapters.api_keys, adapters.secrets, settings.auth_secret
    keys = KeyVerifier(settings.stage, api_keys, secrets, secret_name, time.monotonic, now)
    issuer, audience, claim = settings.auth_issuer, settings.auth_audience, settings.auth_user_claim
    tokens = jwt_verifier(issuer, audience, claim, time.monotonic, now) if issuer else None
    return CredentialAuthenticator(settings.auth, keys, tokens, now)


def build_request_rate(settings: Settings, adapters: Adapters, now: Clock) -> RequestRate:
    return RequestRate(adapters.request_permits, settings.max_requests_per_minute, lambda: to_ms(now()))


def build_cursor_signer(settings: Settings, adapters: Adapters) -> CursorSigner:
    return CursorSigner(lambda: derived_key(adapters.secrets.read(settings.auth_secret), "cursors"))
