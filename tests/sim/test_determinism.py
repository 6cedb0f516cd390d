"""The same seed gives the same bytes in any process and with any hash seed; another seed gives others."""

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
from hashlib import sha256
from pathlib import Path
from firmware_sim.fleet import Fleet
from firmware_sim.mqtt_payloads import DIALECTS
from firmware_sim.power import ModelPower, SeriesByYear
from firmware_sim.register_maps import MAPS
from firmware_sim.registers import read_block
from firmware_sim.series import SeriesRequest, load_year
from firmware_sim.settings import load_settings

settings = load_settings(seed=int(sys.argv[1]))
years = SeriesByYear(lambda year: load_year(SeriesRequest.of(settings, year), Path(sys.argv[2])))
start = 1781683200
fleet = Fleet(settings, ModelPower(years, settings.meter, settings.seed), {}, start, None)
seen = sha256()
for second in range(start, start + 600, 10):
    for meter in settings.meter:
        snapshot = fleet.meters[meter.id].snapshot(second)
        if meter.transport == "mqtt":
            seen.update(DIALECTS[meter.profile].message(meter.id, snapshot).encode())
        else:
            register_map = MAPS[meter.profile]
            for table in register_map.tables:
                for first, count in table.ranges:
                    size = min(count, register_map.max_registers)
                    words = read_block(register_map, min(table.functions), first, size, snapshot)
                    seen.update(repr(words).encode())
print(seen.hexdigest())
"""


def digest(seed: int, cache: Path, hash_seed: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(seed), str(cache)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_same_seed_same_bytes(cache_dir: Path, tmp_path: Path) -> None:
    first = digest(7, cache_dir, "1")
    assert digest(7, tmp_path / "built-anew", "4242") == first
    assert digest(8, cache_dir, "1") != first
    (built,) = (tmp_path / "built-anew").iterdir()
    assert built.read_bytes() == (cache_dir / built.name).read_bytes()
