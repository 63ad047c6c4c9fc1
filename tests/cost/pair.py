"""The always-on pair that a client could run in place of the engine: Fastify, BullMQ, Redis and Postgres.

It survives the loss of an availability zone, as the engine does: two tasks behind a load balancer, a replicated Redis
with failover, and Postgres in two zones. It is not as durable: Redis replicates after it has answered, so a failover
can lose orders that were accepted a moment before. The engine needs the same Postgres.
"""

from math import ceil

from tests.cost.prices import HOURS_A_MONTH, Bill

#: One task of half a vCPU and 1 GB, and as many orders a second as it takes: 5 ms of CPU an order. An assumption.
_VCPUS, _GB = 0.5, 1.0
TASK_ORDERS_PER_SECOND = 100
#: One task in each zone; either carries the peak alone when the other zone is lost.
_ZONES = 2
#: The busiest hour of a month has this many times the orders of a mean hour.
PEAK = 5
_SECONDS_A_MONTH = HOURS_A_MONTH * 3600
#: Connections and bytes of an order are far below one capacity unit: a unit has 25 new connections a second.
_ORDERS_PER_LCU = 25
#: Gigabytes of the smallest database; growth is the price of storage, which both pay alike.
_DATABASE_GB = 20


def database() -> Bill:
    """Postgres in two zones, which the engine and the pair need alike."""
    return Bill(
        {"rds.t4g_small_multi_az_hour": HOURS_A_MONTH, "rds.gp3_multi_az_gb_month": _DATABASE_GB},
    )


def tasks(orders: float) -> int:
    """The tasks that carry the peak of so many orders a month when a zone is lost."""
    peak = PEAK * orders / _SECONDS_A_MONTH
    return _ZONES * max(1, ceil(peak / TASK_ORDERS_PER_SECOND))


def month(orders: float) -> Bill:
    """The bill of a month with so many orders, without the database."""
    number = tasks(orders)
    lcu_hours = max(1.0, orders / _SECONDS_A_MONTH / _ORDERS_PER_LCU) * HOURS_A_MONTH
    return Bill(
        {
            "fargate.vcpu_hour": number * _VCPUS * HOURS_A_MONTH,
            "fargate.gb_hour": number * _GB * HOURS_A_MONTH,
            "alb.hour": HOURS_A_MONTH,
            "alb.lcu_hour": lcu_hours,
            # One address for each task, and one of the load balancer in each zone.
            "ipv4.hour": (number + _ZONES) * HOURS_A_MONTH,
            "elasticache.t4g_small_hour": _ZONES * HOURS_A_MONTH,
            # The same lines, about a kilobyte an order.
            "logs.gb": orders / 2**20,
            "cloudwatch.alarm": 10,
            "secret.month": 2,
        }
    )
