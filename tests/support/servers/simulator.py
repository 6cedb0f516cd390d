"""The meter simulator for tests: as parts in this process with a clock one sets, and as the program itself."""

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from firmware_sim.clock import ManualClock
from firmware_sim.fleet import Fleet
from firmware_sim.modbus_responder import Device, ModbusResponder, SimulatorContext
from firmware_sim.register_maps import MAPS
from firmware_sim.settings import Settings, load_settings
from firmware_sim.truth_log import TruthLog
from support.waiting import PATIENCE_S

SIM = Path(sys.executable).with_name("peerwatt-sim")
NOW_S = 1_781_683_200  # 2026-06-17 10:00 in Ilmenau


class SteadyPower:
    """A power that never changes, in W."""

    def __init__(self, watts: int) -> None:
        self.watts = watts

    def segment(self, meter_id: str, site_s: int) -> tuple[int, int]:
        del meter_id
        return self.watts, site_s + 60


def modbus_settings(profiles: list[str], **fields: Any) -> Settings:
    """One meter per profile, all on one bus address book: devices 1, 2, ..."""
    meters = [
        {"id": f"M{i}", "profile": p, "transport": "tcp", "endpoint": "all", "device": i, "pv_kwp": 5, **fields}
        for i, p in enumerate(profiles, start=1)
    ]
    return load_settings(meter=meters)


@dataclass
class Bench:
    """Meters in this process, and the truth log of what they served."""

    responder: ModbusResponder
    clock: ManualClock
    fleet: Fleet
    truth_file: Path

    def truth(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.truth_file.read_text().splitlines()]


@contextlib.contextmanager
def bench(folder: Path, profiles: list[str], watts: int = 7200) -> Iterator[Bench]:
    """A desk with one device per profile, under steady power and a clock that stands still."""
    settings, clock = modbus_settings(profiles), ManualClock(NOW_S * 1000)
    fleet = Fleet(settings, SteadyPower(watts), {}, NOW_S, None)
    truth_file = folder / "truth.jsonl"
    truth = TruthLog(truth_file)
    context = SimulatorContext(fleet, truth, clock, asyncio.get_running_loop().create_future())
    devices = {m.device: Device(fleet.meters[m.id], MAPS[m.profile]) for m in settings.meter}
    try:
        yield Bench(ModbusResponder(context, devices), clock, fleet, truth_file)
    finally:
        truth.close()


@dataclass
class Running:
    """A running `peerwatt-sim`."""

    process: asyncio.subprocess.Process
    meters: Mapping[str, dict[str, Any]]
    log: list[str] = field(default_factory=list)

    async def stop(self, sign: signal.Signals = signal.SIGTERM, seconds: float = PATIENCE_S) -> int:
        if self.process.returncode is None:
            self.process.send_signal(sign)
        return await asyncio.wait_for(self.process.wait(), seconds)


@contextlib.asynccontextmanager
async def running(*args: str | Path, seconds: float = PATIENCE_S) -> AsyncIterator[Running]:
    """Starts ``peerwatt-sim run`` and waits for its ready line; kills what is left at the end."""
    process = await asyncio.create_subprocess_exec(
        SIM, "run", *map(str, args), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    log: list[str] = []

    async def listen(stderr: asyncio.StreamReader) -> None:
        async for line in stderr:
            log.append(line.decode().rstrip())  # noqa: PERF401 - read while it grows

    listening = asyncio.create_task(listen(process.stderr))
    try:
        line = await asyncio.wait_for(process.stdout.readline(), seconds)
        assert line, f"no ready line; it said {log}"
        ready = json.loads(line)
        assert ready["ready"] is True
        yield Running(process, ready["meters"], log)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await listening
