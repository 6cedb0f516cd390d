"""How a meter counts, pure: power over time becomes what flowed, what the meter counted, and what its display shows.

All three are the same for a sound meter. A scenario's faults change the way of counting, or set the display.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

WS_PER_WH = 3600
FOREVER_S = 2**62
"""A second that never comes."""

Register = Literal["import", "export"]


@dataclass(frozen=True)
class Registers:
    """Energy since the meter was made, in watt seconds, so that nothing is rounded."""

    import_ws: int
    export_ws: int

    def plus(self, import_ws: int, export_ws: int) -> "Registers":
        """Returns these and what was added, in watt seconds."""
        return Registers(self.import_ws + import_ws, self.export_ws + export_ws)

    @property
    def wh(self) -> tuple[int, int]:
        """Import and export in whole Wh, the rest cut off as on a display."""
        return self.import_ws // WS_PER_WH, self.export_ws // WS_PER_WH


@dataclass(frozen=True)
class Energy:
    """A meter's energy from the same beginning: what flowed, what it counted of that, and what its display shows.

    ``flowed`` and ``counted`` never step back. ``saved`` is what a power cut leaves of the display. The two that are
    held are a display that stands still while the meter counts on, in watt seconds (None: it does not).
    """

    flowed: Registers
    counted: Registers
    shown: Registers
    saved: Registers
    held_import_ws: int | None = None
    held_export_ws: int | None = None

    @classmethod
    def of(cls, registers: Registers) -> "Energy":
        """Makes the energy of a sound meter."""
        return cls(registers, registers, registers, registers)

    def plus(self, import_ws: int, export_ws: int) -> "Energy":
        """Returns this and what a sound meter counted since, in watt seconds."""
        flowed = self.flowed.plus(import_ws, export_ws)
        if self.flowed is self.counted and self.flowed is self.shown:  # nothing has ever happened to this meter
            return replace(self, flowed=flowed, counted=flowed, shown=flowed)
        counted, shown = self.counted.plus(import_ws, export_ws), self.shown.plus(import_ws, export_ws)
        return replace(self, flowed=flowed, counted=counted, shown=shown)

    @property
    def display(self) -> Registers:
        """What can be read."""
        if self.held_import_ws is None and self.held_export_ws is None:
            return self.shown
        return Registers(
            self.shown.import_ws if self.held_import_ws is None else self.held_import_ws,
            self.shown.export_ws if self.held_export_ws is None else self.held_export_ws,
        )


@dataclass(frozen=True)
class Measured:
    """What a meter takes the flow for: W that its two registers count, and W by phase, positive for import."""

    import_w: int
    export_w: int
    phases_w: tuple[int, int, int]


@dataclass(frozen=True)
class Counting:
    """The way in which a meter counts for a while; the default is that of a sound one.

    ``flows``: whether anything flows at all; ``powered``: whether the meter has power to count; ``frozen``: registers
    that stand still; ``reversed_phases``: how many current transformers are mounted the wrong way round;
    ``instead_w``: the power that it measures in place of the real one; ``netting``: whether export runs the shown
    import register backwards.
    """

    flows: bool = True
    powered: bool = True
    frozen: frozenset[Register] = frozenset()
    reversed_phases: int = 0
    instead_w: int | None = None
    netting: bool = False

    def flow_w(self, power_w: int) -> int:
        """Returns what really flows where the model has this power, in W."""
        return power_w if self.flows else 0

    def measure(self, power_w: int) -> Measured:
        """Computes what the meter measures and counts of a flow in W; a meter counts each phase's direction for itself
        only when they differ."""
        measured_w = self.flow_w(power_w) if self.instead_w is None else self.instead_w
        phases = thirds(measured_w)
        turned = (*(-watts for watts in phases[: self.reversed_phases]), *phases[self.reversed_phases :])
        phases_w = (turned[0], turned[1], turned[2])
        # A meter of three phases of one sign counts their sum: which is what the model's power is
        parts: Sequence[int] = phases_w if 0 < self.reversed_phases < len(phases_w) else (sum(phases_w),)
        import_w, export_w = sum(max(w, 0) for w in parts), sum(max(-w, 0) for w in parts)
        return Measured(
            import_w if self.powered and "import" not in self.frozen else 0,
            export_w if self.powered and "export" not in self.frozen else 0,
            phases_w,
        )


SOUND = Counting()


def thirds(power_w: int) -> tuple[int, int, int]:
    """Splits a power over three phases, which add up to it exactly."""
    third_w = power_w // 3
    return third_w, third_w, power_w - 2 * third_w


def count(energy: Energy, way: Counting, power_w: int, seconds: int) -> Energy:
    """Counts a constant power for some seconds."""
    flow_ws = way.flow_w(power_w) * seconds
    flowed = energy.flowed.plus(max(flow_ws, 0), max(-flow_ws, 0))
    measured = way.measure(power_w)
    import_ws, export_ws = measured.import_w * seconds, measured.export_w * seconds
    shown_import_ws = import_ws - export_ws if way.netting else import_ws
    return replace(
        energy,
        flowed=flowed,
        counted=energy.counted.plus(import_ws, export_ws),
        shown=energy.shown.plus(shown_import_ws, export_ws),
    )
