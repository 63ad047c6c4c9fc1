"""Every alarm of a stage."""

from infra.aws.order_alarms import ORDER_ALARMS
from infra.aws.traffic_alarms import TRAFFIC_ALARMS
from infra.aws.upkeep_alarms import UPKEEP_ALARMS

ALARMS = (*ORDER_ALARMS, *UPKEEP_ALARMS, *TRAFFIC_ALARMS)
