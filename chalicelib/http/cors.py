"""Which pages of other origins may read the answers of the API."""

import os
from collections.abc import Mapping

from chalice.app import CORSConfig

from chalicelib.settings import tunable

ALLOW_ORIGIN = "Access-Control-Allow-Origin"
ANY_ORIGIN = "*"


def allowed_origin(environment: Mapping[str, str] = os.environ) -> str:
    """The origin whose pages may read answers, ``*`` for every origin, or an empty text for none.

    A page of the API's own origin needs no permission. Without authentication every page may do what everybody may.
    """
    given: str = tunable("cors_origin", environment)
    return given or ("" if tunable("auth", environment) else ANY_ORIGIN)


class Cors(CORSConfig):
    """Chalice's headers, with the origin that the settings of the process allow.

    Chalice packages the application without these settings: ``infra/aws/cors.py`` gives preflights their origin.
    """

    def get_access_control_headers(self) -> dict[str, str]:
        headers = super().get_access_control_headers()
        del headers[ALLOW_ORIGIN]
        origin = allowed_origin()
        return headers | {ALLOW_ORIGIN: origin} if origin else headers
