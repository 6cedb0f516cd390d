"""What a scenario does to one meter's counting and display: the ``Course`` that ``meter`` integrates by."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace

from firmware_sim.energy import FOREVER_S, SOUND, WS_PER_WH, Counting, Energy, Register, Registers
from firmware_sim.meter import Meter, new_registers
from firmware_sim.scenario.file import Fault
from firmware_sim.scenario.timeline import Timeline, Window

Change = Callable[[Energy, Meter], Energy]
BOTH: frozenset[Register] = frozenset({"import", "export"})


class ScenarioCourse:
    """The counting faults and what is done to the display of one meter, from ``start_s`` (wall clock) on."""

    def __init__(self, timeline: Timeline, start_s: int, seed: int) -> None:
        windows = timeline.windows
        self._counting = [w for w in windows if w.fault.is_of.place == "counts"]
        self._swaps = [w.begin_s or 0 for w in windows if w.fault.kind == "swap" and w.fault.new_serial]
        self._widths_wh: dict[Register, int] = {
            register: width_wh
            for w in windows
            if w.fault.kind == "rollover" and (width_wh := w.fault.width_wh)
            for register in _registers(w.fault)
        }
        self._changes: dict[int, list[Change]] = {}
        for window in windows:
            for at_s, change in _changes(window, start_s, seed):
                self._changes.setdefault(at_s, []).append(change)
        edges = {edge for w in self._counting for edge in (w.begin_s, w.end_s) if edge is not None}
        self._edges = sorted(edges | set(self._changes))

    def counting(self, at_s: int) -> tuple[Counting, int]:
        """Returns the way of counting from a second on, and the next second with another way or a set display."""
        place = bisect_right(self._edges, at_s)
        next_s = self._edges[place] if place < len(self._edges) else FOREVER_S
        way = SOUND
        for window in self._counting:
            if window.is_active(at_s):
                way = _with_fault(way, window.fault)
        return way, next_s

    def set_display(self, at_s: int, energy: Energy, meter: Meter) -> Energy:
        """Applies what happens to the display in exactly this second."""
        for change in self._changes.get(at_s, ()):
            energy = change(energy, meter)
        return energy

    def display_wh(self, energy: Energy) -> tuple[int, int]:
        """Returns import and export as the display shows them, with as many digits as it has."""
        import_wh, export_wh = energy.display.wh
        if "import" in self._widths_wh:
            import_wh %= self._widths_wh["import"]
        if "export" in self._widths_wh:
            export_wh %= self._widths_wh["export"]
        return import_wh, export_wh

    def serial_step(self, at_s: int) -> int:
        """Returns how many meters with other serial numbers were mounted there before."""
        return sum(swap_s <= at_s for swap_s in self._swaps)


def _registers(fault: Fault) -> frozenset[Register]:
    return BOTH if fault.registers == "both" else frozenset({fault.registers})


def _with_fault(way: Counting, fault: Fault) -> Counting:
    match fault.kind:
        case "frozen":
            return way if fault.catches_up else replace(way, frozen=way.frozen | _registers(fault))
        case "reversed_ct":
            return replace(way, reversed_phases=fault.phases)
        case "false_export":
            return replace(way, instead_w=-(fault.watts or 0))
        case "netting":
            return replace(way, netting=True)
        case _:
            return replace(way, powered=False, flows=fault.flows)


def _changes(window: Window, start_s: int, seed: int) -> list[tuple[int, Change]]:
    """Returns when (wall clock) the display of a meter is set by a fault, and how."""
    fault, begin_s, end_s = window.fault, window.begin_s or 0, window.end_s
    match fault.kind:
        case "reset":
            return [(begin_s, lambda energy, _: _shown(energy, fault, fault.import_wh or 0, fault.export_wh or 0))]
        case "jump":
            by = Registers((fault.import_wh or 0) * WS_PER_WH, (fault.export_wh or 0) * WS_PER_WH)
            return [(begin_s, lambda energy, _: replace(energy, shown=energy.shown.plus(by.import_ws, by.export_ws)))]
        case "swap":
            new = new_registers(seed, f"{window.meter}/{window.name}", exports=True).wh
            import_wh = new[0] if fault.import_wh is None else fault.import_wh
            export_wh = new[1] if fault.export_wh is None else fault.export_wh
            return [(begin_s, lambda energy, _: _shown(energy, fault, import_wh, export_wh))]
        case "rollover":
            return [(start_s, lambda energy, meter: _placed(energy, fault, meter.growth(start_s, begin_s)))]
        case "power_cut":
            period_s = fault.save_period_s
            saved_s = max(begin_s // period_s * period_s, start_s) if period_s else begin_s
            restored = [] if end_s is None else [(end_s, _restore)]
            return [(saved_s, lambda energy, _: replace(energy, saved=energy.shown)), *restored]
        case "frozen" if fault.catches_up:
            released = [] if end_s is None else [(end_s, _release)]
            return [(begin_s, lambda energy, _: _hold(energy, fault)), *released]
        case _:
            return []


def _shown(energy: Energy, fault: Fault, import_wh: int, export_wh: int) -> Energy:
    """Sets the registers that the fault touches."""
    touched, shown = _registers(fault), energy.shown
    import_ws = import_wh * WS_PER_WH if "import" in touched else shown.import_ws
    export_ws = export_wh * WS_PER_WH if "export" in touched else shown.export_ws
    return replace(energy, shown=Registers(import_ws, export_ws))


def _placed(energy: Energy, fault: Fault, growth: Registers) -> Energy:
    """Sets the registers so that they reach the width with the next watt second after they have grown by this."""
    width_ws, touched, shown = (fault.width_wh or 0) * WS_PER_WH - 1, _registers(fault), energy.shown
    import_ws = width_ws - growth.import_ws if "import" in touched else shown.import_ws
    export_ws = width_ws - growth.export_ws if "export" in touched else shown.export_ws
    return replace(energy, shown=Registers(import_ws, export_ws))


def _restore(energy: Energy, meter: Meter) -> Energy:
    del meter
    return replace(energy, shown=energy.saved)


def _hold(energy: Energy, fault: Fault) -> Energy:
    touched, shown = _registers(fault), energy.shown
    return replace(
        energy,
        held_import_ws=shown.import_ws if "import" in touched else None,
        held_export_ws=shown.export_ws if "export" in touched else None,
    )


def _release(energy: Energy, meter: Meter) -> Energy:
    del meter
    return replace(energy, held_import_ws=None, held_export_ws=None)
