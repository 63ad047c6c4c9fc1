"""The order execution engine."""

#: The version of this package, which ``GET /health`` reports.
VERSION = "0.2.0"
