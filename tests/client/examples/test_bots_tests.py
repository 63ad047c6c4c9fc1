"""The tests of the example bot pass."""

from examples.test_my_bot import *  # noqa: F403
