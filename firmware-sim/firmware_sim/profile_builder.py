"""Builds one year of a site's PV and load series with pvlib and demandlib, and writes them as integers to one file.

It is a process of its own (``python -m firmware_sim.profile_builder FILE``, the request as JSON on stdin), so that the
simulator never loads pandas; ``series`` starts it and reads the file.
"""

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from demandlib.bdew import ElecSlp
from pvlib import inverter, irradiance, location, pvsystem, temperature

from firmware_sim.series import LOAD_STEP_S, PV_STEP_S, SeriesRequest, write_series

NOMINAL_W = 1000
AIR_CELSIUS = 20
WIND_M_S = 1


def pv_milliwatts_per_kwp(request: SeriesRequest, times: pd.DatetimeIndex) -> dict[str, list[int]]:
    """Computes the AC power of one kWp in mW by plane, under a clear sky.

    Sources: Ineichen's clear sky with monthly Linke turbidity, Faiman's cell temperature, PVWatts panel and inverter.
    """
    place = location.Location(request.latitude, request.longitude, "UTC", request.altitude_m)
    sun = place.get_solarposition(times)
    sky = place.get_clearsky(times, solar_position=sun)
    series = {}
    for tilt_deg, azimuth_deg in request.pv:
        plane = irradiance.get_total_irradiance(
            tilt_deg, azimuth_deg, sun["apparent_zenith"], sun["azimuth"], sky["dni"], sky["ghi"], sky["dhi"]
        )["poa_global"].fillna(0)
        cell = temperature.faiman(plane, AIR_CELSIUS, WIND_M_S)
        direct = pvsystem.pvwatts_dc(plane, cell, NOMINAL_W, -0.004)
        watts = inverter.pvwatts(direct, NOMINAL_W / 0.96).fillna(0).clip(lower=0)
        series[f"pv/{tilt_deg}/{azimuth_deg}"] = [round(power_w * 1000) for power_w in watts.tolist()]
    return series


def load_microwatts_per_kwh(request: SeriesRequest, times: pd.DatetimeIndex) -> dict[str, list[int]]:
    """Computes the power of one kWh a year in uW by BDEW standard load profile, on the site's local calendar."""
    local = times.tz_convert(request.tz).tz_localize(None)
    years = [ElecSlp(year).slp_frame for year in sorted(set(local.year))]
    # A share is the part of the year's energy in a quarter of an hour: times 4 it is kW per kWh a year
    shares = pd.concat(years).loc[local]
    return {f"load/{name}": [round(share * 4e9) for share in shares[name].tolist()] for name in request.loads}


def build(request: SeriesRequest) -> dict[str, list[int]]:
    """Builds all series of a request, by name."""
    start = pd.Timestamp(request.start_s, unit="s", tz="UTC")
    end = pd.Timestamp(request.end_s, unit="s", tz="UTC")
    series: dict[str, list[int]] = {}
    if request.pv:
        # One point more than steps: power is interpolated between points
        pv_end = end + pd.Timedelta(seconds=PV_STEP_S)
        series |= pv_milliwatts_per_kwp(request, pd.date_range(start, pv_end, freq=f"{PV_STEP_S}s", inclusive="left"))
    if request.loads:
        series |= load_microwatts_per_kwh(request, pd.date_range(start, end, freq=f"{LOAD_STEP_S}s", inclusive="left"))
    return series


def main() -> None:
    """Reads the request from stdin and writes the file that the only argument names."""
    fields: dict[str, Any] = json.load(sys.stdin)
    request = SeriesRequest.from_json(fields)
    write_series(Path(sys.argv[1]), request, build(request))


if __name__ == "__main__":
    main()
