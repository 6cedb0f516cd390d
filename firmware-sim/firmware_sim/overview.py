"""What ``peerwatt-sim site`` shows: the site, its time, and what an operator registers of each meter."""

import time
from typing import Any

from firmware_sim.meter import serial_number
from firmware_sim.register_maps import RATED_POWER_W
from firmware_sim.settings import Meter, Settings
from firmware_sim.site import june_morning_offset_s, site_time


def overview(settings: Settings, *, june_morning: bool, now_s: int | None = None) -> dict[str, Any]:
    """Returns site and meters, ready for JSON; with ``june_morning`` as if it were ten on a June morning there."""
    now_s = int(time.time()) if now_s is None else now_s
    offset_s = june_morning_offset_s(now_s, settings.site) if june_morning else settings.sun_offset_s
    return {
        "site": settings.site.model_dump(),
        "sun_offset_s": offset_s,
        "site_time": site_time(now_s, offset_s, settings.site),
        "seed": settings.seed,
        "meters": [_meter(meter, settings.seed) for meter in settings.meter],
    }


def _meter(meter: Meter, seed: int) -> dict[str, Any]:
    serial = str(serial_number(seed, meter.id))
    return {
        "id": meter.id,
        "building": meter.building,
        "profile": meter.profile,
        "transport": meter.transport,
        "serial": serial[:7] if meter.profile == "em340" else serial,
        "rated_power_w": RATED_POWER_W[meter.profile],
        "pv_wp": meter.pv_wp,
        "load_profile": meter.load.profile if meter.load else None,
        "load_annual_kwh": meter.load.annual_kwh if meter.load else 0,
    }


def overview_text(shown: dict[str, Any]) -> str:
    """Formats an overview for people."""
    site = shown["site"]
    lines = [
        f"{site['name']}, {site['latitude']} N {site['longitude']} E, {site['tz']}",
        f"site time {shown['site_time']} (sun_offset_s = {shown['sun_offset_s']})",
    ]
    lines += [
        f"{m['id']:<12} {m['building']:<10} {m['profile']:<14} {m['transport']:<7} "
        f"PV {m['pv_wp'] / 1000:g} kWp, load {m['load_profile'] or '-'} {m['load_annual_kwh']} kWh/a"
        for m in shown["meters"]
    ]
    return "\n".join(lines)
