"""Child processes of the benchmarks: each has an interpreter of its own and answers requests in lines of JSON."""

import asyncio
import json
import queue
import resource
import signal
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import IO, Any

from infra.lifetimes import die_with_parent
from tests.bench.errors import BenchError

_WAIT_SECONDS = 120.0
_STOP_SECONDS = 10
#: The longest line that a child reads.
_MAX_LINE_BYTES = 2**26


class Child:
    """A running module; several requests may be under way at one time."""

    def __init__(self, process: "subprocess.Popen[str]", module: str) -> None:
        assert process.stdin
        assert process.stdout
        self._module = module
        self._requests: IO[str] = process.stdin
        self._answers: defaultdict[int, queue.Queue[dict[str, Any]]] = defaultdict(queue.Queue)
        self._numbers = count()
        threading.Thread(target=self._read, args=(process.stdout,), daemon=True).start()

    def ask(self, what: str, patience: float = _WAIT_SECONDS, **fields: Any) -> Any:
        """Send a request and return its answer.

        :raises BenchError: if the request fails, or is not answered within ``patience`` seconds.
        """
        return self.finish(self.begin(what, **fields), patience)

    def begin(self, what: str, **fields: Any) -> int:
        """Send a request and return its number, for ``finish``."""
        number = next(self._numbers)
        self._requests.write(json.dumps({"number": number, "what": what, "fields": fields}) + "\n")
        self._requests.flush()
        return number

    def finish(self, number: int, seconds: float = _WAIT_SECONDS) -> Any:
        """Wait for the answer to a request.

        :raises BenchError: if the request fails, or is not answered within ``seconds``.
        """
        try:
            answer = self._answers[number].get(timeout=seconds)
        except queue.Empty:
            raise BenchError(f"{self._module} did not answer within {seconds:.0f} s") from None
        if "error" in answer:
            raise BenchError(answer["error"])
        return answer["answer"]

    def _read(self, answers: IO[str]) -> None:
        for line in answers:
            answer = json.loads(line)
            self._answers[answer["number"]].put(answer)


@contextmanager
def running(module: str) -> Iterator[Child]:
    """Run ``module``, which calls ``serve``, until the end of the context."""
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent(signal.SIGTERM),
    )
    try:
        yield Child(process, module)
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)


async def serve(answer: Callable[[str, dict[str, Any]], Awaitable[Any]]) -> None:
    """Answer the requests on standard input concurrently, until it ends."""
    raise_open_files()
    loop = asyncio.get_running_loop()
    requests = asyncio.StreamReader(limit=_MAX_LINE_BYTES)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(requests), sys.stdin)

    async def respond(request: dict[str, Any]) -> None:
        try:
            found = {"answer": await answer(request["what"], request["fields"])}
        except Exception as error:
            found = {"error": str(error) if isinstance(error, BenchError) else repr(error)}
        print(json.dumps({"number": request["number"], **found}), flush=True)

    tasks = set()
    while line := await requests.readline():
        task = loop.create_task(respond(json.loads(line)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


def raise_open_files() -> None:
    """Allow this process as many open files, and so sockets, as the system lets it have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
