"""Points the deployed functions at a delaying proxy, by the environment that the Lambda API gives them."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from infra.aws.database_secret import keep_secret
from tests.bench.child import Child, running
from tests.bench.latency.proxy_process import POSTGRES, Call
from tests.bench.subject import Subject

_PROCESS = "tests.bench.latency.proxy_process"
PROCESSOR, API = "ProcessOrders", "APIHandler"
#: Seconds that AWS needs for an answer, by the operation's prefix.
AWS_DELAYS = {"DynamoDB.": 0.004, "SQS.": 0.008, "push": 0.010, POSTGRES: 0.003}
#: A processor that made no call for so long has finished its order.
_QUIET_SECONDS = 0.4
_REST_SECONDS = 60


class Proxies:
    """The calls of the deployed functions, which are delayed or not."""

    def __init__(self, child: Child) -> None:
        self._child = child

    def delay(self, is_on: bool) -> None:
        self._child.ask("delay", seconds=AWS_DELAYS if is_on else {})

    def take(self) -> dict[str, list[Call]]:
        """The calls of each function since the last time, by its logical name."""
        taken = self._child.ask("take")
        return {function: [Call(*call) for call in calls] for function, calls in taken.items()}

    def wait_for_rest(self, function: str) -> None:
        """Wait until a function has made calls and is done."""
        self._child.ask("rest", function=function, quiet=_QUIET_SECONDS, seconds=_REST_SECONDS)


@contextmanager
def between(subject: Subject) -> Iterator[Proxies]:
    """Put the proxy between every function and its services; the functions start anew."""
    with running(_PROCESS) as child:
        for deployed in subject.function_names():
            _redirect(subject, child, deployed)
        yield Proxies(child)


def _redirect(subject: Subject, child: Child, deployed: str) -> None:
    functions, function = subject.functions, deployed.split("-")[2]
    variables = functions.get_function_configuration(FunctionName=deployed)["Environment"]["Variables"]
    aws, database = urlsplit(variables["AWS_ENDPOINT_URL"]), urlsplit(subject.postgres)
    aws_port, postgres_port = child.ask(
        "listen",
        function=function,
        aws=(aws.hostname, aws.port),
        postgres=(database.hostname, database.port),
    )
    changes = {
        name: variables[name].replace(aws.netloc, f"127.0.0.1:{aws_port}")
        for name in ("AWS_ENDPOINT_URL", "WEBSOCKET_ENDPOINT")
    }
    if "DATABASE_SECRET" in variables:
        server = f"@{database.hostname}:{database.port}"
        url = subject.postgres.replace(server, f"@127.0.0.1:{postgres_port}")
        changes["DATABASE_SECRET"] = keep_secret(subject.secrets, f"bench/{function}", url)
    functions.update_function_configuration(
        FunctionName=deployed, Environment={"Variables": {**variables, **changes}}
    )
    functions.get_waiter("function_updated_v2").wait(FunctionName=deployed, WaiterConfig={"Delay": 1})
