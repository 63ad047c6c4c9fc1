"""Generates the machine-readable contract, ``openapi.json`` and ``asyncapi.json``, from the models and the routes."""
