"""Where the sun stands: whether it shines on the site, and the course of a solar generator's day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from math import radians, sin

from astral import Observer
from astral.sun import elevation

from hub.metering.sharing import Piece

STEP_S = 900
TWILIGHT_DEGREES = -6
"""A solar generator gives a little before sunrise; below civil twilight it gives nothing."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where the site is, and how far its clock is ahead of the wall clock (other than 0 in the demo only)."""

    latitude_degrees: float
    longitude_degrees: float
    sun_offset_s: int = 0

    def sun_is_up(self, start_s: int, end_s: int) -> bool:
        """Returns whether the sun shines at any time of [start, end], s since 1970 by the wall clock."""
        offset_s = self.sun_offset_s
        return sun_is_up(start_s + offset_s, end_s + offset_s, self.latitude_degrees, self.longitude_degrees)


@dataclass(frozen=True, slots=True)
class SunCourse:
    """Spreads export over time as a solar generator gives it; import it leaves as it is (``sharing.Spread``)."""

    site: Site

    def pieces(self, direction: int, since_ms: int, until_ms: int) -> Sequence[Piece]:
        """Returns a gap as pieces of ``STEP_S``, weighted by the sine of the sun's height; none for import."""
        if not direction:
            return []
        place = self.site.latitude_degrees, self.site.longitude_degrees
        found: list[Piece] = []
        while since_ms < until_ms:
            step = since_ms // (STEP_S * 1000)
            end_ms = min(until_ms, (step + 1) * STEP_S * 1000)
            weight = sun_weight(step * STEP_S + STEP_S // 2 + self.site.sun_offset_s, *place)
            found.append(Piece(since_ms, end_ms, weight))
            since_ms = end_ms
        return found if any(piece.weight for piece in found) else []


@lru_cache(maxsize=65_536)
def sun_weight(at_s: int, latitude_degrees: float, longitude_degrees: float) -> int:
    """Returns the sine of the sun's height at a time (s since 1970) in thousandths; 0 below the horizon."""
    return max(0, round(1000 * sin(radians(elevation_degrees(at_s, latitude_degrees, longitude_degrees)))))


def elevation_degrees(at_s: int, latitude_degrees: float, longitude_degrees: float) -> float:
    """Returns the sun's height above the horizon at a time (s since 1970), without refraction."""
    observer = Observer(latitude_degrees, longitude_degrees)
    return float(elevation(observer, datetime.fromtimestamp(at_s, UTC), with_refraction=False))


@lru_cache(maxsize=4096)
def sun_is_up(start_s: int, end_s: int, latitude_degrees: float, longitude_degrees: float) -> bool:
    """Whether the sun is above civil twilight at any time of [start, end], looked at every ``STEP_S``."""
    times = (*range(start_s, end_s, STEP_S), end_s)
    return any(elevation_degrees(at_s, latitude_degrees, longitude_degrees) > TWILIGHT_DEGREES for at_s in times)
