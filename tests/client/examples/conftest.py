"""Each example runs on the kit."""

from orderengine.testing.plugin import engine

__all__ = ["engine"]
