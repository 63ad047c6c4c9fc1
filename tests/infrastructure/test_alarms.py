"""Each alarm on a metric of AWS is set off by the fault that it is for, and a healthy stage rings none."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.codec.times import to_text
from infra.aws.alarms import METRIC_USD
from infra.aws.metrics import ENGINE
from infra.aws.order_alarms import ORDER_ALARMS
from infra.aws.traffic_alarms import TRAFFIC_ALARMS
from infra.aws.upkeep_alarms import UPKEEP_ALARMS
from orderengine.core.commands import HandshakeRefused
from tests.infrastructure.conftest import Packaged
from tests.infrastructure.faults_that_ring import OF_AWS, OF_THE_ENGINE, Fault, of_faults, push_failed, refused
from tests.support.cloudwatch.alarms import STACK, metrics_of, minutes_of_ringing, resolved
from tests.support.cloudwatch.aws_metrics import is_written_by_aws
from tests.support.cloudwatch.stage import Stage, watched_stage

#: A limit order that no price of the market fills.
RESTING = {"type": "limit", "limitPrice": "1", "tokenIn": "USDC", "tokenOut": "SOL"}
ROWS = (*ORDER_ALARMS, *UPKEEP_ALARMS, *TRAFFIC_ALARMS)


def ringing(alarms: dict[str, dict[str, Any]], stage: Stage) -> set[str]:
    """The alarms that rang at any time."""
    return {name for name, alarm in alarms.items() if minutes_of_ringing(alarm, stage.datapoints)}


@pytest.mark.parametrize(
    ("fault", "expected"), of_faults(OF_AWS).items(), ids=lambda one: getattr(one, "__name__", "")
)
def test_an_alarm_rings_for_its_fault(
    alarms: dict[str, dict[str, Any]], fault: Fault, expected: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with watched_stage(monkeypatch) as stage:
        fault(stage)
        assert ringing(alarms, stage) >= expected


def test_every_alarm_has_a_fault(alarms: dict[str, dict[str, Any]]) -> None:
    assert alarms.keys() == OF_AWS.keys() | OF_THE_ENGINE.keys()
    assert not OF_AWS.keys() & OF_THE_ENGINE.keys()


def test_a_healthy_stage_rings_no_alarm(alarms: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Market orders, limit orders that expire, failed and cancelled orders, sockets; then quiet minutes."""
    with watched_stage(monkeypatch, rate_limit_per_minute=100) as stage:
        assert stage.place(**RESTING).status == 202
        sockets = [stage.open(userId="bot"), stage.open(userId="other")]

        def trade() -> None:
            for number in range(6):
                assert stage.place(userId="other" if number % 2 else "bot").status == 202
            stage.place(simulate="no_liquidity")
            expires = to_text(stage.transport.now() + timedelta(seconds=90))
            assert stage.place(**RESTING, expiresAt=expires).status == 202
            sockets[0].write('{"action":"ping"}')

        stage.run(12, trade)
        assert stage.client.cancel_all().cancelled
        sockets[1].close()
        stage.run(15)
        assert all(one.order.is_terminal for one in stage.deployment.all_orders().values())
        assert ringing(alarms, stage) == set()


def test_orders_that_the_rate_limit_delays_up_to_its_horizon_ring_no_alarm(
    alarms: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with watched_stage(monkeypatch, rate_limit_per_minute=1) as stage:
        answers = [stage.place(userId=f"bot-{number}") for number in range(16)]
        assert {one.status for one in answers} == {202}
        stage.run(20)
        assert all(one.order.is_terminal for one in stage.deployment.all_orders().values())
        assert ringing(alarms, stage) == set()


def test_a_processor_that_is_switched_off_while_orders_arrive_rings_within_minutes(
    alarms: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The age of the oldest message rings so late because the rate limit delays messages too."""
    with watched_stage(monkeypatch) as stage:
        stage.deployment.stopped.add("ProcessOrders")
        stage.run(5, stage.place)
        assert "OverdueOrdersAlarm" in ringing(alarms, stage)


def test_half_a_minute_without_the_functions_of_the_sockets_rings_no_alarm(
    alarms: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with watched_stage(monkeypatch) as stage:
        first = stage.open(userId="bot")
        stage.run(1)
        stage.deployment.crashing |= {"WebsocketConnect", "WebsocketMessage", "WebsocketDisconnect", "ReplayStreams"}
        with pytest.raises(HandshakeRefused):
            stage.open(userId="bot")
        first.write('{"action":"ping"}')
        first.close()
        stage.run(0.5)
        stage.deployment.crashing.clear()
        stage.run(5, lambda: stage.open(userId="bot").close())
        assert ringing(alarms, stage) == set()


def test_a_minute_of_trouble_rings_no_alarm(
    alarms: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Postgres fails over, one request fails, one socket is slow, and a look fails, in one minute."""
    with watched_stage(monkeypatch) as stage:
        deployment, faults = stage.deployment, stage.deployment.faults_of_ports
        slow = stage.open(userId="bot")
        stage.run(2, stage.place)
        deployment.history.down = True
        faults["orders.create"] = faults["orders.due"] = refused
        assert stage.place().status == 503
        del faults["orders.create"]
        faults["sockets.push"] = push_failed
        stage.place()
        stage.run(1)
        deployment.history.down = False
        faults.clear()
        stage.run(12, stage.place)
        slow.close()
        assert ringing(alarms, stage) == set()


# --- the alarms themselves ----------------------------------------------------------------------------------


def test_alarms_of_two_stages_watch_different_resources(alarms: dict[str, dict[str, Any]]) -> None:
    """Every metric has a dimension that is a resource of the stack, or the stack's name."""
    for name, alarm in alarms.items():
        named = [alarm] if "Metrics" not in alarm else [one["MetricStat"]["Metric"] for one in alarm["Metrics"][1:]]
        for metric in named:
            assert any(isinstance(one["Value"], dict) for one in metric["Dimensions"]), name


def test_the_alarms_of_the_api_watch_the_api_that_is_deployed(
    packaged: Packaged, alarms: dict[str, dict[str, Any]]
) -> None:
    [api] = packaged.resources("AWS::Serverless::Api").values()
    deployed = {"ApiName": resolved(api["Name"]), "Stage": api["StageName"]}
    assert resolved(api["Name"]) == STACK, "the names of two stages differ"
    for name in ("ApiErrorsAlarm", "ApiLatencyAlarm"):
        assert metrics_of(alarms[name])["metric"][2] == deployed


def test_the_functions_count_under_the_name_of_their_stack(packaged: Packaged) -> None:
    assert packaged.variables["STACK_NAME"] == {"Ref": "AWS::StackName"}


def test_an_alarm_names_resources_of_the_stack_as_dimensions(
    packaged: Packaged, alarms: dict[str, dict[str, Any]]
) -> None:
    known = {*packaged.template["Resources"], STACK}
    free = {"Stage", "Region", "GlobalSecondaryIndexName", "Code", "Outcome"}
    for name, alarm in alarms.items():
        for *_, dimensions, _statistic in metrics_of(alarm).values():
            assert {value for key, value in dimensions.items() if key not in free} <= known, name


def test_alarms_watch_metrics_that_aws_writes(alarms: dict[str, dict[str, Any]]) -> None:
    for name, alarm in alarms.items():
        for namespace, metric, dimensions, _statistic in metrics_of(alarm).values():
            assert namespace == ENGINE or is_written_by_aws(namespace, metric, dimensions), name


def test_an_alarm_on_an_index_names_one_of_the_table(packaged: Packaged, alarms: dict[str, dict[str, Any]]) -> None:
    indexes = {
        (table, index["IndexName"])
        for table, one in packaged.resources("AWS::DynamoDB::Table").items()
        for index in one.get("GlobalSecondaryIndexes", ())
    }
    watched = {
        (dimensions["TableName"], dimensions["GlobalSecondaryIndexName"])
        for alarm in alarms.values()
        for *_, dimensions, _statistic in metrics_of(alarm).values()
        if "GlobalSecondaryIndexName" in dimensions
    }
    assert watched
    assert watched <= indexes


def test_an_expression_that_fills_gaps_waits_for_data_that_come_late(alarms: dict[str, dict[str, Any]]) -> None:
    """CloudWatch fills the newest minute too, so an alarm that needs all of its minutes would never ring."""
    for name, alarm in alarms.items():
        if "Metrics" in alarm:
            assert "FILL" in alarm["Metrics"][0]["Expression"]
            assert alarm["DatapointsToAlarm"] < alarm["EvaluationPeriods"], name
            assert len(alarm["Metrics"]) <= 11, "an alarm takes ten metrics and an expression"


def test_the_essential_alarms_cost_nothing_in_an_account_without_others() -> None:
    """CloudWatch takes no money for the first ten metrics of alarms."""
    assert sum(row.paid_metrics for row in ROWS if row.essential) <= 10
    assert sum(row.paid_metrics for row in ROWS) * METRIC_USD < 5


def test_all_stages_have_the_essential_alarms_and_others_can_be_left_out(packaged: Packaged) -> None:
    found = packaged.template["Resources"]
    for row in ROWS:
        assert found[row.name].get("Condition") == (None if row.essential else row.condition)
    conditions = packaged.template["Conditions"]
    assert conditions["AllAlarms"] == {"Fn::Equals": [{"Ref": "Alarms"}, "all"]}
    assert {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]} in conditions["FrontDoorAlarms"]["Fn::And"]
    assert {row.name for row in ROWS if row.condition != "AllAlarms"} == {"FrontDoorErrorsAlarm"}
