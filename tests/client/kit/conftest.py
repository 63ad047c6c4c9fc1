"""An engine of its own for each test, with the fixture that testers get."""

from orderengine.testing.plugin import engine  # noqa: F401
