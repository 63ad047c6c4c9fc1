"""The HTTP entry points: each parses a request, calls one use case and shapes the answer."""
