"""The emulator holds messages back until the deployment, and delivers them at once after it."""

from types import SimpleNamespace
from typing import Any

import pytest
from ministack.services import lambda_svc

from infra.local.deliveries import Deliveries


def test_the_emulator_has_the_functions_that_are_adapted() -> None:
    assert all(hasattr(lambda_svc, name) for name in Deliveries.NEEDED)


class Poller:
    """The emulator's poller, which notes what it is asked for."""

    def __init__(self) -> None:
        self.polls = 0
        self.waits: list[float] = []
        self.functions: Any = SimpleNamespace(
            _poll_sqs=self.poll, _esm_wake=SimpleNamespace(wait=self.wait), _ESM_IDLE_WAKE_GAP_SECONDS=0.05
        )
        self.deliveries = Deliveries(self.functions)
        self.deliveries.install()

    def poll(self) -> bool:
        self.polls += 1
        return True

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        return False


@pytest.fixture
def poller() -> Poller:
    return Poller()


def test_no_message_is_delivered_before_the_deployment(poller: Poller) -> None:
    assert not poller.functions._poll_sqs()
    assert not poller.polls
    poller.deliveries.start()
    assert poller.functions._poll_sqs()
    assert poller.polls


def test_a_message_waits_a_tenth_of_a_second_at_most_after_its_delay(poller: Poller) -> None:
    poller.functions._esm_wake.wait(1)
    assert poller.waits == [0.1]


def test_the_end_of_an_invocation_delays_no_message(poller: Poller) -> None:
    assert poller.functions._ESM_IDLE_WAKE_GAP_SECONDS < 0.005
