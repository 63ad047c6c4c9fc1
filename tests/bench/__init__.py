"""Measures the engine on local stacks of its own: ``make bench``."""
