"""The benchmark of a settlement still runs, and its JSON has what reports are made from."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "bench/settle.py", "--quick", "--json"]


def test_a_quick_run_settles_every_trade() -> None:
    done = subprocess.run(COMMAND, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    names = {"seconds_to_closed", "cu_per_line", "transactions", "submit_to_finalised_p95_ms"}
    assert found["figures"].keys() == names
    assert found["figures"]["seconds_to_closed"]["n"] == 60
    assert found["transactions"] == 6  # attest, mint, open, two batches, close
    assert all(found[name] > 0 for name in names)


@pytest.mark.parametrize("words", [("--people", "21"), ("--people", "4", "--trades", "5")])
def test_an_impossible_book_is_refused(words: tuple[str, ...]) -> None:
    done = subprocess.run([*COMMAND, *words], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert "--people is even" in done.stderr
