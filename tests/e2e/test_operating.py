"""``make run`` and its companions: a start, a second start, a stop, and a crash of a part or of the launcher."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from infra.project import ROOT
from tests.e2e.client import PATIENCE_SECONDS, Client, an_order, parse
from tests.support.stack import RunningStack, StackStartError, running_stack

FAST = {"VENUE_TIME_SCALE": "0"}


def run_make(*targets: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["make", "--no-print-directory", *targets],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def processes_of(state_dir: Path) -> list[str]:
    """The command lines of the live processes that belong to a state directory."""
    found = []
    for directory in Path("/proc").iterdir():
        if directory.name.isdigit():
            try:
                text = (directory / "cmdline").read_bytes() + (directory / "environ").read_bytes()
            except OSError:
                continue
            if str(state_dir).encode() in text and int(directory.name) != os.getpid():
                found.append(text.split(b"\0")[0].decode())
    return found


def assert_nothing_left(state_dir: Path, stack: RunningStack) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (left := processes_of(state_dir)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []
    assert not (state_dir / "endpoints.json").exists()
    for address in stack.endpoints.values():
        parts = urlsplit(address)
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", parts.port or 0)) != 0


def test_a_second_start_names_the_running_stack_and_leaves_it_unchanged(stack: RunningStack, client: Client) -> None:
    with pytest.raises(StackStartError, match=stack.endpoints["http"]), running_stack(stack.state_dir):
        pass
    assert client.engine.health().status == "ok"
    assert (stack.state_dir / "endpoints.json").exists()


def test_the_metrics_of_the_stack_count_an_order(stack: RunningStack, client: Client) -> None:
    def confirmed() -> float:
        lines = requests.get(stack.endpoints["metrics"], timeout=PATIENCE_SECONDS).text.splitlines()
        found = [line for line in lines if line.startswith('engine_orders_ended_total{outcome="confirmed"}')]
        return float(found[0].rpartition(" ")[2]) if found else 0

    before = confirmed()
    client.ended(client.accept()["orderId"])
    # The worker logs the end just after it is stored.
    deadline = time.monotonic() + PATIENCE_SECONDS
    while confirmed() <= before:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_the_error_for_a_port_in_use_names_the_variable_that_changes_it(stack: RunningStack, tmp_path: Path) -> None:
    port = str(urlsplit(stack.endpoints["http"]).port)
    with (
        pytest.raises(StackStartError, match=f"Port {port} .*(\n.*)*PORT="),
        running_stack(tmp_path, {"PORT": port}),
    ):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_only_stored_data_survives_a_stop(tmp_path: Path) -> None:
    with running_stack(tmp_path, FAST) as first:
        client = Client(first.endpoints["http"], first.endpoints["ws"])
        order_id = client.accept(userId="keeper")["orderId"]
        record = client.ended(order_id)
        assert run_make("stop", STATE_DIR=str(tmp_path)).stdout.strip() == "Stopped."
    assert_nothing_left(tmp_path, first)
    with running_stack(tmp_path, FAST) as second:
        client = Client(second.endpoints["http"], second.endpoints["ws"])
        assert client.record(order_id) == record
        assert client.listed("keeper") == [record]
        # The restored queues work although the emulator listens on another port.
        again = client.accept(userId="keeper")["orderId"]
        client.ended(again)
        second.kill(signal.SIGKILL)
    assert_only_endpoints_file_left(tmp_path)


def assert_only_endpoints_file_left(state_dir: Path) -> None:
    """Check that the children of a launcher killed by SIGKILL end too; only ``endpoints.json`` remains."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (left := processes_of(state_dir)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_killed_part_stops_the_whole_stack_and_the_error_names_it(tmp_path: Path) -> None:
    with running_stack(tmp_path, FAST) as stack:
        front_door = next(
            int(directory.name)
            for directory in Path("/proc").iterdir()
            if directory.name.isdigit() and b"caddy" in _command_line(directory) and _belongs(directory, tmp_path)
        )
        os.kill(front_door, signal.SIGKILL)
        assert stack.wait(PATIENCE_SECONDS) != 0
        assert "front door" in stack.logs().lower()
    assert_nothing_left(tmp_path, stack)


def _command_line(directory: Path) -> bytes:
    try:
        return (directory / "cmdline").read_bytes()
    except OSError:
        return b""


def _belongs(directory: Path, state_dir: Path) -> bool:
    try:
        return str(state_dir).encode() in _command_line(directory) + (directory / "environ").read_bytes()
    except OSError:
        return False


def test_chalice_local_serves_the_http_routes_against_the_running_stack(
    stack: RunningStack, client: Client, tmp_path: Path
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (tmp_path / "chalice.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "infra.local", "chalice"],
            cwd=ROOT,
            env={**os.environ, "STATE_DIR": str(stack.state_dir), "LOCAL_PORT": str(port)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        wait_for_port(port, server)
        local = Client(f"http://127.0.0.1:{port}", client.ws, stack.key)
        assert local.engine.health().status == "ok"
        order_id = local.accept()["orderId"]
        client.ended(order_id)
        assert local.record(order_id)["status"] == "confirmed"
        refused = local.post("/orders", an_order(amountIn=-5))
        assert (refused.status_code, parse(refused.text)["code"]) == (422, "INVALID_ORDER")
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(PATIENCE_SECONDS)


def wait_for_port(port: int, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("chalice local did not come up")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_the_start_ends_it_without_a_traceback(tmp_path: Path, number: signal.Signals) -> None:
    ports = {"PORT": "0", "AWS_PORT": "0", "POSTGRES_PORT": "0"}
    with subprocess.Popen(
        [sys.executable, "-m", "infra.local", "run"],
        cwd=ROOT,
        env={**os.environ, **ports, "STATE_DIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as launcher:
        assert launcher.stdout
        assert launcher.stdout.readline().startswith("Packaging")
        launcher.send_signal(number)
        said, complaint = launcher.communicate(timeout=PATIENCE_SECONDS)
    assert (launcher.returncode, said.splitlines()[-1], complaint) == (0, "Stopped.", "")
    assert not (tmp_path / "endpoints.json").exists()


def test_help_lists_the_targets() -> None:
    listed = run_make("help").stdout
    for target in (
        "run",
        "stop",
        "logs",
        "clean",
        "test",
        "test-fast",
        "check",
        "bench",
        "faults",
        "doctor",
        "dead-letters",
        "deploy",
    ):
        assert f"  {target} " in listed
