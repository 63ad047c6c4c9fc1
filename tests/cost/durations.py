"""How long an invocation lasts on AWS, by the size of its function.

No part of this is measured on AWS: the venues' time is that of the simulation, the round trips are those that the
benchmark of the critical path assumes, and the CPU time is that of one machine, stretched to the share of a vCPU
that the function's memory buys. Calls that run side by side count one after another: an upper bound.
"""

import json
from functools import cache
from typing import Any

from infra.project import ROOT
from tests.bench.latency.proxies import AWS_DELAYS
from tests.bench.latency.proxy_process import POSTGRES
from tests.cost.recorded import cpu_ms
from tests.cost.site import Invocation
from tests.scale.venue_times import mean_seconds

#: Lambda gives a function of this memory one vCPU, and others a share in proportion.
#: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
VCPU_MB = 1769
#: CPU of one call for its connection and its HTTP, which the emulator in the process does not have.
#: `make bench PARTS=engine` compares the SDK with a transport by hand.
_CONNECTION_CPU_SECONDS = 0.0004


@cache
def memory_mb(function: str) -> int:
    """The memory of a function as it is deployed."""
    config: dict[str, Any] = json.loads((ROOT / ".chalice/config.json").read_text())
    memory = config["lambda_functions"].get(function, {}).get("lambda_memory_size") or config["lambda_memory_size"]
    return int(memory)


def seconds(kind: str, invocation: Invocation, memory: int | None = None) -> float:
    """The duration of an invocation of a kind of order, or with another memory."""
    usage, function = invocation.usage, invocation.function
    calls = usage.number("dynamodb"), usage.number("sqs"), invocation.pushes, invocation.history_calls
    latencies = AWS_DELAYS["DynamoDB."], AWS_DELAYS["SQS."], AWS_DELAYS["push"], AWS_DELAYS[POSTGRES]
    waits = sum(number * latency for number, latency in zip(calls, latencies, strict=True))
    cpu = cpu_ms(kind, function) / 1000 + sum(calls) * _CONNECTION_CPU_SECONDS
    # An order swaps in one invocation, whose time varies by its seed: the mean of all seeds is the fair one.
    venues = mean_seconds() if invocation.venue_seconds > 1 else invocation.venue_seconds
    return venues + waits + cpu * max(1.0, VCPU_MB / (memory or memory_mb(function)))


def gb_seconds(kind: str, invocation: Invocation, memory: int | None = None) -> float:
    """The billed compute of an invocation."""
    memory = memory or memory_mb(invocation.function)
    return seconds(kind, invocation, memory) * memory / 1024
