"""Describes the machine, the versions and how busy the machine was, as every report of figures needs it."""

import os
import platform
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.common import ROOT
from hub.embedded import nats_server, postgres


def describe() -> dict[str, Any]:
    """Returns processor, memory, versions and commit."""
    return {
        "cpu": _first("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "memory_mib": int((_first("/proc/meminfo", "MemTotal") or "0 kB").split()[0]) // 1024,
        "fsync_ms": fsync_ms(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "postgresql": _output(postgres.binaries() / "postgres", "--version").split()[-1],
        "nats": _output(nats_server.binary(), "-v").split()[-1].lstrip("v"),
        "litesvm": f"solders {version('solders')}",
        "commit": _commit(),
    }


def fsync_ms(times: int = 200) -> float:
    """Returns the median time in ms of one small durable write in the folder where the servers will write."""
    times_s = []
    with tempfile.TemporaryFile() as file:
        for _ in range(times):
            started = time.perf_counter()
            file.write(bytes(400))
            file.flush()
            os.fsync(file.fileno())
            times_s.append(time.perf_counter() - started)
    return round(1000 * statistics.median(times_s), 3)


def load_average() -> list[float]:
    """Returns the runnable tasks over the last 1, 5 and 15 minutes."""
    return [round(value, 2) for value in os.getloadavg()]


@dataclass(frozen=True)
class ProcessorTime:
    """Processor time since boot in s: of the whole machine, and of this process with all children that have ended."""

    at_s: float
    machine_s: float
    own_s: float

    @classmethod
    def now(cls) -> "ProcessorTime":
        ticks = [int(value) for value in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        user, nice, system, _, _, irq, softirq, _ = ticks
        spent = (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
        return cls(time.monotonic(), spent, sum(os.times()[:4]))

    def others_since(self, before: "ProcessorTime") -> float:
        """Returns how many cores were busy with other processes, on average."""
        others_s = (self.machine_s - before.machine_s) - (self.own_s - before.own_s)
        return round(max(0.0, others_s) / (self.at_s - before.at_s), 2)


def line(machine: dict[str, Any]) -> str:
    """Returns the description of a machine as one line of text."""
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_mib'] / 1024:.0f} GiB, "
        f"fsync {machine['fsync_ms']:g} ms, {machine['system']}, "
        f"Python {machine['python']}, PostgreSQL {machine['postgresql']}, NATS {machine['nats']}, "
        f"{machine['litesvm']}, commit {machine['commit']}"
    )


def _first(file: str, name: str) -> str | None:
    try:
        lines = Path(file).read_text().splitlines()
    except OSError:
        return None
    return next((row.partition(":")[2].strip() for row in lines if row.startswith(name)), None)


def _commit() -> str:
    try:
        head = _output("git", "rev-parse", "--short=12", "HEAD")
        changed = _output("git", "status", "--porcelain", "--untracked-files=no", "--", "edge", "hub", "programs")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{head}, changed" if changed else head


def _output(*command: str | Path) -> str:
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=20)
    return process.stdout.strip()
