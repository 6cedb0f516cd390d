"""The truth log: its line, and that it does not grow without end."""

import json
from pathlib import Path

from firmware_sim.truth_log import ServedReading, TruthLog


def test_one_line_per_answer() -> None:
    served = ServedReading(1_000, "METER_011", 5, None, -7, "mqtt", payload_ms=900, acknowledged=False)
    assert json.loads(served.line()) == {
        "t_ms": 1000, "meter": "METER_011", "import_wh": 5, "export_wh": None, "active_power_w": -7, "via": "mqtt",
        "payload_ms": 900, "acknowledged": False,
    }  # fmt: skip


def test_a_full_file_is_put_aside(tmp_path: Path) -> None:
    log = TruthLog(tmp_path / "truth.jsonl", max_bytes=1000)
    for number in range(15):
        log.record(ServedReading(number, "M", 1, 1, 1, "modbus"))
    log.close()
    lines = [p.read_text().splitlines() for p in (tmp_path / "truth.jsonl.1", tmp_path / "truth.jsonl")]
    assert [json.loads(line)["t_ms"] for line in lines[0] + lines[1]] == list(range(15))
    assert lines[1]


def test_an_old_log_is_continued(tmp_path: Path) -> None:
    for number in range(2):
        log = TruthLog(tmp_path / "truth.jsonl")
        log.record(ServedReading(number, "M", 1, 1, 1, "modbus"))
        log.close()
    assert len((tmp_path / "truth.jsonl").read_text().splitlines()) == 2
