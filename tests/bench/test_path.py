"""The benchmark of the path still runs, and its JSON has what reports are made from."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 120
FIGURES = {
    "ingest": {
        f"{name}_{readings}_a_frame"
        for readings in (1, 60)
        for name in ("durable", "drain", "processor", "stored_p50", "stored_p99", "receipt_p99")
    },
    "clearing": {"clear_100", "auction_100", "clear_attested_100"},
    "settlement": {"settle_30_lines", "settle_transactions", "settle_cu_per_line", "interval_cu_per_line"},
}


@pytest.mark.parametrize("part", FIGURES)
def test_a_quick_run_has_every_figure(part: str) -> None:
    command = [sys.executable, "bench/path.py", "--quick", "--json", "--only", part]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["quick"] is True
    assert {"cpu", "cores", "memory_mib", "fsync_ms", "python", "postgresql", "nats", "commit"} <= found[
        "machine"
    ].keys()
    assert len(found["load_average"]["before"]) == len(found["load_average"]["after"]) == 3
    assert found["figures"].keys() == FIGURES[part]
    for figure in found["figures"].values():
        assert 0 < figure["min"] <= figure["median"] <= figure["max"]
        assert figure["n"] > 0 and figure["runs"] > 0 and figure["seconds"] > 0 and figure["unit"]
