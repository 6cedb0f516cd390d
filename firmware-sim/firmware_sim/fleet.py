"""Makes the meters from settings and saved state, gives their answers, and saves registers before they are served."""

from collections.abc import Mapping
from pathlib import Path

from firmware_sim.energy import Energy
from firmware_sim.meter import Meter, Snapshot, new_registers
from firmware_sim.power import PowerSource
from firmware_sim.scenario.answering import Answer
from firmware_sim.scenario.play import ScenarioPlay
from firmware_sim.settings import Settings
from firmware_sim.state import PlayState, SavedState, write_state

LOOKBACK_S = 60
"""Snapshots are exact this far back, for publications that are late."""


class Fleet:
    """The meters by id. ``path`` is the state file, ``saved`` what it holds; None keeps no state.

    ``play`` is the scenario that plays, which goes on where it was if ``saved`` is of the same.
    """

    def __init__(
        self,
        settings: Settings,
        source: PowerSource,
        saved: Mapping[str, Energy],
        now_s: int,
        path: Path | None,
        play: ScenarioPlay | None = None,
        played: PlayState | None = None,
    ) -> None:
        self.play = play
        self.meters = {
            m.id: Meter(
                m.id,
                source,
                settings.seed,
                saved.get(m.id) or Energy.of(new_registers(settings.seed, m.id, exports=m.pv_wp > 0)),
                now_s,
                settings.sun_offset_s,
                play.courses[m.id] if play else None,
            )
            for m in settings.meter
        }
        if play is not None:
            first_s = play.start_s if played is None else played.until_s + 1
            for meter in self.meters.values():
                meter.catch_up(first_s)
            if played is not None:
                play.resume(first_s)
        self._unconfigured = {name: energy for name, energy in saved.items() if name not in self.meters}
        """Saved on, for a later configuration that has these meters again."""
        self._path = path
        self._saved_s = now_s - 1

    def answer(self, meter_id: str, wall_s: int) -> Answer:
        """Returns what a meter answers at a wall-clock second, with the faults that it has then."""
        meter = self.meters[meter_id]
        energy = meter.energy_at(wall_s)
        snapshot = meter.snapshot_of(energy, wall_s)
        if self.play is None:
            return Answer(snapshot)

        def shown_by(other_id: str) -> Snapshot:
            return self.meters[other_id].snapshot(wall_s)

        return self.play.answer(meter_id, snapshot, energy, shown_by)

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
            now = {name: meter.energy_at(now_s) for name, meter in self.meters.items()}
            played = PlayState(self.play.digest, self.play.start_s, now_s) if self.play else None
            write_state(self._path, SavedState({**self._unconfigured, **now}, played), sync=sync)
        self._saved_s = max(now_s, self._saved_s)
