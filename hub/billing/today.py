"""Collects a participant's day at the site for the Today page, from one snapshot of the database."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from hub.billing import bill, queries
from hub.billing.corrections import lines
from hub.billing.corrections import queries as corrections
from hub.billing.corrections.schemas import CorrectionNotice
from hub.billing.schemas import Happened, ParticipantInterval, RunningInterval, SavedFormula, Today
from hub.clock import at_ms, at_s
from hub.http.rows import Row
from hub.postgres.db import Connection
from hub.settings import Settings

RECENT_EVENTS = 3
NOTICES, NOTICES_REACH = 3, timedelta(days=7)
LONGEST_DAY_S = 25 * 3600
LOOK_BACK = timedelta(days=2)
Direction = Literal["giving", "taking", "balanced", "unknown"]


async def build(connection: Connection, participant_id: UUID, settings: Settings, now_ms: int) -> Today:
    """Returns everything that the page shows at ``now_ms`` (since 1970)."""
    now, day_start = at_ms(now_ms), midnight(now_ms, settings.site_timezone, settings.sun_offset_s)
    start_s = now_ms // 1000 // settings.interval_s * settings.interval_s
    start, end = at_s(start_s), at_s(start_s + settings.interval_s)
    rows = await queries.intervals(connection, participant_id, day_start, end, LONGEST_DAY_S // settings.interval_s + 1)
    price = await queries.last_price(connection)
    power_w, power_at = sum_power(await queries.power(connection, participant_id))
    tariffs = await queries.tariffs(connection, now)
    return Today(
        now=now,
        participant_id=participant_id,
        day_start_at=day_start,
        power_w=power_w,
        power_at=power_at,
        stale=power_at is None or now - power_at > timedelta(seconds=3 * settings.poll_period_s),
        direction=_direction(power_w),
        price_mills=None if price is None else price["price_mills"],
        price_start_at=None if price is None else price["start_at"],
        all_in_price_mills=None if price is None else price["price_mills"] + price["charges_mills"],
        last=bill.interval(rows[-1]) if rows else await _last(connection, participant_id, day_start),
        running=await _running(connection, participant_id, start, end),
        next_clearing_at=end,
        next_clearing_latest_at=end + timedelta(seconds=settings.attest_grace_s),
        intervals=[bill.interval(row) for row in rows],
        saved_micros=sum(row["saved_micros"] for row in rows),
        saved_formula=saved_formula(rows, tariffs),
        happened=[
            Happened(**dict(row)) for row in await queries.recent_events(connection, participant_id, RECENT_EVENTS)
        ],
        corrections=await _notices(connection, participant_id, settings, now),
    )


def midnight(now_ms: int, timezone: str, sun_offset_s: int) -> datetime:
    """Returns when the site's present day began; the site's clock is ``sun_offset_s`` ahead of the wall clock."""
    offset = timedelta(seconds=sun_offset_s)
    zone = ZoneInfo(timezone)
    site_day = (at_ms(now_ms) + offset).astimezone(zone).date()
    return datetime.combine(site_day, time(), zone).astimezone(at_s(0).tzinfo) - offset


def sum_power(rows: Sequence[Row]) -> tuple[int | None, datetime | None]:
    """Sums the power of all meters in W; returns it with the time of the oldest reading in it.

    The power is None while the newest reading of a meter has none.
    """
    if not rows or any(row["active_power_w"] is None for row in rows):
        return None, min((row["slot_at"] for row in rows if row["slot_at"] is not None), default=None)
    return sum(row["active_power_w"] for row in rows), min(row["slot_at"] for row in rows)


def saved_formula(rows: Sequence[Row], tariffs: Row | None) -> SavedFormula:
    """Sums the parts of the day's saving."""
    names = [name for name in SavedFormula.model_fields if not name.endswith("_mills")]
    return SavedFormula(
        **{name: sum(row[name] for row in rows) for name in names},
        export_tariff_mills=0 if tariffs is None else tariffs["export_tariff_mills"],
        import_tariff_mills=0 if tariffs is None else tariffs["import_tariff_mills"],
    )


async def _notices(
    connection: Connection, participant_id: UUID, settings: Settings, now: datetime
) -> list[CorrectionNotice]:
    rows = await corrections.notices(
        connection, participant_id, now - NOTICES_REACH, now, settings.site_timezone, settings.sun_offset_s, NOTICES
    )
    return [lines.notice(row) for row in rows]


def _direction(power_w: int | None) -> Direction:
    if power_w is None:
        return "unknown"
    return "balanced" if power_w == 0 else "taking" if power_w > 0 else "giving"


async def _last(connection: Connection, participant_id: UUID, before: datetime) -> ParticipantInterval | None:
    newest = await queries.newest_interval(connection, participant_id, before - LOOK_BACK, before)
    if newest is None:
        return None
    rows = await queries.intervals(connection, participant_id, newest, newest + timedelta(seconds=1), 1)
    return bill.interval(rows[0]) if rows else None


async def _running(connection: Connection, participant_id: UUID, start: datetime, end: datetime) -> RunningInterval:
    return RunningInterval(
        start_at=start, end_at=end, **dict(await queries.running_interval(connection, participant_id, start, end))
    )
