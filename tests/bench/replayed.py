"""Part C: the engine's CPU time for an order over that of a bare loop of the same calls to AWS.

Both run in this process on the same clients: the loop makes the calls that the engine made for earlier orders, with
the same parameters but for the identity of the order. What the engine spends besides is its own, with pynamodb and
Postgres. Orders of both alternate, so that other load on the machine affects both. Receiving and deleting messages is
Lambda's part, and not measured.
"""

import json
import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field, replace
from functools import partial
from logging import getLogger
from statistics import fmean, median
from time import process_time
from unittest import mock
from uuid import uuid4

from chalicelib.consumers.batch import Record
from chalicelib.logs import configure_logging
from tests.bench.calls import Call, Line, observing
from tests.bench.subject import Subject

_RECORDED_ORDERS = 40
_WARM_UP_ORDERS = 60
_ROUND_ORDERS = 50


@dataclass
class Spent:
    """CPU milliseconds of an order on one side, by round."""

    submit: list[float] = field(default_factory=list)
    execute: list[float] = field(default_factory=list)

    @property
    def both(self) -> list[float]:
        return [sum(steps) for steps in zip(self.submit, self.execute, strict=True)]


@dataclass(frozen=True)
class Overhead:
    """The rounds of the engine and of the bare loop, in pairs."""

    engine: Spent
    bare: Spent

    def ratio(self, step: str) -> float:
        """The median over the pairs of the engine's time for ``submit``, ``execute`` or ``both`` over the loop's."""
        engine: list[float] = getattr(self.engine, step)
        bare: list[float] = getattr(self.bare, step)
        return median(one / other for one, other in zip(engine, bare, strict=True))


@dataclass(frozen=True)
class _Recording:
    """The calls of one order."""

    order_id: str
    submit: list[Call]
    execute: list[Call]

    def of_another_order(self) -> "_Recording":
        """The same calls for an order with a new id and a new signature."""
        names = {self.order_id: str(uuid4()), **{old: uuid4().hex + old[32:] for old in self._signatures()}}
        return _Recording(
            names[self.order_id],
            [_renamed(call, names) for call in self.submit],
            [_renamed(call, names) for call in self.execute],
        )

    def _signatures(self) -> set[str]:
        items = (call.parameters.get("Item", {}) for call in self.execute)
        return {item["signature"]["S"] for item in items if "signature" in item}


def measure(subject: Subject, rounds: int) -> Overhead:
    """:raises BenchError: if the processor does not finish an order."""
    result = Overhead(Spent(), Spent())
    with mock.patch.dict(os.environ, subject.environment), _logging_to_nowhere():
        line = Line(subject)
        for _ in range(_WARM_UP_ORDERS):
            _engine_order(line)
        recordings = deque(_record(line) for _ in range(_RECORDED_ORDERS))
        for _ in range(rounds):
            pairs = [(_engine_order(line), _bare_order(line, recordings)) for _ in range(_ROUND_ORDERS)]
            for side, times in zip((result.engine, result.bare), zip(*pairs, strict=True), strict=True):
                side.submit.append(fmean(submit for submit, _ in times))
                side.execute.append(fmean(execute for _, execute in times))
    return result


def _engine_order(line: Line) -> tuple[float, float]:
    """The CPU milliseconds in which the engine submits and executes an order."""
    submitting = _cpu_ms(line.submit)
    record = line.receive()
    executing = _cpu_ms(partial(line.execute, record))
    line.delete(record)
    return submitting, executing


def _bare_order(line: Line, recordings: deque[_Recording]) -> tuple[float, float]:
    """The CPU milliseconds of the calls that submit and execute an order."""
    recording = recordings.popleft().of_another_order()
    recordings.append(recording)
    submitting = _cpu_ms(partial(_make, recording.submit))
    record = line.receive()
    calls = [_holding(call, record) for call in recording.execute]
    executing = _cpu_ms(partial(_make, calls))
    line.delete(record)
    return submitting, executing


def _cpu_ms(work: Callable[[], object]) -> float:
    """The CPU milliseconds of all threads of this process during ``work``."""
    began = process_time()
    work()
    return (process_time() - began) * 1000


def _record(line: Line) -> _Recording:
    submit: list[Call] = []
    execute: list[Call] = []
    with observing(lambda call, answer: submit.append(call)):
        order_id = line.submit()
    record = line.receive()
    with observing(lambda call, answer: execute.append(call)):
        line.execute(record)
    line.delete(record)
    return _Recording(order_id, submit, execute)


def _make(calls: list[Call]) -> None:
    for call in calls:
        call.client._make_api_call(call.operation, call.parameters)


def _renamed(call: Call, names: dict[str, str]) -> Call:
    text = json.dumps(call.parameters)
    for old, new in names.items():
        text = text.replace(old, new)
    return replace(call, parameters=json.loads(text))


def _holding(call: Call, record: Record) -> Call:
    """The call with the receipt of this message, if it has one."""
    if "ReceiptHandle" not in call.parameters:
        return call
    return replace(call, parameters={**call.parameters, "ReceiptHandle": record["receiptHandle"]})


@contextmanager
def _logging_to_nowhere() -> Iterator[None]:
    """Log as the functions do, without the output."""
    root = getLogger()
    handlers, level = root.handlers, root.level
    with open(os.devnull, "w") as nowhere:
        with redirect_stdout(nowhere):
            configure_logging()
        yield
        root.handlers = handlers
        root.setLevel(level)
