"""Benchmarks that measure the engine, each on a local stack of its own: ``make bench``."""
