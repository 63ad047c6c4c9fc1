"""The operators' commands against the deployed system: the doctor's report and the dead letters."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import pytest
from psycopg import sql

from chalicelib.codec.messages import order_message
from chalicelib.ports.orders import StoredOrder
from infra.ops.dead_letter_store import DeadLetter, DeadLetterStore
from infra.ops.deployment import Deployment, local_deployment
from infra.ops.doctor import examine
from tests.e2e.client import HAPPY, PATIENCE_SECONDS, Client, await_events
from tests.support.order_builders import pending
from tests.support.stack import RunningStack

T = TypeVar("T")


@pytest.fixture(scope="module")
def deployed(stack: RunningStack) -> Deployment:
    return local_deployment(stack.endpoints)


def operate(state_dir: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    """Run an operators' command against the stack in ``state_dir``."""
    return subprocess.run(
        [sys.executable, "-m", *command],
        env={"STATE_DIR": str(state_dir), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def until(look: Callable[[], T | None]) -> T:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := look()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


def finished(client: Client) -> str:
    """Place an order, wait until it is confirmed, and return its id."""
    order_id = str(client.accept()["orderId"])
    client.ended(order_id)
    return order_id


def test_the_doctor_accepts_a_sound_system_and_reports_a_damaged_order(
    client: Client, stack: RunningStack, tables: dict[str, Any], deployed: Deployment
) -> None:
    order_id = finished(client)
    sound = examine(deployed)
    assert sound.violations == []
    assert sound.history_missing == ""
    assert sound.statuses["confirmed"] >= 1

    key = {"orderId": order_id}
    item = tables["orders"].get_item(Key=key)["Item"]
    tables["orders"].put_item(Item={**item, "events": [*item["events"][:3], *item["events"][4:]]})
    try:
        done = operate(stack.state_dir, "infra.ops.doctor")
    finally:
        tables["orders"].put_item(Item=item)
    assert (done.returncode, done.stderr) == (1, "")
    [accused] = [line for line in done.stdout.splitlines() if order_id in line]
    assert "submitted (5) may not follow routing (3)" in accused
    assert "I4 no gap or duplicate in the events, every transition allowed: 1 violation" in done.stdout
    shown = client.engine.engine().doctor
    assert shown is not None
    assert (shown.status, shown.violations) == ("violations", 1)
    assert order_id in shown.findings[0]
    assert operate(stack.state_dir, "infra.ops.doctor").returncode == 0


def test_the_doctor_reports_a_second_swap_an_orphaned_swap_and_a_deviating_history(
    client: Client, stack: RunningStack, tables: dict[str, Any], deployed: Deployment
) -> None:
    order_id = finished(client)
    owners = {"second": order_id, "orphan": "unknown"}
    with psycopg.connect(stack.endpoints["postgres"], autocommit=True) as database:

        def shift(steps: int) -> int | None:
            statement = "update orders set seq = seq + %s where order_id = %s"
            return database.execute(statement, [steps, order_id]).rowcount or None

        until(lambda: shift(1))
        for signature, owner in owners.items():
            row = {"signature": signature, "orderId": owner, "state": "landed", "amountOut": 1, "at": 1}
            tables["ledger"].put_item(Item=row)
        try:
            found = {(one.invariant, one.order_id) for one in examine(deployed).violations}
        finally:
            shift(-1)
            for signature in owners:
                tables["ledger"].delete_item(Key={"signature": signature})
    assert found == {("I1", order_id), ("I5", order_id), ("I1", "unknown")}
    assert examine(deployed).violations == []


def test_a_rebuild_brings_back_what_the_history_has_lost(
    client: Client, stack: RunningStack, deployed: Deployment
) -> None:
    order_ids = [finished(client) for _ in range(2)]
    with psycopg.connect(stack.endpoints["postgres"], autocommit=True) as database:

        def lose(table: str, order_id: str) -> int | None:
            statement = sql.SQL("delete from {} where order_id = %s").format(sql.Identifier(table))
            return database.execute(statement, [order_id]).rowcount or None

        # A whole order, and of another one the events alone.
        until(lambda: lose("orders", order_ids[0]))
        until(lambda: lose("order_events", order_ids[1]))
        lose("order_events", order_ids[0])
    done = operate(stack.state_dir, "infra.ops.history", "rebuild")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(" 0 left as they are\n")
    for order_id in order_ids:
        await_events(stack, order_id, HAPPY)
    assert examine(deployed).violations == []
    shown = operate(stack.state_dir, "infra.ops.history", "partitions", "--keep", "12")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "order_events_first" in shown.stdout


def test_without_postgres_the_doctor_checks_every_other_invariant(deployed: Deployment) -> None:
    report = examine(replace(deployed, database_url="postgresql://nobody@localhost:1/nothing"))
    assert report.violations == []
    assert report.statuses
    assert "I6 the history equals the orders: not checked" in str(report)
    assert "history       not checked: OperationalError" in str(report)


@pytest.mark.parametrize(
    "endpoints",
    [None, {"aws": "http://localhost:1", "postgres": ""}, {}],
    ids=["no stack runs", "the emulator does not answer", "endpoints.json is empty"],
)
def test_the_doctor_reports_an_unreachable_deployment_in_one_sentence(
    tmp_path: Path, endpoints: dict[str, str] | None
) -> None:
    if endpoints is not None:
        (tmp_path / "endpoints.json").write_text(json.dumps(endpoints))
    done = operate(tmp_path, "infra.ops.doctor")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1


def test_an_operator_can_list_show_and_redrive_dead_letters_without_an_order(
    stack: RunningStack, deployed: Deployment
) -> None:
    dead_letters = DeadLetterStore(deployed)
    unknown = pending()
    bodies = ["poison", order_message(StoredOrder(unknown))]
    for body in bodies:
        deployed.client("sqs").send_message(QueueUrl=deployed.output("DeadLettersQueueUrl"), MessageBody=body)

    def received() -> dict[str, DeadLetter] | None:
        with dead_letters.inspected() as letters:
            found = {letter.body: letter for letter in letters if letter.body in bodies}
        return found if len(found) == len(bodies) else None

    letters = until(received)
    listed = operate(stack.state_dir, "infra.ops.dead_letters", "list").stdout
    assert any(letters["poison"].id in line and "'poison'" in line for line in listed.splitlines())
    assert f"order {unknown.order_id}, which does not exist" in listed
    shown = operate(stack.state_dir, "infra.ops.dead_letters", "show", letters["poison"].id).stdout
    assert shown.splitlines()[1] == "poison"

    done = operate(stack.state_dir, "infra.ops.dead_letters", "redrive", letters["poison"].id)
    assert (done.returncode, done.stdout) == (0, f"{letters['poison'].id} is in OrdersQueue again\n")
    # The redriven message fails again and returns as a new dead letter with another id.
    back = until(received)["poison"]
    assert back.id != letters["poison"].id


def test_show_prints_the_events_of_a_dead_letters_order_and_redrive_warns_that_it_is_terminal(
    client: Client, stack: RunningStack, deployed: Deployment
) -> None:
    order_id = finished(client)
    body = order_message(StoredOrder(replace(pending(), order_id=order_id)))
    deployed.client("sqs").send_message(QueueUrl=deployed.output("UnprocessableQueueUrl"), MessageBody=body)

    def received() -> list[DeadLetter]:
        with DeadLetterStore(deployed).inspected() as letters:
            return [letter for letter in letters if letter.order_id == order_id]

    [letter] = until(lambda: received() or None)
    assert f"{letter.id}  UnprocessableQueue" in operate(stack.state_dir, "infra.ops.dead_letters", "list").stdout
    shown = operate(stack.state_dir, "infra.ops.dead_letters", "show", letter.id).stdout.splitlines()
    assert shown[1:4] == [body, "", f"order {order_id}, confirmed"]
    assert [line.split()[:2] for line in shown[4:]] == [[str(seq), status] for seq, status in enumerate(HAPPY, 1)]

    done = operate(stack.state_dir, "infra.ops.dead_letters", "redrive", letter.id)
    said = f"{letter.id} is in OrdersQueue again, though its order is already confirmed\n"
    assert (done.returncode, done.stdout) == (0, said)
    assert received() == []
