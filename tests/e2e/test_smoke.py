"""The smoke test that ends each deployment passes the deployed system, as ``make smoke`` runs it."""

import re

import pytest

from infra.ops import keys, smoke
from infra.ops.deployment import local_deployment
from tests.e2e.client import Client
from tests.support.stack import RunningStack


def test_the_smoke_test_passes_and_leaves_neither_an_open_order_nor_a_key(
    stack: RunningStack, client: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STATE_DIR", str(stack.state_dir))
    monkeypatch.setattr("sys.argv", ["smoke"])
    code = smoke.main()
    printed = capsys.readouterr()
    assert (code, printed.err) == (0, "")
    assert re.findall(r"^(.+?) +\d+\.\d\d s   ", printed.out, re.MULTILINE) == [
        "health",
        "page and documents",
        "no entry for strangers",
        "an order, sent twice",
        "its stream on a socket",
        "an open limit order",
        "amended by If-Match",
        "cancelled",
        "refused handshakes",
        "a stream path without one",
        "errors are not cached",
    ]
    assert sorted(one["status"] for one in client.listed("smoke")) == ["cancelled", "confirmed"]
    listed = keys.listing(local_deployment(stack.endpoints)).splitlines()
    made = [line.split() for line in listed if " smoke " in line]
    assert len(made) == (1 if stack.key else 0)
    # The columns are id, user, scopes, created, expires, revoked and last use.
    assert all(row[2] == "read,trade" and "-" not in (row[4], row[5]) for row in made)
