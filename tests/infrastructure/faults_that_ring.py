"""The fault that each alarm is for, as it happens to a stage. ``test_alarms`` and ``test_engine_alarms`` use them."""

from collections.abc import Callable, Mapping
from contextlib import suppress

from botocore.exceptions import ClientError

from chalicelib.codec.groups import group_message
from chalicelib.ports.streams import PushFailedError
from orderengine.core.commands import HandshakeRefused, SocketClosed
from orderengine.testing.transport import KitSocket
from tests.support.cloudwatch.stage import Stage

Fault = Callable[[Stage], None]


def _throttled() -> None:
    error = {"Code": "ProvisionedThroughputExceededException", "Message": "slow down"}
    raise ClientError({"Error": error}, "UpdateItem")  # type: ignore[typeddict-item]


def refused() -> None:
    raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "Query")


def _order_each_minute(stage: Stage, minutes: float, orders: int = 1) -> None:
    stage.run(minutes, lambda: [stage.place() for _ in range(orders)])


# --- what AWS counts ----------------------------------------------------------------------------------------


def dead_letters_are_not_taken(stage: Stage) -> None:
    stage.deployment.queue.put("no order")
    stage.deployment.crashing.add("CloseDeadLetters")
    stage.run(6)


def a_stranger_sends_a_message(stage: Stage) -> None:
    stage.deployment.queue.put("no order")
    stage.run(3)


def replays_crash(stage: Stage) -> None:
    stage.deployment.crashing.add("ReplayStreams")
    stage.open(userId="bot")
    stage.run(5)


def groups_crash(stage: Stage) -> None:
    stage.deployment.crashing.add("FanOut")
    stage.deployment.fan_out_queue.put(group_message("some-order", 0))
    stage.run(5)


def the_processor_is_switched_off(stage: Stage) -> None:
    stage.deployment.stopped.add("ProcessOrders")
    stage.place()
    stage.run(25)


def the_processor_crashes(stage: Stage) -> None:
    stage.deployment.crashing.add("ProcessOrders")
    _order_each_minute(stage, 1)


def _something_waits(stage: Stage) -> None:
    """An order that no price reaches keeps the looks awake."""
    stage.place(type="limit", limitPrice="100000")


def looks_fail(stage: Stage) -> None:
    _something_waits(stage)
    stage.deployment.faults_of_ports["orders.due"] = refused
    stage.run(4)


def looks_do_not_run(stage: Stage) -> None:
    stage.deployment.stopped.add("RunLooks")
    stage.run(7)


def the_table_refuses_orders(stage: Stage) -> None:
    stage.deployment.faults_of_ports["orders.create"] = refused
    _order_each_minute(stage, 3)


def the_table_is_slow(stage: Stage) -> None:
    stage.deployment.faults_of_ports["orders.create"] = lambda: stage.deployment.sleep(25)
    _order_each_minute(stage, 5)


def the_api_is_cut_off(stage: Stage) -> None:
    stage.line.cut = True
    _order_each_minute(stage, 5)


def actions_crash(stage: Stage) -> None:
    socket = stage.open()
    stage.deployment.crashing.add("WebsocketMessage")
    stage.run(3, lambda: socket.write('{"action":"ping"}'))


def concurrency_is_used_up(stage: Stage) -> None:
    stage.deployment.throttled |= {"APIHandler", "ProcessOrders", "RunLooks"}
    _order_each_minute(stage, 3)


def a_partition_is_hot(stage: Stage) -> None:
    def write() -> None:
        stage.datapoints.add("AWS/DynamoDB", "WriteThrottleEvents", 1, {"TableName": "OrdersTable"})
        _throttled()

    stage.deployment.faults_of_ports["orders.write"] = write
    _order_each_minute(stage, 3)


# --- what the engine counts ---------------------------------------------------------------------------------


def the_processor_crashes_for_long(stage: Stage) -> None:
    stage.deployment.crashing.add("ProcessOrders")
    stage.place()
    # Workers have five minutes to execute it, and its letter waits for the deadline after them.
    stage.run(15)


def the_ledger_does_not_answer(stage: Stage) -> None:
    stage.deployment.faults_of_ports["ledger"] = refused
    stage.place()
    stage.run(6)


def workers_are_short(stage: Stage) -> None:
    """The processor runs a third of the time."""

    def orders() -> None:
        stage.deployment.stopped.add("ProcessOrders")
        for _ in range(3):
            stage.place()
        stage.driver.advance(40)
        stage.deployment.stopped.clear()

    stage.run(6, orders)


def venues_find_no_liquidity(stage: Stage) -> None:
    stage.run(5, lambda: [stage.place(simulate="no_liquidity") for _ in range(6)])


def the_queue_loses_messages(stage: Stage) -> None:
    stage.deployment.queue.copies = list
    stage.place()
    stage.run(10)


def postgres_is_away(stage: Stage) -> None:
    stage.deployment.history.down = True
    _order_each_minute(stage, 10)


def looks_are_late(stage: Stage) -> None:
    _something_waits(stage)
    stage.deployment.looks.copies = lambda: [30]
    stage.run(6)


def pushes_fail(stage: Stage) -> None:
    """Every minute five sockets open, whose frames nobody takes."""
    stage.deployment.faults_of_ports["sockets.push"] = push_failed
    opened: list[KitSocket] = []

    def clients() -> None:
        for number in range(5):
            with suppress(HandshakeRefused):
                opened.append(stage.open(userId=f"bot-{number}"))
            stage.place(userId=f"bot-{number}")

    stage.run(5, clients)
    for socket in opened:
        with suppress(SocketClosed):
            socket.close()


def push_failed() -> None:
    raise PushFailedError("no answer")


def of_faults(alarms: Mapping[str, Fault]) -> Mapping[Fault, set[str]]:
    """The alarms that each fault must set off, so that a fault happens once for all of them."""
    return {fault: {name for name, of in alarms.items() if of is fault} for fault in alarms.values()}


#: The alarms on what AWS counts.
OF_AWS: dict[str, Fault] = {
    "DeadLettersAlarm": dead_letters_are_not_taken,
    "UnprocessableMessagesAlarm": a_stranger_sends_a_message,
    "OldestOrderAlarm": the_processor_is_switched_off,
    "ProcessorErrorsAlarm": the_processor_crashes,
    "LookErrorsAlarm": looks_fail,
    "LooksMissingAlarm": looks_do_not_run,
    "ApiErrorsAlarm": the_table_refuses_orders,
    "ApiLatencyAlarm": the_table_is_slow,
    "FrontDoorErrorsAlarm": the_api_is_cut_off,
    "SocketErrorsAlarm": actions_crash,
    "ReplayDeadLettersAlarm": replays_crash,
    "FanOutDeadLettersAlarm": groups_crash,
    "ThrottlesAlarm": concurrency_is_used_up,
    "TableThrottlesAlarm": a_partition_is_hot,
}
#: The alarms on what the engine counts.
OF_THE_ENGINE: dict[str, Fault] = {
    "ExhaustedOrdersAlarm": the_processor_crashes_for_long,
    "QueueWaitAlarm": workers_are_short,
    "FailedMessagesAlarm": the_ledger_does_not_answer,
    "CaughtFailuresAlarm": the_ledger_does_not_answer,
    "FailedOrdersAlarm": venues_find_no_liquidity,
    "OverdueOrdersAlarm": the_queue_loses_messages,
    "ResentOrdersAlarm": the_queue_loses_messages,
    "HistoryLagAlarm": postgres_is_away,
    "HistoryFailuresAlarm": postgres_is_away,
    "LateLooksAlarm": looks_are_late,
    "LateFramesAlarm": pushes_fail,
    "ClosedSocketsAlarm": pushes_fail,
}
