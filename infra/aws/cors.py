"""The preflights, which API Gateway answers without the app: fixed headers, and the origin of the settings.

The settings are parameters of the stack, so the template decides as ``chalicelib.http.cors`` does in the functions.
"""

from typing import Any

from chalicelib.http.cors import ALLOW_ORIGIN, ANY_ORIGIN
from chalicelib.http.headers import FIXED_HEADERS

_OFF = ("off", "0", "false")
_SPELLINGS = sorted({spelling for word in _OFF for spelling in (word, word.upper(), word.title())})
CONDITIONS: dict[str, Any] = {
    "HasCorsOrigin": {"Fn::Not": [{"Fn::Equals": [{"Ref": "CorsOrigin"}, ""]}]},
    "AuthIsOff": {"Fn::Or": [{"Fn::Equals": [{"Ref": "Auth"}, spelling]} for spelling in _SPELLINGS]},
}
_OF_ANY: dict[str, Any] = {"Fn::If": ["AuthIsOff", f"'{ANY_ORIGIN}'", {"Ref": "AWS::NoValue"}]}
#: The value of a header that API Gateway sets.
ORIGIN: dict[str, Any] = {"Fn::If": ["HasCorsOrigin", {"Fn::Sub": "'${CorsOrigin}'"}, _OF_ANY]}


def conditions_template() -> dict[str, Any]:
    """Return the part of the template with the conditions of ``ORIGIN``."""
    return {"Conditions": CONDITIONS}


def set_preflight_headers(paths: dict[str, Any]) -> None:
    """Give the preflights in the paths of an API the allowed origin, and the headers that all answers have."""
    values: dict[str, Any] = {name: f"'{value}'" for name, value in FIXED_HEADERS.items()} | {ALLOW_ORIGIN: ORIGIN}
    for methods in paths.values():
        if preflight := methods.get("options"):
            preflight["responses"]["200"]["headers"] |= {name: {"type": "string"} for name in values}
            answer = preflight["x-amazon-apigateway-integration"]["responses"]["default"]
            answer["responseParameters"] |= {f"method.response.header.{name}": values[name] for name in values}
