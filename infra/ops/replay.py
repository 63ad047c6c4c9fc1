"""``python -m infra.ops.replay ORDER_ID [--stage prod]``: compute an order's quotes, signature and outcome once more.

Prints where the results differ from what the order keeps; exit code 1 then, and 2 without an order to replay. It
reads the orders and market tables with the settings of the deployed functions, and writes nothing.
"""

import sys
import time
from dataclasses import replace

from pynamodb.exceptions import PynamoDBException

from chalicelib.domain.orders import Order
from chalicelib.ports.orders import UnreadableOrderError
from chalicelib.services.orders.replay import ReplayOrder, ReplayReport
from chalicelib.settings import Settings, read_settings
from chalicelib.simulation.factory import build_simulation
from chalicelib.stores.connection import SharedConnection
from chalicelib.stores.ledger import DynamoLedger
from chalicelib.stores.markets import DynamoMarketStore
from chalicelib.stores.orders import DynamoOrderStore
from infra.command import run
from infra.errors import InfraError
from infra.ops.deployment import ACCESS_ERRORS, Deployment, find_deployment, stage_parser

#: A function that executes orders has every setting that its quotes depend on.
_FUNCTION = "ProcessOrders"


def replay(deployment: Deployment, order_id: str) -> ReplayReport:
    """Replay an order of a deployment.

    :raises InfraError: if the deployment has no such order, or it cannot be read.
    """
    settings = _settings(deployment)
    connection = SharedConnection(settings)
    credentials = deployment.session.get_credentials()
    if credentials:
        connection.session.set_credentials(credentials.access_key, credentials.secret_key, credentials.token)
    markets = DynamoMarketStore(connection, settings)
    simulation = build_simulation(settings, DynamoLedger(connection, settings), markets, _now_ms, time.sleep)
    try:
        order = _order(DynamoOrderStore(connection, settings, _now_ms), order_id, deployment)
        return ReplayOrder(simulation.hindsight)(order)
    except PynamoDBException as error:
        raise InfraError(" ".join(str(error).split())) from error


def _order(orders: DynamoOrderStore, order_id: str, deployment: Deployment) -> Order:
    try:
        stored = orders.get(order_id)
    except UnreadableOrderError:
        raise InfraError(f"The order {order_id} cannot be read: make doctor says more.") from None
    if stored is None:
        raise InfraError(f"There is no order {order_id} in {deployment.location}.")
    return stored.order


def _settings(deployment: Deployment) -> Settings:
    """The settings of the deployed functions, for use from this machine."""
    found = deployment.client("cloudformation").describe_stack_resources(StackName=deployment.stack)
    names = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found["StackResources"]}
    function = deployment.client("lambda").get_function_configuration(FunctionName=names[_FUNCTION])
    settings = read_settings(function["Environment"]["Variables"])
    region = deployment.session.region_name or settings.aws_region
    return replace(settings, aws_endpoint_url=deployment.endpoint_url, aws_region=region)


def described(report: ReplayReport) -> str:
    """The report as lines of text."""
    verdict = "all as the order keeps them" if report.matches else f"{len(report.differences)} differ"
    lines = [f"Order {report.order_id}: {report.checked} values computed again, {verdict}."]
    lines += [f"  seq {one.seq}  {one.field}: kept {one.kept}, computed {one.computed}" for one in report.differences]
    if report.unknown:
        lines.append(f"Not computed, because the market data of then is not kept any more: {report.unknown}.")
    if not report.checked and not report.unknown:
        lines = [f"Order {report.order_id} keeps nothing that can be computed again."]
    return "\n".join(lines)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def main() -> int:
    """Run the command and return the exit code."""
    parser = stage_parser(__doc__)
    parser.add_argument("order_id", help="of the order to replay")
    asked = parser.parse_args()
    try:
        report = replay(find_deployment(asked.stage), asked.order_id)
    except ACCESS_ERRORS as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 2
    print(described(report))
    return 0 if report.matches else 1


if __name__ == "__main__":
    sys.exit(run(main))
