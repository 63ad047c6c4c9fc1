"""Packages, deploys, runs and inspects the engine. The engine itself imports nothing from here."""
