"""The net power of every meter in W for each second of site time, from PV and load series with seeded variation.

``meter`` integrates it. Positive power flows from the grid into the building.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, TypeAlias

from firmware_sim.seeded_variation import between, digest
from firmware_sim.series import LOAD_STEP_S, PV_STEP_S
from firmware_sim.settings import Meter

STEP_S = 10
"""Power is constant within a step of site time."""

YearSeries: TypeAlias = "Mapping[str, array[int]]"
"""The series of one year by name, as in ``series``."""


class PowerSource(Protocol):
    """Gives the net power of meters."""

    def segment(self, meter_id: str, site_s: int) -> tuple[int, int]:
        """Returns the net power in W at a second of site time, and the second from which it may be another."""
        ...


class SeriesByYear:
    """The series of UTC years, loaded when they are first needed; ``preload`` loads them ahead."""

    def __init__(self, load: Callable[[int], YearSeries]) -> None:
        self._load = load
        self._years: dict[int, tuple[int, YearSeries]] = {}
        self._last: tuple[int, int, YearSeries] = (0, 0, {})
        """Start, end and series of the year that was asked for last."""
        self._lock = threading.Lock()

    def at(self, site_s: int) -> tuple[int, YearSeries]:
        """Returns the start (s since 1970) and the series of the year that holds a second of site time.

        Raises:
            SimError: they can not be built or read.
        """
        start_s, end_s, series = self._last
        if not start_s <= site_s < end_s:
            year = datetime.fromtimestamp(site_s, UTC).year
            start_s, series = self._years.get(year) or self._load_year(year)
            self._last = start_s, int(datetime(year + 1, 1, 1, tzinfo=UTC).timestamp()), series
        return start_s, series

    def preload(self, site_s: int) -> None:
        """Loads what ``at`` will return for this second; safe in a thread.

        Raises:
            SimError: the series can not be built or read.
        """
        self.at(site_s)

    def _load_year(self, year: int) -> tuple[int, YearSeries]:
        with self._lock:
            if year not in self._years:
                # Two years are enough: the one that ends and the one that begins
                for old in sorted(self._years)[:-1]:
                    del self._years[old]
                self._years[year] = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()), self._load(year))
            return self._years[year]


class ModelPower:
    """Models the power: standard load minus clear-sky PV, the load varied by up to 15 % in each step."""

    def __init__(self, years: SeriesByYear, meters: tuple[Meter, ...], seed: int) -> None:
        self._years = years
        self._behind = {meter.id: _Behind.of(meter) for meter in meters}
        self._seed = seed

    def segment(self, meter_id: str, site_s: int) -> tuple[int, int]:
        step = site_s // STEP_S
        behind = self._behind[meter_id]
        start_s, series = self._years.at(step * STEP_S)
        at_s = step * STEP_S - start_s
        watts = -behind.pv_w(series, at_s) if behind.pv_wp else 0
        if behind.load_name:
            permille = between(850, 1150, digest(self._seed, meter_id, "load", step))
            microwatts_per_kwh = series[behind.load_name][at_s // LOAD_STEP_S]
            watts += microwatts_per_kwh * behind.annual_kwh * permille // 1_000_000_000
        return watts, (step + 1) * STEP_S


@dataclass(frozen=True)
class _Behind:
    """What hangs behind a meter: the names of its series (none: empty), and by what they are multiplied."""

    pv_name: str
    pv_wp: int
    load_name: str
    annual_kwh: int

    @classmethod
    def of(cls, meter: Meter) -> _Behind:
        return cls(
            f"pv/{meter.pv_tilt_deg}/{meter.pv_azimuth_deg}",
            meter.pv_wp,
            f"load/{meter.load.profile}" if meter.load else "",
            meter.load.annual_kwh if meter.load else 0,
        )

    def pv_w(self, series: YearSeries, at_s: int) -> int:
        """Returns the power of the PV at a second of the year, in W."""
        points = series[self.pv_name]
        index, rest_s = divmod(at_s, PV_STEP_S)
        milliwatts_per_kwp = (points[index] * (PV_STEP_S - rest_s) + points[index + 1] * rest_s) // PV_STEP_S
        return milliwatts_per_kwp * self.pv_wp // 1_000_000
