"""Runs the benchmarks of bench/ as programs, small and quick."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
TIME_LIMIT_S = 120


def start_quick(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs `bench/SCRIPT --quick --json ...` to its end."""
    command = [sys.executable, f"bench/{script}", "--quick", "--json", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIME_LIMIT_S, check=False)


def quick_figures(script: str, *arguments: str) -> dict[str, Any]:
    """Runs `bench/SCRIPT --quick --json ...`, which must succeed; returns its JSON."""
    completed = start_quick(script, *arguments)
    assert completed.returncode == 0, completed.stderr
    return dict(json.loads(completed.stdout.splitlines()[-1]))
