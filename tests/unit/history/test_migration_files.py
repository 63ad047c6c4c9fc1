"""The files of the schema's migrations keep the rules that let writers go on."""

import re
from pathlib import Path

import pytest

from chalicelib.history.migrate import MIGRATIONS
from chalicelib.history.migration_files import OUTSIDE, MigrationFile, migration_files

#: Applied before the rules, and never changed.
_BEFORE_THE_RULES = {"0001_orders.sql", "0002_waiting_orders.sql", "0003_read_model.sql", "0004_recorded_at.sql"}
#: A file whose first line begins so may block writers, for the reason that follows.
_EXEMPTION = "-- migrate: blocks writers: "

#: Rewrites the table, or reads all of it, while no row can be written.
_BLOCKING = {
    "a type that rewrites": r"\balter\s+(?:column\s+)?\w+\s+(?:set\s+data\s+)?type\b",
    "a default that differs by row": (
        r"\badd\s+(?:column\s+)?[^,;]*\bdefault\s+[^,;]*\b(?:clock_timestamp|random|\w*uuid\w*)\s*\("
    ),
    "a generated or numbered column": r"\badd\s+(?:column\s+)?[^,;]*\b(?:generated|serial|bigserial)\b",
    "a move of the table": (
        r"\bset\s+(?:logged|unlogged|tablespace|access\s+method)\b|\bcluster\b|\bvacuum\s*\(?\s*full\b"
    ),
    "an index in a transaction": r"\bcreate\s+(?:unique\s+)?index\s+(?!concurrently)|\breindex\b(?!.*concurrently)",
    "a constraint that is checked at once": (
        r"\badd\s+(?:constraint|check|foreign|unique|primary)\b(?![^;]*\b(?:not\s+valid|using\s+index)\b)"
    ),
    "a column that must not be null": r"\bset\s+not\s+null\b",
}
#: Changes rows; in a transaction it holds their locks to the end, and outside of one it must work in batches.
_CHANGES_ROWS = r"\b(?:(?<!share )update|delete\s+from|insert\s+into)\b"
#: Statements that may run again after an interruption.
_REPEATABLE = (
    r"(?:create|drop)\s.*\bconcurrently\s+if\b|do\s+\$\$.*\bcommit;|vacuum\b|analyze\b"
    r"|alter\s+table\s+\w+\s+validate\s+constraint\b"
)


def faults(file: MigrationFile) -> list[str]:
    """What in a file keeps writers out."""
    if file.name in _BEFORE_THE_RULES or file.content.startswith(_EXEMPTION):
        return []
    code = re.sub("--.*", "", file.content)
    new_tables = re.findall(r"\bcreate\s+table\s+(?:if\s+not\s+exists\s+)?(\w+)", code, re.IGNORECASE)
    for table in new_tables:
        # Nothing writes to a table that the file creates.
        code = re.sub(rf"\bcreate\s+(?:unique\s+)?index\s+\w+\s+on\s+{table}\b", "", code, flags=re.IGNORECASE)
    found = [name for name, form in _BLOCKING.items() if re.search(form, code, re.IGNORECASE)]
    if file.is_transaction and re.search(_CHANGES_ROWS, code, re.IGNORECASE):
        found.append("a change of rows in one transaction")
    if not file.is_transaction:
        found += [
            f"not repeatable: {statement.text}"
            for statement in file.statements
            if not re.match(_REPEATABLE, statement.text, re.IGNORECASE | re.DOTALL)
        ]
    return found


def test_no_migration_blocks_writers() -> None:
    assert {file.name: faults(file) for file in migration_files(MIGRATIONS) if faults(file)} == {}


@pytest.mark.parametrize(
    "statement",
    [
        "alter table orders alter column seq type bigint",
        "alter table orders alter seq set data type bigint",
        "alter table orders add column id uuid default gen_random_uuid()",
        "alter table orders add column at timestamptz not null default clock_timestamp()",
        "alter table orders add column number bigserial",
        "alter table orders add column twice integer generated always as (seq * 2) stored",
        "alter table orders set unlogged",
        "vacuum full orders",
        "create index orders_by_seq on orders (seq)",
        "alter table orders add constraint positive check (seq > 0)",
        "alter table orders alter column quotes set not null",
        "update orders set seq = seq",
    ],
)
@pytest.mark.parametrize("head", ["", f"{OUTSIDE}\n"])
def test_a_statement_that_blocks_writers_is_found(head: str, statement: str) -> None:
    assert faults(MigrationFile("9999_new.sql", f"{head}{statement};"))
    assert not faults(MigrationFile("9999_new.sql", f"{_EXEMPTION}the table is small\n{statement};"))


@pytest.mark.parametrize(
    "content",
    [
        "alter table orders add column note text;",
        "alter table orders add column note text default 'none', add column at timestamptz default now();",
        "alter table orders add constraint positive check (seq > 0) not valid;",
        "alter table orders add constraint orders_key primary key using index orders_by_id;",
        "create table notes (id integer primary key); create index notes_by_id on notes (id);",
        f"{OUTSIDE}\ncreate index concurrently if not exists orders_by_seq on orders (seq);",
    ],
)
def test_a_statement_that_lets_writers_go_on_is_accepted(content: str) -> None:
    assert faults(MigrationFile("9999_new.sql", content)) == []


def test_a_marked_file_is_split_into_its_statements() -> None:
    body = "do $$\nbegin\n    loop\n        exit; -- at once; really\n    end loop;\nend $$"
    content = f"{OUTSIDE}\n-- First; a comment.\ndrop index concurrently if exists one;\n\n{body};\nvacuum orders;\n"
    texts = [statement.text for statement in MigrationFile("9999_new.sql", content).statements]
    assert texts == ["drop index concurrently if exists one", body.replace("-- at once; really", ""), "vacuum orders"]


def test_an_unmarked_file_is_one_transaction() -> None:
    file = MigrationFile("9999_new.sql", "select 1; select 2;")
    assert file.is_transaction
    assert [statement.text for statement in file.statements] == ["select 1; select 2;"]


def test_files_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("0002_b.sql", "0001_a.sql"):
        (tmp_path / name).write_text("select 1")
    assert [file.name for file in migration_files(tmp_path)] == ["0001_a.sql", "0002_b.sql"]
