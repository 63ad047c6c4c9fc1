"""The bare loop of pushes, with which the fan-out is compared: as many workers, the same frames, the same sockets."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from tests.bench.child import Child, running
from tests.bench.subject import Subject

_PUSHER = "tests.bench.streams.pusher"
#: Environments of the fan-out function in the local stack (infra/local/local.yaml).
WORKERS = 2
_PUSH_SECONDS = 3600.0


class BarePushes:
    """Workers that wait for frames to push."""

    def __init__(self, workers: Sequence[Child]) -> None:
        self._workers = workers

    def push(self, connections: list[str], frames: list[str]) -> None:
        """Push every frame to every connection, in order on each."""
        shares = [connections[number :: len(self._workers)] for number in range(len(self._workers))]
        numbers = [
            worker.begin("push", connections=share, frames=frames)
            for worker, share in zip(self._workers, shares, strict=True)
        ]
        for worker, number in zip(self._workers, numbers, strict=True):
            worker.finish(number, _PUSH_SECONDS)


@contextmanager
def bare_pushes(subject: Subject) -> Iterator[BarePushes]:
    """Run as many workers as the engine's fan-out has, each with the engine's number of push threads."""
    threads = subject.settings.push_threads
    with ExitStack() as stack:
        workers = [stack.enter_context(running(_PUSHER)) for _ in range(WORKERS)]
        for worker in workers:
            worker.ask("prepare", endpoint=subject.management, threads=threads)
        yield BarePushes(workers)
