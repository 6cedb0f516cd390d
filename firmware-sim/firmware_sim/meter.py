"""A meter: integrates its power exactly into import and export registers; a snapshot has all quantities of a second."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from math import isqrt
from typing import Protocol

from firmware_sim.energy import FOREVER_S, SOUND, WS_PER_WH, Counting, Energy, Registers, count, thirds
from firmware_sim.power import PowerSource
from firmware_sim.quantities import Quantities
from firmware_sim.seeded_variation import between, digest

SERIAL_CHARACTERS = 7
"""How many characters of the serial number the maps with one in each register show."""


@dataclass(frozen=True)
class Snapshot:
    """All quantities of a meter in one wall-clock second; the keys of ``values`` name their units.

    ``clock_s`` is what the device's own clock shows, in s since 1970; ``odd`` says of quantities that are not shown as
    numbers, as what they are shown (``firmware_sim.scenario.kinds``).
    """

    at_s: int
    import_wh: int
    export_wh: int
    power_w: int
    values: Mapping[str, int]
    clock_s: int
    odd: Mapping[str, str] = field(default_factory=dict)


class Course(Protocol):
    """What a scenario does to the counting of one meter; times are wall-clock seconds since 1970."""

    def counting(self, at_s: int) -> tuple[Counting, int]:
        """Returns the way of counting from a second on, and the next second with another way or a set display."""
        ...

    def set_display(self, at_s: int, energy: Energy, meter: "Meter") -> Energy:
        """Applies what happens to the display in exactly this second."""
        ...

    def display_wh(self, energy: Energy) -> tuple[int, int]:
        """Returns import and export as the display shows them, with as many digits as it has."""
        ...

    def serial_step(self, at_s: int) -> int:
        """Returns how many meters with other serial numbers were mounted there before."""
        ...


class SoundCourse:
    """The course of a meter to which nothing happens."""

    def counting(self, at_s: int) -> tuple[Counting, int]:
        """Counts soundly for ever."""
        del at_s
        return SOUND, FOREVER_S

    def set_display(self, at_s: int, energy: Energy, meter: "Meter") -> Energy:
        """Changes nothing."""
        del at_s, meter
        return energy

    def display_wh(self, energy: Energy) -> tuple[int, int]:
        """Shows whole Wh."""
        return energy.display.wh

    def serial_step(self, at_s: int) -> int:
        """It is the first meter."""
        del at_s
        return 0


def new_registers(seed: int, meter_id: str, *, exports: bool) -> Registers:
    """Draws registers of 100 kWh to 2 MWh, as after a while in service; a meter that never exports has none there."""
    import_wh = between(100_000, 2_000_000, digest(seed, meter_id, "import"))
    export_wh = between(100_000, 2_000_000, digest(seed, meter_id, "export")) if exports else 0
    return Registers(import_wh * WS_PER_WH, export_wh * WS_PER_WH)


def serial_number(seed: int, meter_id: str, step: int = 0) -> int:
    """Draws a serial number of eight digits; ``step`` counts the meters that were mounted there before."""
    return between(10_000_000, 99_999_999, digest(seed, meter_id, "serial", step))


class Meter:
    """A meter with the energy that it had at ``at_s`` (wall clock, s since 1970)."""

    def __init__(
        self,
        meter_id: str,
        source: PowerSource,
        seed: int,
        energy: Energy,
        at_s: int,
        sun_offset_s: int,
        course: Course | None = None,
    ) -> None:
        self.id = meter_id
        self.serial = serial_number(seed, meter_id)
        """The serial number of the meter that was mounted first."""
        self.course = course or SoundCourse()
        self._source = source
        self._seed = seed
        self._energy = energy
        self._at_s = at_s
        self._sun_offset_s = sun_offset_s

    def energy_at(self, wall_s: int) -> Energy:
        """Returns the energy at a wall-clock second; for one before the last ``settle`` that of this moment."""
        energy, at_s = self._energy, self._at_s
        while at_s < wall_s:
            way, change_s = self.course.counting(at_s)
            end_s = min(change_s, wall_s)
            energy, at_s = self._counted(energy, way, at_s, end_s), end_s
            if at_s == change_s:
                energy = self.course.set_display(at_s, energy, self)
        return energy

    def growth(self, from_s: int, to_s: int) -> Registers:
        """Returns what the display will have gained between two wall-clock seconds, whatever sets it meanwhile."""
        energy, at_s = Energy.of(Registers(0, 0)), from_s
        while at_s < to_s:
            way, change_s = self.course.counting(at_s)
            end_s = min(change_s, to_s)
            energy, at_s = self._counted(energy, way, at_s, end_s), end_s
        return energy.shown

    def _counted(self, energy: Energy, way: Counting, from_s: int, to_s: int) -> Energy:
        at_s, end_s = from_s + self._sun_offset_s, to_s + self._sun_offset_s
        import_ws = export_ws = 0
        while at_s < end_s:
            watts, change_s = self._source.segment(self.id, at_s)
            seconds = min(change_s, end_s) - at_s
            if way is not SOUND:
                energy = count(energy, way, watts, seconds)
            elif watts > 0:
                import_ws += watts * seconds
            else:
                export_ws -= watts * seconds
            at_s += seconds
        return energy if way is not SOUND else energy.plus(import_ws, export_ws)

    def settle(self, wall_s: int) -> None:
        """Integrates up to a wall-clock second and starts anew from there."""
        if wall_s > self._at_s:
            self._energy, self._at_s = self.energy_at(wall_s), wall_s

    def catch_up(self, from_s: int) -> None:
        """Applies what happens to the display from a second on until now, as nothing was counted meanwhile."""
        at_s = from_s
        while at_s <= self._at_s:
            self._energy = self.course.set_display(at_s, self._energy, self)
            _, at_s = self.course.counting(at_s)

    def snapshot(self, wall_s: int) -> Snapshot:
        """Measures all quantities at a wall-clock second."""
        return self.snapshot_of(self.energy_at(wall_s), wall_s)

    def snapshot_of(self, energy: Energy, wall_s: int) -> Snapshot:
        """Measures all quantities at a wall-clock second, at which the meter has this energy."""
        import_wh, export_wh = self.course.display_wh(energy)
        watts, _ = self._source.segment(self.id, wall_s + self._sun_offset_s)
        way, _ = self.course.counting(wall_s)
        phases_w = thirds(watts) if way is SOUND else way.measure(watts).phases_w
        values = Quantities(electrical(phases_w, digest(self._seed, self.id, "grid", wall_s + self._sun_offset_s)))
        values |= {"import_wh": import_wh, "export_wh": export_wh, "total_wh": import_wh + export_wh}
        values |= _serials(self._seed, self.id, self.course.serial_step(wall_s))
        return Snapshot(wall_s, import_wh, export_wh, sum(phases_w), values, wall_s)


@lru_cache(maxsize=4096)
def _serials(seed: int, meter_id: str, step: int) -> Mapping[str, int]:
    return serial_values(serial_number(seed, meter_id, step))


def serial_values(serial: int) -> dict[str, int]:
    """Returns a serial number as the quantities of a snapshot, whole and by character."""
    text = str(serial)[:SERIAL_CHARACTERS] if serial else ""
    characters = (*map(ord, text), *(0 for _ in range(SERIAL_CHARACTERS - len(text))))
    return {"serial": serial, **{f"serial_character_{i}": code for i, code in enumerate(characters)}}


def electrical(phases_w: tuple[int, int, int], raw: bytes) -> dict[str, int]:
    """Computes voltages, currents and powers for the power of each phase; the phases add up to the total exactly.

    ``raw`` is eight random bytes. The keys of the result name their units.
    """
    power_w = sum(phases_w)
    millivolts = [230_000 + between(-2500, 2500, raw[i : i + 1]) for i in range(3)]
    permille = between(930, 990, raw[3:4])
    apparent_va = abs(power_w) * 1000 // permille
    values = {
        "power_w": power_w,
        "apparent_va": apparent_va,
        "reactive_var": isqrt(max(apparent_va**2 - power_w**2, 0)),
        "power_factor_permille": permille if power_w >= 0 else -permille,
        "frequency_millihz": 50_000 + between(-40, 40, raw[4:6]),
        "current_ma": apparent_va * 1_000_000 // millivolts[0],
    }
    for number, (watts, mv) in enumerate(zip(phases_w, millivolts, strict=True), start=1):
        values[f"power_l{number}_w"] = watts
        values[f"voltage_l{number}_mv"] = mv
        values[f"current_l{number}_ma"] = abs(watts) * 1_000_000_000 // (mv * permille)
    return values
