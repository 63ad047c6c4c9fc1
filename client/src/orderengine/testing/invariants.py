"""The invariants of every order in a deployment, and the continuity of what its sockets got."""

from collections.abc import Iterator, Sequence

from chalicelib.domain.invariants import Evidence, HistoryCopy, Swap, violations_of
from chalicelib.domain.orders import Order
from chalicelib.domain.status import Status
from chalicelib.ports.history import OrderFilter
from chalicelib.services.orders.replay import ReplayReport
from orderengine.testing.deployment import Deployment


def order_violations(deployment: Deployment, *, overdue_ms: int, knows_all_prices: bool) -> list[str]:
    """Return each violation of an invariant by an order, its swaps, or its copy in the history.

    An order may be overdue for ``overdue_ms``. A replay looks up a bounded number of prices; ``knows_all_prices``
    says that fewer were told, so that it must know every one.
    """
    now_ms, most = deployment.clock.now_ms(), deployment.settings.max_attempts
    found = []
    for evidence in evidence_of(deployment):
        judged = violations_of(evidence, now_ms, overdue_ms=overdue_ms, max_attempts=most)
        found += [f"{one.invariant} {one.order_id}: {one.detail}" for one in judged]
    for stored in deployment.all_orders().values():
        report = deployment.engine.replay(stored.order)
        found += [*_steps_after_expiry(stored.order), *_replay_violations(report, knows_all_prices)]
    return found


def _replay_violations(report: ReplayReport, knows_all_prices: bool) -> list[str]:
    """Return what an order keeps and the engine computes differently, or cannot compute any more."""
    found = [f"replay of {report.order_id}: {one}" for one in report.differences]
    if report.unknown and knows_all_prices:
        found.append(f"replay of {report.order_id}: {report.unknown} unknown")
    return found


def _steps_after_expiry(order: Order) -> list[str]:
    """Return the events after the expiry of an order that trigger it or send its transaction."""
    expires_at, statuses = order.expires_at, (Status.TRIGGERED, Status.SUBMITTED)
    return [
        f"{order.order_id}: {event.status} ({event.seq}) at {event.at}, and over since {expires_at}"
        for event in order.events
        if expires_at and event.status in statuses and event.at >= expires_at
    ]


def evidence_of(deployment: Deployment) -> Iterator[Evidence]:
    """Yield the evidence of every order from the orders table, the ledger and the history."""
    orders, ledger, history = deployment.all_orders(), deployment.ledger, deployment.history
    models = {model.order_id: model for model in history.page(OrderFilter(), len(orders) + 1, None).orders}
    for order_id, stored in orders.items():
        order, model = stored.order, models.get(order_id)
        copy = None
        if model:
            events = tuple((one.seq, one.status, one.attempt) for _, one in sorted(history.events[order_id].items()))
            copy = HistoryCopy(model.status, model.seq, model.amount_out, events)
        swaps = tuple(Swap(fill.signature, order_id, fill.amount_out) for fill in ledger.swaps_of(order_id))
        yield Evidence(
            order_id=order_id,
            spec=order.spec,
            status=order.current_status,
            seq=order.seq,
            events=order.events,
            swaps=swaps,
            deadline_ms=stored.deadline_ms,
            history=copy,
        )


def gaps(seqs: Sequence[int], after_seq: int) -> list[str]:
    """Report a frame that arrived before its predecessor. A frame may arrive twice."""
    last_seen = after_seq
    for seq in seqs:
        if seq > last_seen + 1:
            return [f"seq {seq} came right after seq {last_seen}: {list(seqs)}"]
        last_seen = max(last_seen, seq)
    return []


def stream_violations(seqs: Sequence[int], after_seq: int, last_seq: int) -> list[str]:
    """Report gaps and a missing last frame. A frame may arrive twice, but never before its predecessor."""
    if found := gaps(seqs, after_seq):
        return found
    last_seen = max((after_seq, *seqs))
    return [] if last_seen == last_seq else [f"ends at seq {last_seen} of {last_seq}: {list(seqs)}"]
