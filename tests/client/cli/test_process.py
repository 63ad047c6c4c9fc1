"""``oe`` as a process: pipes, signals, a real terminal, and how fast it starts."""

import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from fcntl import ioctl
from pathlib import Path

import pytest

from orderengine.core.commands import Unreachable
from tests.client.cli.fake_engine import ORDER, FakeEngine, event, events_body, record, served

SOURCE = Path(__file__).parents[3] / "client" / "src"
OE = [sys.executable, "-m", "orderengine.cli"]


@pytest.fixture
def url(engine: FakeEngine) -> Iterator[str]:
    with served(engine) as found:
        yield found


def environment(url: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(SOURCE), "OE_URL": url, "TERM": "xterm-256color"}


def start(url: str, *arguments: str) -> "subprocess.Popen[bytes]":
    pipe = subprocess.PIPE
    return subprocess.Popen([*OE, *arguments], env=environment(url), stdout=pipe, stderr=pipe)


def on_terminal(url: str, *arguments: str, columns: int = 80, colour: bool = True) -> tuple[str, int]:
    """What a terminal is sent, and the exit code."""
    here, there = pty.openpty()
    ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    variables = {name: value for name, value in environment(url).items() if name not in ("COLUMNS", "LINES")}
    if not colour:
        variables["NO_COLOR"] = "1"
    process = subprocess.Popen([*OE, *arguments], env=variables, stdin=there, stdout=there, stderr=there)
    os.close(there)
    shown = b""
    try:
        while part := os.read(here, 65536):
            shown += part
    except OSError:  # Linux says so when the process has ended
        pass
    os.close(here)
    return shown.decode(), process.wait()


def test_a_bar_of_steps_is_drawn_on_a_terminal(url: str) -> None:
    shown, code = on_terminal(url, "sell", "1", "SOL", "USDC", "--watch")
    assert code == 0
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert "✔ pending   ✔ routing   ✔ building   ✔ submitted   ✔ confirmed" in text
    assert "price   101.56454600000000000000001" in text
    assert shown.endswith("\n")
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l"), "the cursor is shown again"


def test_no_color_takes_the_colours_away(url: str) -> None:
    shown, _ = on_terminal(url, "get", ORDER, colour=False)
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", shown)


def test_a_reader_that_goes_away_ends_it_quietly(url: str) -> None:
    process = start(url, "watch", ORDER)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert process.wait() == 141


def test_an_interrupt_while_sending_says_how_to_settle(url: str, engine: FakeEngine) -> None:
    engine.on("POST", "/api/orders/execute", Unreachable("hangs", sent=True))
    process = start(url, "sell", "1", "SOL", "USDC", "--idempotency-key", "k1")
    assert engine.hangs.wait(20)
    process.send_signal(signal.SIGINT)
    out, told = process.communicate(timeout=20)
    assert process.returncode == 130
    assert out == b""
    document = json.loads(told)
    assert document["idempotencyKey"] == "k1"
    assert document["command"] == "oe sell 1 SOL USDC --idempotency-key k1"


@pytest.mark.parametrize("arguments", [["watch", ORDER], ["sell", "1", "SOL", "USDC", "--wait"]])
def test_an_interrupt_while_waiting_says_that_the_order_goes_on(
    url: str, engine: FakeEngine, arguments: list[str]
) -> None:
    hang = Unreachable("hangs", sent=True)
    engine.on("GET", f"/api/orders/{ORDER}/events", events_body(event(1, "pending", "queued", 0)), hang)
    process = start(url, *arguments)
    assert engine.hangs.wait(20)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 130
    document = json.loads(told)
    assert document["orderId"] == ORDER
    assert document["command"].startswith(f"oe watch {ORDER}")


def test_a_failed_order_has_its_exit_code_and_record(url: str, engine: FakeEngine) -> None:
    engine.on("GET", f"/api/orders/{ORDER}/events", events_body(event(1, "failed", "failed")))
    engine.on("GET", f"/api/orders/{ORDER}", record("failed", "failed", failCode="NO_LIQUIDITY"))
    process = start(url, "sell", "1", "SOL", "USDC", "--wait")
    out, told = process.communicate(timeout=20)
    assert (process.returncode, told) == (10, b"")
    assert json.loads(out)["failCode"] == "NO_LIQUIDITY"


def test_the_command_line_starts_without_rich_and_the_network(tmp_path: Path) -> None:
    code = (
        "import sys, orderengine.cli.root as root; root.oe.get_command(None, 'sell')\n"
        "print([name for name in ('rich', 'httpx2', 'websockets.sync') if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], env=environment(""), capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


def test_without_click_it_says_what_to_install(tmp_path: Path) -> None:
    code = "import sys; sys.modules['click'] = None; from orderengine.cli import main; main()"
    found = subprocess.run([sys.executable, "-c", code], env=environment(""), capture_output=True, text=True)
    assert found.returncode == 1
    assert found.stderr.strip() == "oe needs click: pip install 'orderengine[cli]'"


def through_shell(url: str, words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    command = ["sh", "-c", f"exec {sys.executable} -m orderengine.cli {words}"]
    return subprocess.run(
        command, env={**environment(url), **variables}, capture_output=True, text=True, errors="replace"
    )


@pytest.mark.parametrize("flags", ["", "--wait", "--watch", "--table", "--table --wait", "--table --watch"])
@pytest.mark.parametrize("target", ["> /dev/full", ">&-"])
def test_a_placed_order_that_stdout_cannot_show_is_told_on_stderr(url: str, flags: str, target: str) -> None:
    ended = through_shell(url, f"sell 1 SOL USDC --idempotency-key k1 {flags} {target}")
    assert ended.returncode == 7
    assert "Stdout cannot be written" in ended.stderr
    assert "bug" not in ended.stderr
    assert f"oe get {ORDER}" in ended.stderr
    assert "k1" in ended.stderr
    if "--table" not in flags:
        document = json.loads(ended.stderr)
        assert (document["orderId"], document["idempotencyKey"], document["exitCode"]) == (ORDER, "k1", 7)


def test_a_placed_order_whose_reader_has_gone_is_told_on_stderr(url: str) -> None:
    process = start(url, "sell", "1", "SOL", "USDC")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert json.loads(process.stderr.read())["orderId"] == ORDER
    assert process.wait() == 141


@pytest.mark.parametrize("words", [f"get {ORDER}", "--help", "ls -h", "completion zsh", f"events {ORDER} --table"])
@pytest.mark.parametrize("target", ["> /dev/full", ">&-"])
def test_stdout_that_cannot_be_written_is_one_line_and_has_an_exit_code(url: str, words: str, target: str) -> None:
    ended = through_shell(url, f"{words} {target}")
    assert (ended.returncode, len(ended.stderr.splitlines())) == (7, 1), ended.stderr


@pytest.mark.parametrize("target", ["2>&-", "2> /dev/full"])
def test_stderr_that_cannot_be_written_leaves_the_exit_code(url: str, target: str) -> None:
    ended = through_shell(url, f"get nonsense {target}")
    assert (ended.returncode, ended.stdout) == (4, "")
    assert through_shell(url, f"nonsense {target}").returncode == 2
    assert through_shell(url, f"sell 1 SOL USDC --table {target}").returncode == 0


@pytest.mark.parametrize(
    "variables", [{"PYTHONIOENCODING": "latin-1"}, {"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}]
)
@pytest.mark.parametrize(
    "words", [f"get {ORDER} --table", "sell 1 SOL USDC --table --watch", f"events {ORDER} --table"]
)
def test_an_encoding_without_arrows_gets_others(url: str, variables: dict[str, str], words: str) -> None:
    ended = through_shell(url, words, PYTHONCOERCECLOCALE="0", **variables)
    assert (ended.returncode, "Error" in ended.stderr) == (0, False), ended.stderr
    assert "->" in ended.stdout or "events" in words


def test_an_interrupt_before_anything_begins_has_no_traceback(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys, importlib.util as util; find = util.find_spec\n"
        "util.find_spec = lambda name: (os.kill(os.getpid(), signal.SIGINT), find(name))[1]\n"
        "from orderengine.cli import main; main()"
    )
    found = subprocess.run([sys.executable, "-c", code], env=environment(""), capture_output=True, text=True)
    assert (found.returncode, found.stderr) == (-signal.SIGINT, "")
