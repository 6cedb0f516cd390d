"""One year of PV and load series as integers: built once by ``profile_builder``, cached in a file, read as arrays.

``pv/TILT/AZIMUTH`` is in mW per kWp every 600 s, ``load/PROFILE`` in uW per kWh a year every 900 s.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from array import array
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from firmware_sim.errors import ConfigError, SimError
from firmware_sim.settings import Settings

FORMAT = "peerwatt-sim-series/1"
PV_STEP_S = 600
LOAD_STEP_S = 900
BUILD_TIMEOUT_S = 180


@dataclass(frozen=True)
class SeriesRequest:
    """The PV planes (tilt and azimuth in degrees) and load profiles that are wanted for a site and a UTC year."""

    year: int
    latitude: float
    longitude: float
    altitude_m: int
    tz: str
    pv: tuple[tuple[int, int], ...]
    loads: tuple[str, ...]

    @property
    def start_s(self) -> int:
        """Begin of the year in s since 1970."""
        return int(datetime(self.year, 1, 1, tzinfo=UTC).timestamp())

    @property
    def end_s(self) -> int:
        """End of the year in s since 1970."""
        return int(datetime(self.year + 1, 1, 1, tzinfo=UTC).timestamp())

    @property
    def key(self) -> str:
        """Names the cache file: a hash of the request and of the versions of pvlib and demandlib.

        Raises:
            ConfigError: one of them is not installed.
        """
        fields = {"format": FORMAT, **asdict(self), "pvlib": _version("pvlib"), "demandlib": _version("demandlib")}
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:16]

    @classmethod
    def of(cls, settings: Settings, year: int) -> SeriesRequest:
        """Makes the request for what the meters of these settings need."""
        site = settings.site
        pv = sorted({(m.pv_tilt_deg, m.pv_azimuth_deg) for m in settings.meter if m.pv_wp})
        loads = sorted({m.load.profile for m in settings.meter if m.load})
        return cls(year, site.latitude, site.longitude, site.altitude_m, site.tz, tuple(pv), tuple(loads))

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> SeriesRequest:
        """Makes the request from its fields in JSON."""
        planes = tuple((int(tilt), int(azimuth)) for tilt, azimuth in value["pv"])
        return cls(**{**value, "pv": planes, "loads": tuple(value["loads"])})


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError as error:
        raise ConfigError(f"{package} is not installed: install peerwatt[sim]") from error


def write_series(path: Path, request: SeriesRequest, series: dict[str, list[int]]) -> None:
    """Writes a header line of JSON, then all values as little-endian int32; replaces the file when it is complete.

    Raises:
        OSError: it can not be written.
        ConfigError: pvlib or demandlib is not installed.
    """
    body = b"".join(_little_endian(array("i", values)).tobytes() for values in series.values())
    header = {
        "format": FORMAT,
        "key": request.key,
        "counts": {name: len(values) for name, values in series.items()},
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_bytes(json.dumps(header).encode() + b"\n" + body)
    draft.replace(path)


def read_series(path: Path, request: SeriesRequest) -> dict[str, array[int]] | None:
    """Reads the series of a cache file; None when it is missing, damaged or of another request.

    Raises:
        ConfigError: pvlib or demandlib is not installed.
    """
    try:
        head, _, body = path.read_bytes().partition(b"\n")
        header = json.loads(head)
        if (header["format"], header["key"]) != (FORMAT, request.key):
            return None
        if hashlib.sha256(body).hexdigest() != header["sha256"]:
            return None
        series, offset = {}, 0
        for name, count in header["counts"].items():
            series[name] = _little_endian(array("i", body[offset : offset + 4 * count]))
            offset += 4 * count
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return series


def _little_endian(values: array[int]) -> array[int]:
    if sys.byteorder == "big":
        values.byteswap()
    return values


def load_year(request: SeriesRequest, cache_dir: Path) -> dict[str, array[int]]:
    """Returns the series of a year, from the cache or newly built.

    Raises:
        SimError: the builder failed, or the cache folder can not be written.
        ConfigError: pvlib or demandlib is not installed.
    """
    path = cache_dir / f"series-{request.year}-{request.key}.bin"
    if (series := read_series(path, request)) is not None:
        return series
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SimError(
            f"The cache folder {cache_dir} can not be made ({error}): name another with --cache-dir"
        ) from error
    command = [sys.executable, "-m", "firmware_sim.profile_builder", str(path)]
    try:
        request_json = json.dumps(asdict(request))
        subprocess.run(command, input=request_json, text=True, check=True, capture_output=True, timeout=BUILD_TIMEOUT_S)
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["no message"])[-1]
        raise SimError(f"The PV and load series of {request.year} could not be built: {last}") from error
    except subprocess.TimeoutExpired as error:
        raise SimError(f"The PV and load series of {request.year} took over {BUILD_TIMEOUT_S} s to build") from error
    if (series := read_series(path, request)) is None:
        raise SimError(f"The series file {path} can not be read back: is the disk full?")
    return series
