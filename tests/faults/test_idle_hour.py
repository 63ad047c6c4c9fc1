"""What an engine without orders costs: the invocations and calls of an idle hour, in virtual time."""

from tests.faults.virtual.client_scenarios import Expected, without_key
from tests.faults.virtual.sleeping import SleepingWorld

#: The calls of a minute's check: the index of deadlines, and the pending launches. ``tests/contract/stores`` has the
#: requests that they make.
_CALLS_OF_A_CHECK = 2


def test_an_idle_hour_is_sixty_checks_and_no_look() -> None:
    world = SleepingWorld()
    for _ in range(60):
        world.fall_asleep(0)
    assert (world.checks, world.looks) == (60, 0)
    assert world.looks_queue.sent == 60, "the schedule alone sends messages"
    assert world.injector.calls == 60 * _CALLS_OF_A_CHECK


def test_after_an_order_the_looks_end_within_minutes() -> None:
    world = SleepingWorld()
    world.fall_asleep(30)
    without_key(world, None, Expected())
    began_ms = world.clock.now_ms()
    world.run()
    assert world.looks > 0
    assert world.clock.now_ms() - began_ms <= 4 * 60_000
    looks = world.looks
    world.fall_asleep(30)
    assert world.looks == looks
