"""Makes the meters from settings and saved state, and saves their registers before they are served."""

from collections.abc import Mapping
from pathlib import Path

from firmware_sim.meter import Meter, Registers, new_registers
from firmware_sim.power import PowerSource
from firmware_sim.settings import Settings
from firmware_sim.state import write_state

LOOKBACK_S = 60
"""Snapshots are exact this far back, for publications that are late."""


class Fleet:
    """The meters by id. ``path`` is the state file, ``saved`` what it holds; None keeps no state."""

    def __init__(
        self, settings: Settings, source: PowerSource, saved: Mapping[str, Registers], now_s: int, path: Path | None
    ) -> None:
        self.meters = {
            m.id: Meter(
                m.id,
                source,
                settings.seed,
                saved.get(m.id) or new_registers(settings.seed, m.id, exports=m.pv_wp > 0),
                now_s,
                settings.sun_offset_s,
            )
            for m in settings.meter
        }
        self._unconfigured = {name: registers for name, registers in saved.items() if name not in self.meters}
        """Saved on, for a later configuration that has these meters again."""
        self._path = path
        self._saved_s = now_s - 1

    def save(self, now_s: int, *, sync: bool = False) -> None:
        """Saves all registers as of a second (s since 1970), unless it is saved already; ``sync`` flushes the disk.

        Raises:
            SimError: the state file can not be written.
        """
        if now_s <= self._saved_s and not sync:
            return
        for meter in self.meters.values():
            meter.settle(now_s - LOOKBACK_S)
        if self._path is not None:
            now = {name: meter.registers_at(now_s) for name, meter in self.meters.items()}
            write_state(self._path, {**self._unconfigured, **now}, sync=sync)
        self._saved_s = max(now_s, self._saved_s)
