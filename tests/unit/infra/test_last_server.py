"""A start after a kill waits for the database server that the kill left behind."""

import threading
from pathlib import Path

import pytest

from infra.local.errors import LocalStackError
from infra.local.last_server import await_end


class Machine:
    """A data directory, and processes as Linux shows them."""

    def __init__(self, root: Path) -> None:
        self.data = root / "data"
        self.processes = root / "proc"
        (self.processes / "41").mkdir(parents=True)
        self.data.mkdir()
        self.pid_file = self.data / "postmaster.pid"
        self.pid_file.write_text(f"41\n{self.data}\n1700000000\n5433\n\n127.0.0.1\n  4784196   2719746\nready\n")

    def runs(self, command: str) -> None:
        (self.processes / "41/cmdline").write_text(command)

    def attaches(self, processes: int) -> None:
        """So many processes are attached to the server's shared memory."""
        columns = "       key      shmid perms                  size  cpid  lpid nattch   uid\n"
        row = f"   4784196    2719746   600                    56 21185 21189      {processes} 65534\n"
        (self.processes / "sysvipc").mkdir(exist_ok=True)
        (self.processes / "new").write_text(columns + row)
        (self.processes / "new").rename(self.processes / "sysvipc/shm")

    def ends(self) -> None:
        (self.processes / "41/cmdline").unlink()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_directory_without_a_server_needs_no_wait(machine: Machine) -> None:
    machine.pid_file.unlink()
    await_end(machine.data, 60, machine.processes)


def test_a_server_that_is_gone_is_left_to_postgresql(machine: Machine) -> None:
    await_end(machine.data, 60, machine.processes)
    assert machine.pid_file.exists()


def test_a_stopping_server_is_awaited(machine: Machine) -> None:
    machine.runs(f"postgres\0-D\0{machine.data}\0")
    ending = threading.Timer(0.1, machine.ends)
    ending.start()
    await_end(machine.data, 60, machine.processes)
    ending.join()
    assert not (machine.processes / "41/cmdline").exists()


def test_a_server_that_keeps_running_is_named(machine: Machine) -> None:
    machine.runs(f"postgres\0-D\0{machine.data}\0")
    with pytest.raises(LocalStackError, match="process 41"):
        await_end(machine.data, 0, machine.processes)
    assert machine.pid_file.exists()


@pytest.mark.parametrize("command", ["", "bash\0"], ids=["a dead process", "another program"])
def test_a_number_that_no_server_has_keeps_none_from_starting(machine: Machine, command: str) -> None:
    machine.runs(command)
    await_end(machine.data, 0, machine.processes)
    assert not machine.pid_file.exists()


def test_the_processes_of_a_killed_server_are_awaited(machine: Machine) -> None:
    machine.attaches(1)
    ending = threading.Timer(0.1, machine.attaches, [0])
    ending.start()
    await_end(machine.data, 60, machine.processes)
    assert "      0 65534" in (machine.processes / "sysvipc/shm").read_text()
    ending.join()
