"""Corrects attested intervals, pure of money: marks what came late, computes it again, attests the next revision.

A mark is written in one transaction with the time up to which late readings were looked for, and deleted in one with
the revision. So a kill between them loses nothing, and the same late readings in any order end in the same energy.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from hub.clock import Clock
from hub.live import outbox
from hub.metering import repository as metering
from hub.metering.attestation import RandomBytes, attest
from hub.metering.corrections import repository
from hub.metering.corrections.repository import EnteredRegisters, MarkedInterval
from hub.metering.events import interval_event
from hub.metering.histories.repository import MANY
from hub.metering.oracle import feeders_among, measure_all
from hub.metering.readings import Energy, IntervalReading, Quality
from hub.metering.rules import DECIDED
from hub.metering.sun import Site
from hub.metering.zones import with_zone_rules
from hub.postgres.db import Connection, Pool
from hub.postgres.lease import Lease, guard

UNSEEN_MS = 10_000
"""A transaction of ingest is over in this time: what was stored so long before an attestation, the oracle has seen."""
QUIET_MS, LONGEST_WAIT_MS = 30_000, 600_000
"""An interval is corrected when nothing new came for it for so long; while more comes, after the longer time."""
CORRECTIONS_END_MS = 40 * 86_400_000
"""No correction later than this after an interval's end: the oracle program takes none."""

WriteMoney = Callable[[Connection, int, int], Awaitable[None]]
"""Writes what follows from a revision, in its transaction; gets the start of its interval in s since 1970."""


@dataclass(frozen=True, slots=True)
class CorrectedInterval:
    """The result of a correction, for logs and metrics; ``meters`` are those whose energy or quality changed."""

    start_s: int
    revision: int
    meters: tuple[str, ...]


async def mark_late(pool: Pool, lease: Lease, clock: Clock) -> int:
    """Marks the intervals that late readings and events may change; returns how many pairs of interval and meter.

    Raises:
        LeaseLostError: another process leads; nothing was written.
    """
    async with pool.acquire() as connection, connection.transaction():
        await guard(connection, lease)
        now_ms = await metering.database_now_ms(connection)
        since_ms = await repository.looked_until_ms(connection)
        marked = 0
        if since_ms is not None:
            oldest_ms = clock.now_ms() - CORRECTIONS_END_MS
            marked = await repository.mark_late(connection, since_ms - UNSEEN_MS, now_ms, UNSEEN_MS, oldest_ms)
        await repository.save_looked_until(connection, now_ms)
    return marked


async def enter_registers(
    connection: Connection, meter_id: str, changed_ms: int, registers: EnteredRegisters, user_id: UUID, clock: Clock
) -> tuple[int, int]:
    """Takes what a person read off a meter before and after a change, in the caller's transaction.

    Returns the entry's number and how many intervals it marks. ``changed_ms`` is in ms since 1970.
    """
    now_ms = clock.now_ms()
    entry_id = await repository.add_entered_registers(connection, meter_id, changed_ms, registers, user_id, now_ms)
    oldest_ms = now_ms - CORRECTIONS_END_MS
    marked = await repository.mark_around(connection, meter_id, changed_ms, changed_ms, now_ms, oldest_ms)
    return entry_id, marked


async def correct_next(
    pool: Pool, lease: Lease, clock: Clock, poll_period_s: int, site: Site | None, write_money: WriteMoney,
    random_bytes: RandomBytes, *, quiet_ms: int = QUIET_MS,
) -> CorrectedInterval | None:  # fmt: skip
    """Computes the oldest marked interval again; None when no interval is due.

    Where nothing changed the revision stays, and ``meters`` of the result is empty.

    Raises:
        LeaseLostError: another process leads; nothing was written.
    """
    async with pool.acquire() as connection, connection.transaction():
        await guard(connection, lease)
        now_ms = await metering.database_now_ms(connection)
        marked = await repository.next_marked(connection, poll_period_s, now_ms - quiet_ms, now_ms - LONGEST_WAIT_MS)
        if marked is None:
            return None
        await metering.lock_interval(connection, marked.span.start_s)
        meter_ids = await repository.lock_marks(connection, marked.span.start_s)
        changed = await _correct(connection, marked, meter_ids, clock, site, write_money, random_bytes)
        await repository.remove_marks(connection, marked.span.start_s, meter_ids)
    return CorrectedInterval(marked.span.start_s, marked.revision + bool(changed), changed)


async def _correct(
    connection: Connection, marked: MarkedInterval, meter_ids: Sequence[str], clock: Clock, site: Site | None,
    write_money: WriteMoney, random_bytes: RandomBytes,
) -> tuple[str, ...]:  # fmt: skip
    """Attests the next revision where the energy of a marked meter changed; returns those meters."""
    span = marked.span
    before, owners = await repository.readings_of_revision(connection, span.start_s, marked.revision)
    meters = await metering.meters_by_id(connection, list(before))
    again = [meter for meter in meters if meter.meter_id in meter_ids]
    measured = await measure_all(connection, span, again, site, MANY)
    changed = [name for name in measured if _differs(before[name], measured[name].reading)]
    if not changed:
        return ()
    now = before | {name: measured[name].reading for name in measured}
    readings = with_zone_rules(span.length_s, meters, list(now.values()))
    attestation = attest(span.start_s, span.end_s, readings, random_bytes, feeders=feeders_among(meters))
    revision = marked.revision + 1
    await metering.insert_attestation(connection, span.start_s, revision, attestation, owners, clock.now_ms())
    await repository.record_causes(connection, span, revision, changed, UNSEEN_MS)
    await write_money(connection, span.start_s, revision)
    await outbox.append(connection, "interval", interval_event(span, revision, attestation))
    return tuple(sorted(changed))


def _differs(before: IntervalReading, now: IntervalReading) -> bool:
    """Whether the energy, its quality or who decided it is another; other rules alone make no revision."""
    return _what_counts(before) != _what_counts(now)


def _what_counts(reading: IntervalReading) -> tuple[Energy, Quality, list[str]]:
    return reading.energy, reading.quality, [rule for rule in DECIDED if rule in reading.rules]
