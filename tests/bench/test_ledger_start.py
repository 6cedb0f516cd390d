"""The benchmark of the ledger's start still runs, and its JSON has what reports are made from."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_quick_run_has_every_figure() -> None:
    command = [sys.executable, "bench/ledger_start.py", "--quick", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    names = {f"{name}_200" for name in ("start", "start_whole", "start_busy", "verify", "verify_log")}
    assert found["figures"].keys() == names
    assert found["quick"] is True
    assert all(figure["unit"] == "s" and figure["min"] > 0 for figure in found["figures"].values())
