"""A meter: integrates its power exactly into import and export registers; a snapshot has all quantities of a second."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt

from firmware_sim.power import PowerSource
from firmware_sim.seeded_variation import between, digest

WS_PER_WH = 3600


@dataclass(frozen=True)
class Registers:
    """Energy since the meter was made, in watt seconds, so that nothing is rounded."""

    import_ws: int
    export_ws: int


@dataclass(frozen=True)
class Snapshot:
    """All quantities of a meter in one wall-clock second; the keys of ``values`` name their units."""

    at_s: int
    import_wh: int
    export_wh: int
    power_w: int
    values: Mapping[str, int]


def new_registers(seed: int, meter_id: str, *, exports: bool) -> Registers:
    """Draws registers of 100 kWh to 2 MWh, as after a while in service; a meter that never exports has none there."""
    import_wh = between(100_000, 2_000_000, digest(seed, meter_id, "import"))
    export_wh = between(100_000, 2_000_000, digest(seed, meter_id, "export")) if exports else 0
    return Registers(import_wh * WS_PER_WH, export_wh * WS_PER_WH)


def serial_number(seed: int, meter_id: str) -> int:
    """Draws a serial number of eight digits."""
    return between(10_000_000, 99_999_999, digest(seed, meter_id, "serial"))


class Meter:
    """A meter with the registers that it had at ``at_s`` (wall clock, s since 1970)."""

    def __init__(
        self, meter_id: str, source: PowerSource, seed: int, registers: Registers, at_s: int, sun_offset_s: int
    ) -> None:
        self.id = meter_id
        self.serial = serial_number(seed, meter_id)
        self._source = source
        self._seed = seed
        self._registers = registers
        self._at_s = at_s
        self._sun_offset_s = sun_offset_s

    def registers_at(self, wall_s: int) -> Registers:
        """Returns the registers at a wall-clock second; for one before the last ``settle`` those of that moment."""
        import_ws, export_ws = self._registers.import_ws, self._registers.export_ws
        at_s, end_s = self._at_s + self._sun_offset_s, wall_s + self._sun_offset_s
        while at_s < end_s:
            watts, change_s = self._source.segment(self.id, at_s)
            seconds = min(change_s, end_s) - at_s
            import_ws += max(watts, 0) * seconds
            export_ws += max(-watts, 0) * seconds
            at_s += seconds
        return Registers(import_ws, export_ws)

    def settle(self, wall_s: int) -> None:
        """Integrates up to a wall-clock second and starts anew from there."""
        if wall_s > self._at_s:
            self._registers, self._at_s = self.registers_at(wall_s), wall_s

    def snapshot(self, wall_s: int) -> Snapshot:
        """Measures all quantities at a wall-clock second."""
        registers = self.registers_at(wall_s)
        watts, _ = self._source.segment(self.id, wall_s + self._sun_offset_s)
        import_wh, export_wh = registers.import_ws // WS_PER_WH, registers.export_ws // WS_PER_WH
        values = {
            **electrical(watts, digest(self._seed, self.id, "grid", wall_s + self._sun_offset_s)),
            "import_wh": import_wh,
            "export_wh": export_wh,
            "total_wh": import_wh + export_wh,
            "serial": self.serial,
            **{f"serial_character_{i}": ord(character) for i, character in enumerate(str(self.serial)[:7])},
        }
        return Snapshot(wall_s, import_wh, export_wh, watts, values)


def electrical(power_w: int, raw: bytes) -> dict[str, int]:
    """Computes voltages, currents and powers for a total power; the phases add up to it exactly.

    ``raw`` is eight random bytes. The keys of the result name their units.
    """
    third_w = power_w // 3
    phases_w = (third_w, third_w, power_w - 2 * third_w)
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
