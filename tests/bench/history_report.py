"""The results of the history as a table for people."""

from tests.bench.history import Histories
from tests.support.plans import Plan

_NONE = Plan(0, 0, 0, "")


def history_table(result: Histories) -> str:
    """Each statement at both sizes: its time, the blocks that it reads, their growth, its rows and its plan."""
    small, large = result.small, result.large
    heads = (f"{small.orders:,}: ms", "blocks", f"{large.orders:,}: ms", "blocks", "growth", "rows")
    lines = [f"{'History, a page of 50; orders':62}" + "".join(f"{head:>14}" for head in heads) + "  plan"]
    for name, plan in large.plans.items():
        before = small.plans.get(name, _NONE)
        growth = f"{plan.buffers / before.buffers:.1f}" if before.buffers else "-"
        figures = (
            f"{before.ms:.2f}",
            f"{before.buffers:,}",
            f"{plan.ms:.2f}",
            f"{plan.buffers:,}",
            growth,
            f"{plan.rows:.0f}",
        )
        lines.append(f"{name:62}" + "".join(f"{figure:>14}" for figure in figures) + f"  {plan.summary}")
    lines += [
        f"A record at {size.orders:,} orders: p50 / p95 {size.recorded.p50_ms:.2f} / {size.recorded.p95_ms:.2f} ms, "
        f"{size.recorded.wal_bytes / 1000:.1f} kB of log, {len(size.relations)} tables and indexes of "
        f"{sum(size.relations.values()) / size.orders / 1000:.2f} kB an order (one order in ten has events)"
        for size in (small, large)
    ]
    migrated = result.migrated
    lines.append(
        f"A column, its backfill and an index at {large.orders:,} orders: {migrated.seconds:.1f} s; of "
        f"{migrated.records:,} records meanwhile {migrated.failed} failed, the longest took "
        f"{migrated.longest_wait_ms:.0f} ms"
    )
    return "\n".join(lines)
