"""The secrets of a deployment in AWS Secrets Manager."""

from collections import defaultdict
from functools import cached_property
from threading import Lock
from time import monotonic
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from chalicelib.ports.secrets import SecretUnavailableError
from chalicelib.settings import Settings

_PAUSE_SECONDS = 2.0


class SecretsManager:
    """``RenewableSecrets`` in AWS Secrets Manager, safe to share between threads.

    The first read makes the client: most functions read no secret, and a client costs a cold start some milliseconds.
    After a failed read the next ones fail at once for a moment: requests that wait one after another for a secret
    would each wait as long.
    """

    def __init__(self, session: Session, settings: Settings) -> None:
        self._session = session
        self._settings = settings
        self._values: dict[str, str] = {}
        self._paused_until: dict[str, float] = {}
        self._client_lock = Lock()
        #: A lock for each secret: one that does not answer delays no other.
        self._locks: defaultdict[str, Lock] = defaultdict(Lock)

    def read(self, name: str) -> str:
        with self._lock_of(name):
            if name not in self._values:
                self._values[name] = self._fetch_unless_paused(name)
            return self._values[name]

    def read_now(self, name: str) -> str:
        with self._lock_of(name):
            self._values[name] = self._fetch(name)
            return self._values[name]

    def _fetch_unless_paused(self, name: str) -> str:
        if monotonic() < self._paused_until.get(name, 0.0):
            raise SecretUnavailableError(f"the secret {name} could not be read a moment ago")
        try:
            return self._fetch(name)
        except SecretUnavailableError:
            self._paused_until[name] = monotonic() + _PAUSE_SECONDS
            raise

    def _lock_of(self, name: str) -> Lock:
        with self._client_lock:
            return self._locks[name]

    def _fetch(self, name: str) -> str:
        try:
            with self._client_lock:
                client = self._client
            return str(client.get_secret_value(SecretId=name)["SecretString"])
        except (BotoCoreError, ClientError) as error:
            raise SecretUnavailableError(f"the secret {name} cannot be read: {error}") from error
        except KeyError:
            raise SecretUnavailableError(f"the secret {name} is binary and not text") from None

    @cached_property
    def _client(self) -> Any:
        create: Any = self._session.create_client
        return create(
            "secretsmanager",
            region_name=self._settings.aws_region,
            endpoint_url=self._settings.aws_endpoint_url,
            config=Config(
                connect_timeout=self._settings.aws_connect_timeout_seconds,
                read_timeout=self._settings.aws_read_timeout_seconds,
                # A caller waits for a connection to Postgres after this.
                retries={"mode": "standard", "total_max_attempts": 2},
            ),
        )
