"""The program of the emulator's process: the emulator with the patches that ``PATCHES.md`` describes.

The launcher runs this file as a script, so that the process does not import this package.
"""

import os
import sys
from pathlib import Path
from typing import NoReturn

#: Connections that wait to be accepted. Linux lets those beyond it wait for a second and more.
MAX_PENDING_CONNECTIONS = 4096


def main() -> None:
    """Run the patched emulator in this process.

    :raises SystemExit: if this version of the emulator lacks a function that a patch replaces.
    """
    # A script's own directory is first on the path, where its modules would shadow others of the same name.
    from api_gateway import RestRequests, Subprotocols  # type: ignore[import-not-found]
    from deliveries import Deliveries  # type: ignore[import-not-found]
    from durable_queues import DurableQueues  # type: ignore[import-not-found]
    from durable_tables import DurableTables  # type: ignore[import-not-found]
    from environments import Environments  # type: ignore[import-not-found]
    from fair_queues import FairQueues  # type: ignore[import-not-found]
    from function_logs import FunctionLogs  # type: ignore[import-not-found]
    from outboxes import Outboxes  # type: ignore[import-not-found]
    from saved_services import SavedServices  # type: ignore[import-not-found]
    from socket_lifetimes import SocketLifetimes  # type: ignore[import-not-found]
    from sorted_indexes import SortedIndexes  # type: ignore[import-not-found]
    from state_file import StateFile  # type: ignore[import-not-found]

    sys.path.remove(str(Path(__file__).resolve().parent))
    from hypercorn.config import Config
    from ministack import app
    from ministack.core import lambda_runtime, persistence
    from ministack.services import apigateway, apigateway_v1, dynamodb, eventbridge, lambda_svc, sqs

    replaced = {
        lambda_svc: (*FunctionLogs.NEEDED, *Environments.NEEDED, *Deliveries.NEEDED),
        lambda_runtime: Environments.NEEDED_OF_RUNTIME,
        lambda_runtime.Worker: (*FunctionLogs.NEEDED_OF_WORKER, "_spawn"),
        sqs: DurableQueues.NEEDED,
        Config: ("backlog",),
        eventbridge: ("_SCHEDULER_TICK_INTERVAL",),
        apigateway: (*Subprotocols.NEEDED, *Outboxes.NEEDED, *SocketLifetimes.NEEDED),
        apigateway_v1: RestRequests.NEEDED,
        dynamodb: (*SortedIndexes.NEEDED, *DurableTables.NEEDED),
        app: SavedServices.NEEDED,
        persistence: SavedServices.NEEDED_OF_PERSISTENCE,
    }
    if not all(hasattr(owner, name) for owner, names in replaced.items() for name in names):
        raise SystemExit(
            f"A patch does not fit this version of the emulator: see {Path(__file__).with_name('PATCHES.md')}."
        )
    FunctionLogs(lambda_svc, lambda_runtime.Worker).install()
    deliveries = Deliveries(lambda_svc)
    deliveries.install()
    Environments(lambda_svc, lambda_runtime).install()
    Config.backlog = MAX_PENDING_CONNECTIONS
    eventbridge._SCHEDULER_TICK_INTERVAL = 1
    sqs._collect_msgs = FairQueues(sqs._collect_msgs)
    SortedIndexes(dynamodb).install()
    Subprotocols(apigateway).install()
    Outboxes(apigateway).install()
    # Outermost, so that the outbox of a socket that is cut ends too.
    limits = (float(os.environ[name]) for name in ("SOCKET_IDLE_SECONDS", "SOCKET_MAX_SECONDS"))
    SocketLifetimes(apigateway, *limits).install()
    RestRequests(apigateway_v1).install()
    file = StateFile(Path(os.environ["STATE_FILE"]))
    tables, queues = DurableTables(dynamodb, file), DurableQueues(sqs, file)
    tables.install()
    queues.install()

    def restored() -> None:
        tables.restore()
        queues.restore()

    services = SavedServices(app, persistence, file, os.environ["GATEWAY_PORT"])
    services.install(restored, deliveries.start, end)
    app.main()


def end(code: int) -> NoReturn:
    """End this process at once: a waiting thread, such as an invocation's, would delay a normal end.

    The launcher ends the workers, which are in this process's group. A worker whose launcher is killed ends after its
    invocation.
    """
    os._exit(code)


if __name__ == "__main__":
    main()
