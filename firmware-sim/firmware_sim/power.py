"""Net power of every meter as integer watts per second of site time: PV and load series, scaled, with seeded variation.

`meter` integrates it; a positive value flows from the grid into the building.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol, TypeAlias

from firmware_sim.series import LOAD_STEP_S, PV_STEP_S
from firmware_sim.settings import Meter
from firmware_sim.variation import between, digest

STEP_S = 10
"""Power is constant within a step of site time."""

YearSeries: TypeAlias = "Mapping[str, array[int]]"


class PowerSource(Protocol):
    """What flows through the meters."""

    def segment(self, meter_id: str, site_s: int) -> tuple[int, int]:
        """Net watts at a second of site time, and the later second at which they may change."""
        ...


class Years:
    """The series by UTC year, loaded when first needed; `prepare` does it ahead of a new year."""

    def __init__(self, load: Callable[[int], YearSeries]) -> None:
        self._load = load
        self._years: dict[int, tuple[int, YearSeries]] = {}
        self._lock = threading.Lock()

    def at(self, site_s: int) -> tuple[int, YearSeries]:
        """Start of the year (seconds since 1970) that holds a second, and its series."""
        year = datetime.fromtimestamp(site_s, UTC).year
        if (found := self._years.get(year)) is None:
            found = self._fetch(year)
        return found

    def prepare(self, site_s: int) -> None:
        """Loads what `at` will want; safe in a thread."""
        self.at(site_s)

    def _fetch(self, year: int) -> tuple[int, YearSeries]:
        with self._lock:
            if year not in self._years:
                # Two years are enough: the one that ends and the one that begins
                for old in sorted(self._years)[:-1]:
                    del self._years[old]
                self._years[year] = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()), self._load(year))
            return self._years[year]


class ModelPower:
    """Standard load minus clear-sky PV, the load varied by up to 15 % per step."""

    def __init__(self, years: Years, meters: tuple[Meter, ...], seed: int) -> None:
        self._years = years
        self._meters = {meter.id: meter for meter in meters}
        self._seed = seed

    def segment(self, meter_id: str, site_s: int) -> tuple[int, int]:
        step = site_s // STEP_S
        meter = self._meters[meter_id]
        start_s, series = self._years.at(step * STEP_S)
        at_s = step * STEP_S - start_s
        return self._load_w(meter, series, at_s, step) - _pv_w(meter, series, at_s), (step + 1) * STEP_S

    def _load_w(self, meter: Meter, series: YearSeries, at_s: int, step: int) -> int:
        if meter.load is None:
            return 0
        microwatts = series[f"load/{meter.load.profile}"][at_s // LOAD_STEP_S] * meter.load.annual_kwh
        permille = between(850, 1150, digest(self._seed, meter.id, "load", step))
        return microwatts * permille // 1_000_000_000


def _pv_w(meter: Meter, series: YearSeries, at_s: int) -> int:
    if not meter.pv_wp:
        return 0
    points = series[f"pv/{meter.pv_tilt_deg}/{meter.pv_azimuth_deg}"]
    index, rest = divmod(at_s, PV_STEP_S)
    milliwatts = (points[index] * (PV_STEP_S - rest) + points[index + 1] * rest) // PV_STEP_S
    return milliwatts * meter.pv_wp // 1_000_000
