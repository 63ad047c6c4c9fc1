"""The exceptions by which the SDKs report that AWS does not answer, throttles or refuses."""

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

UNAVAILABLE: tuple[type[Exception], ...] = (BotoCoreError, ClientError, PynamoDBException)
