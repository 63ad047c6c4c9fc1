"""Settings that hold for all tests."""

import os

from hypothesis import settings

# A slow machine is no failure, and what CI tries is the same every time; elsewhere every run tries something new.
settings.register_profile("engine", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("engine")
