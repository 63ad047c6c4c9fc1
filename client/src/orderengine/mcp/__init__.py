"""The engine as tools for agents (Model Context Protocol, over stdio). It needs the extra ``mcp``.

The tools are made from the ``openapi.json`` of the engine that they call. A write is a preview unless its argument
``execute`` is true. One that names the idempotency key or the event that its preview answered can be repeated.
"""
