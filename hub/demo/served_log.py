"""The simulator's log of served registers, read without code of the hub: readings at slots, and a scenario's faults.

A line that a fault made useless to a reader is no reading. What is left goes to ``true_energy``.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SPOILED = frozenset({
    "zeros", "constant", "misread", "other_meter", "word_order", "wrong_profile", "silence", "offline", "power_cut",
    "exception", "wrong_unit", "truncated", "crc_error", "head",
})  # fmt: skip
"""Kinds of faults in which an answer has no registers, or wrong ones."""
CHANGES = frozenset({"reset", "jump", "swap", "rollover", "power_cut"})
"""Kinds of faults after which the registers go on from others."""
MISCOUNTS = frozenset({"frozen", "reversed_ct", "false_export", "netting", "power"})
"""Kinds of faults in which the meter counts what did not flow, or shows a power that did not: nobody can know which."""
MAX_CLOCK_APART_MS = 60_000
"""A publication's own time counts while it is no farther from the time at which it came."""

LogEntry = Mapping[str, Any]
Slots = dict[int, tuple[int, int, int]]
"""By slot (Unix seconds): (read_ms, import_wh, export_wh)."""


@dataclass(frozen=True)
class Fault:
    """A fault of a scenario on one meter, from a time until before another in ms since 1970; None: it is still there.

    One that happens once ends when it begins.
    """

    kind: str
    from_ms: int
    to_ms: int | None

    def overlaps(self, start_ms: int, end_ms: int) -> bool:
        """Whether it is there at any time of [start, end)."""
        return self.from_ms < end_ms and (self.to_ms is None or self.to_ms > start_ms)


def read_log(path: Path, *, since_s: int = 0) -> list[dict[str, Any]]:
    """Returns the entries of the log and of the rotated file before it, from ``since_s`` on; a scenario's labels all.

    A last line that is incomplete, because the simulator was killed, is left out.
    """
    log_entries = []
    for file in (path.with_name(path.name + ".1"), path):
        if file.exists():
            with file.open() as lines:
                entries = (json.loads(line) for line in lines if line.endswith("\n") and line != "\n")
                log_entries += [e for e in entries if e.get("t_ms", 0) >= since_s * 1000 or e.get("via") == "scenario"]
    return log_entries


def faults_of(log: Iterable[LogEntry], meter: str) -> list[Fault]:
    """Returns the faults that a meter had, in order of their begins."""
    ends: dict[tuple[str, int], Fault] = {}
    for entry in log:
        if entry["meter"] == meter and entry.get("via") == "scenario":
            fault = Fault(entry["kind"], entry["from_ms"], entry["to_ms"])
            # the label of its end follows that of its begin
            ends[entry["fault"], fault.from_ms] = fault
    return sorted(ends.values(), key=lambda fault: fault.from_ms)


def slots_of(log: Iterable[LogEntry], meter: str, poll_period_s: int, *, own_clocks: bool = True) -> Slots:
    """Returns a meter's registers at each slot: those of the slot's first answer, which may be in two parts.

    A publication has a slot of its own: by the device's clock, or by when it came where that is wrong, and wherever
    gateways are not synchronised and so do not know whether it is (``own_clocks`` is False).
    """
    lines = [entry for entry in log if entry["meter"] == meter]
    kinds = {entry["fault"]: entry["kind"] for entry in lines if entry.get("via") == "scenario"}
    entries = sorted((entry for entry in lines if entry.get("via") != "scenario"), key=lambda entry: entry["t_ms"])
    exports = any(entry["export_wh"] is not None for entry in entries)
    by_slot: dict[int, dict[str, int]] = {}
    for entry in entries:
        if SPOILED & {kinds.get(name, name.rpartition("-")[0]) for name in entry.get("faults", ())}:
            continue
        read_ms, slot = _time_of(entry, poll_period_s, own_clocks=own_clocks)
        registers = by_slot.setdefault(slot, {"read_ms": read_ms})
        for name in ("import_wh", "export_wh"):
            if entry[name] is not None:
                registers.setdefault(name, entry[name])
        if not exports:
            registers["export_wh"] = 0
    return {
        slot: (registers["read_ms"], registers["import_wh"], registers["export_wh"])
        for slot, registers in sorted(by_slot.items())
        if "import_wh" in registers and "export_wh" in registers
    }


def _time_of(entry: LogEntry, poll_period_s: int, *, own_clocks: bool) -> tuple[int, int]:
    """Returns when a line was read (ms), and its slot (s)."""
    if entry["via"] != "mqtt":
        return entry["t_ms"], entry["t_ms"] // 1000 // poll_period_s * poll_period_s
    own_ms = entry["payload_ms"]
    is_right = own_clocks and own_ms is not None and abs(own_ms - entry["t_ms"]) <= MAX_CLOCK_APART_MS
    at_ms = own_ms if is_right else entry["t_ms"]
    return at_ms, at_ms // 1000
