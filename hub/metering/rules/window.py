"""What the oracle's rules check of one meter's interval: the value that every rule gets."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from hub.metering.breaks import Break
from hub.metering.curve import Boundary
from hub.metering.readings import Decision, Energy, ExpectedMeter, MeterReading
from hub.metering.runs import OVERLOAD_PERCENT

LEAST_WH, LEAST_PERCENT = 50, 2
"""Less than these Wh, or than this share of what the rated power gives in the interval, says nothing."""
LEAST_NOISE_WH, NOISE_PER_MILLE = 10, 5
"""The same of a direction in which nothing may flow: a current transformer's offset is less."""


@dataclass(frozen=True, slots=True)
class Window:
    """One meter's interval [start, end), with the readings inside and at its boundaries, in order of time.

    Where a boundary was not read, the neighbour beyond it is among the readings. ``doubted`` has the rule ids of
    readings of the interval that do not count, ``breaks`` what happened between runs of the counter inside it.
    """

    meter: ExpectedMeter
    start_s: int
    end_s: int
    poll_period_s: int
    readings: Sequence[MeterReading]
    doubted: Sequence[str]
    breaks: Sequence[Break]
    first: Boundary | None
    last: Boundary | None
    energy: Energy
    """As the registers say, before any limit."""
    rounding_wh: int
    """How coarsely the registers are rounded: to 1, 10, 100 or 1000 Wh."""
    unknown_ms: int
    """How much of the interval nobody measured."""
    sun_is_up: bool | None
    """Whether the sun shines on the site at any time of the interval; None when nobody knows where the site is."""
    decision: Decision | None = None
    """What a person decided about the interval; None when nothing stands."""

    @property
    def length_s(self) -> int:
        """The length of the interval."""
        return self.end_s - self.start_s

    @property
    def rated_wh(self) -> int:
        """The energy of the rated power over the interval, in Wh, rounded down."""
        return self.meter.rated_power_w * self.length_s // 3600

    @property
    def most_wh(self) -> int:
        """The most energy that registers may show: the rated power with overload, and what their rounding adds."""
        return self.rated_wh * OVERLOAD_PERCENT // 100 + self.rounding_wh - 1

    @property
    def little_wh(self) -> int:
        """Energy that says nothing: what registers and power readings may differ by for their rounding alone."""
        return max(LEAST_WH, self.rated_wh * LEAST_PERCENT // 100, self.rounding_wh)

    @property
    def noise_wh(self) -> int:
        """What a current transformer or the rounding of a register may show where nothing flows."""
        return max(LEAST_NOISE_WH, self.rated_wh * NOISE_PER_MILLE // 1000, self.rounding_wh)

    def power_wh(self) -> tuple[int, int] | None:
        """Returns import and export by the power readings, each held until the next; None with too few of them.

        They must cover the interval but for two poll periods.
        """
        wh_ms, covered_ms = [0, 0], 0
        for a, b in pairwise(self.readings):
            elapsed_ms = b.read_ms - a.read_ms
            if a.active_power_w is None or elapsed_ms > 2 * self.poll_period_s * 1000:
                continue
            wh_ms[a.active_power_w < 0] += abs(a.active_power_w) * elapsed_ms
            covered_ms += elapsed_ms
        if covered_ms < (self.length_s - 2 * self.poll_period_s) * 1000 or covered_ms <= 0:
            return None
        return wh_ms[0] // 3_600_000, wh_ms[1] // 3_600_000
