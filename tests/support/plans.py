"""What PostgreSQL does for a statement: its plan with the rows, blocks and time that it takes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql


@dataclass(frozen=True)
class Plan:
    """``buffers`` counts the blocks read, cached or not; ``summary`` names the scans and sorts, outermost first."""

    ms: float
    buffers: int
    rows: int
    summary: str


def explain(
    connection: psycopg.Connection[Any], statement: sql.Composable | str, parameters: Mapping[str, Any]
) -> Plan:
    """Run the statement with these parameters and describe how."""
    text = statement.as_string() if isinstance(statement, sql.Composable) else statement
    explained = f"explain (analyze, buffers, format json) {text}".encode()
    row = connection.execute(explained, parameters, prepare=False).fetchone()
    [found] = row[0] if row else []
    top = found["Plan"]
    steps = [step for node in _nodes(top) if (step := _step(node))]
    return Plan(
        ms=found["Execution Time"],
        buffers=top["Shared Hit Blocks"] + top["Shared Read Blocks"],
        rows=top["Actual Rows"],
        summary=", ".join(dict.fromkeys(steps)),
    )


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from _nodes(below)


def _step(node: Mapping[str, Any]) -> str | None:
    kind = node["Node Type"]
    if index := node.get("Index Name"):
        return f"{kind} {index}"
    if "Scan" in kind and "Relation Name" in node:
        return f"{kind} {node['Relation Name']}"
    return str(kind) if "Sort" in kind else None
