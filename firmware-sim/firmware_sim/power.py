"""The net power of every meter in W for each second of site time, from PV and load series with seeded variation.

``meter`` integrates it. Positive power flows from the grid into the building.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable, Mapping
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
        self._lock = threading.Lock()

    def at(self, site_s: int) -> tuple[int, YearSeries]:
        """Returns the start (s since 1970) and the series of the year that holds a second of site time.

        Raises:
            SimError: they can not be built or read.
        """
        year = datetime.fromtimestamp(site_s, UTC).year
        loaded = self._years.get(year)
        return self._load_year(year) if loaded is None else loaded

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
        microwatts_per_kwh = series[f"load/{meter.load.profile}"][at_s // LOAD_STEP_S]
        permille = between(850, 1150, digest(self._seed, meter.id, "load", step))
        return microwatts_per_kwh * meter.load.annual_kwh * permille // 1_000_000_000


def _pv_w(meter: Meter, series: YearSeries, at_s: int) -> int:
    if not meter.pv_wp:
        return 0
    points = series[f"pv/{meter.pv_tilt_deg}/{meter.pv_azimuth_deg}"]
    index, rest_s = divmod(at_s, PV_STEP_S)
    milliwatts_per_kwp = (points[index] * (PV_STEP_S - rest_s) + points[index + 1] * rest_s) // PV_STEP_S
    return milliwatts_per_kwp * meter.pv_wp // 1_000_000
