"""Every migration works with the version that runs while it is applied: a deployment migrates before its new code.

A statement only adds, or names in a comment right before it why the running version does not need what it takes away.
"""

import re
from pathlib import Path

import pytest

from chalicelib.history.migrate import MIGRATIONS

#: What would break a running version: it reads and writes all columns that it knows, and may leave new ones out.
_TAKES_AWAY = re.compile(
    r"\b(?:drop\s+(?:table|column|view|function|type|schema|constraint|trigger)|rename\s|truncate\s|delete\s+from"
    r"|alter\s+(?:column\s+)?\w+\s+(?:set\s+data\s+)?type\s|drop\s+default|detach\s+partition|revoke\s)",
    re.IGNORECASE,
)
#: What a running version may write, and would be refused; or what would happen at its writes.
_RESTRICTS = re.compile(
    r"\b(?:add\s+(?:constraint\s+\w+\s+)?(?:check|unique|foreign\s+key|exclude|primary\s+key)\b"
    r"|create\s+unique\s+index|create\s+(?:or\s+replace\s+)?(?:constraint\s+)?trigger|create\s+rule)",
    re.IGNORECASE,
)
#: A column without a value in the rows that a running version writes.
_REQUIRES = re.compile(
    r"add\s+column\s+(?:if\s+not\s+exists\s+)?\w+[^,;]*\bnot\s+null\b(?![^,;]*\bdefault\b)", re.IGNORECASE
)
_SETS_NOT_NULL = re.compile(r"alter\s+column\s+(\w+)\s+set\s+not\s+null", re.IGNORECASE)
#: Released before this rule, with the whole reason.
_REASON = "-- compatible:"


def incompatible(text: str) -> list[str]:
    """Return what a migration takes away from the running version without a reason."""
    found, reasoned = [], False
    statements = re.split(r";[ \t]*(?:\n|$)", text)
    for statement in statements:
        reasoned = _REASON in statement.lower()
        code = re.sub(r"--.*", "", statement)
        taken = [match[0] for pattern in (_TAKES_AWAY, _RESTRICTS, _REQUIRES) for match in pattern.finditer(code)]
        for match in _SETS_NOT_NULL.finditer(code):
            if not re.search(rf"alter\s+column\s+{match[1]}\s+set\s+default", code, re.IGNORECASE):
                taken.append(match[0])
        found += [] if reasoned else taken
    return found


@pytest.mark.parametrize("file", sorted(MIGRATIONS.glob("*.sql")), ids=lambda file: file.stem)
def test_a_migration_takes_nothing_from_the_version_that_runs(file: Path) -> None:
    assert incompatible(file.read_text()) == []


@pytest.mark.parametrize(
    "statement",
    [
        "alter table orders drop column side;",
        "drop table order_quotes;",
        "alter table orders rename column side to way;",
        "alter table orders alter column seq type bigint;",
        "alter table orders alter column tx_hash set not null;",
        "alter table orders add column venue text not null;",
        "delete from order_quotes where seq = 1;",
        "alter table orders add constraint positive check (seq > 0);",
        "alter table orders add constraint one_swap unique (tx_hash);",
        "alter table orders add check (seq > 0);",
        "create unique index concurrently if not exists one_swap on orders (tx_hash);",
        "create trigger later before insert on orders for each row execute function f();",
        "drop trigger later on orders;",
        "revoke insert on orders from writer;",
    ],
)
def test_what_a_running_version_would_miss_is_found(statement: str) -> None:
    assert incompatible(statement)
    assert not incompatible(f"-- compatible: no version that can still run uses it\n{statement}")


@pytest.mark.parametrize(
    "statement",
    [
        "alter table orders add column venue text;",
        "alter table orders add column n integer not null default 0;",
        "create index concurrently if not exists x on orders (side);",
        "drop index concurrently if exists orders_by_tx_hash;",
        "alter table orders\n    alter column a set default now(),\n    alter column a set not null;",
    ],
)
def test_what_only_adds_is_compatible(statement: str) -> None:
    assert not incompatible(statement)
