"""All meters together: made from settings and state, kept on disk ahead of what is served."""

from collections.abc import Mapping
from pathlib import Path

from firmware_sim.meter import Meter, Registers, new_registers
from firmware_sim.power import PowerSource
from firmware_sim.settings import Settings
from firmware_sim.state import write_state

LOOKBACK_S = 60
"""Snapshots are exact this far back: a publication that is late still carries the registers of its own second."""


class Fleet:
    """The meters by id, and their registers on disk."""

    def __init__(
        self, settings: Settings, source: PowerSource, kept: Mapping[str, Registers], now_s: int, path: Path | None
    ) -> None:
        self.meters = {
            m.id: Meter(
                m.id,
                source,
                settings.seed,
                kept.get(m.id) or new_registers(settings.seed, m.id, exports=m.pv_wp > 0),
                now_s,
                settings.sun_offset_s,
            )
            for m in settings.meter
        }
        self._others = {name: registers for name, registers in kept.items() if name not in self.meters}
        self._path = path
        self._kept_s = now_s - 1

    def keep(self, now_s: int, *, sync: bool = False) -> None:
        """Puts all registers as of a second on disk, unless that second is there already.

        Raises:
            SimError: the state file can not be written.
        """
        if now_s <= self._kept_s and not sync:
            return
        for meter in self.meters.values():
            meter.settle(now_s - LOOKBACK_S)
        if self._path is not None:
            now = {name: meter.registers_at(now_s) for name, meter in self.meters.items()}
            write_state(self._path, {**self._others, **now}, sync=sync)
        self._kept_s = max(now_s, self._kept_s)
