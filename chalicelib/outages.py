"""The exceptions which report that AWS or an issuer does not answer, throttles or refuses."""

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from chalicelib.ports.authentication import IssuerUnavailableError
from chalicelib.ports.secrets import SecretUnavailableError

UNAVAILABLE: tuple[type[Exception], ...] = (
    BotoCoreError,
    ClientError,
    PynamoDBException,
    SecretUnavailableError,
    IssuerUnavailableError,
)
