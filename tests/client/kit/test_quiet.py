"""The kit in a program without logging."""

import subprocess
import sys

PROGRAM = """
from orderengine.testing import engine

with engine() as e:
    e.faults.add("tx_dropped:1")
    print(e.client(user="bot").submit("SOL", "USDC", "1.5").result().attempts)
"""


def test_a_program_without_logging_prints_nothing_of_the_engine() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert (ran.stdout, ran.stderr) == ("2\n", "")
