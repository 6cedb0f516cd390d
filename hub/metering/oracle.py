"""The oracle: attests intervals in order of time, each when every expected meter is complete or the grace has passed.

Readings come from ingest; the market clears attested intervals. Each interval is one transaction under the leader's
lease, so a kill leaves it whole or not begun.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hub.clock import Clock
from hub.live import outbox
from hub.metering import repository
from hub.metering.attestation import Attestation, RandomBytes, attest
from hub.metering.events import interval_event
from hub.metering.intervals import LastValid, Measured, Span, estimate, measure
from hub.metering.readings import ExpectedMeter, IntervalReading, MeterReading
from hub.postgres.db import Connection, Pool
from hub.postgres.lease import Lease, guard
from hub.postgres.rounds import INTERVALS_A_ROUND

CHUNK_METERS = 500
"""Meters whose readings are in memory at once."""


@dataclass(frozen=True, slots=True)
class OracleConfig:
    """The oracle's times, and the coverage: the hub took frames in without a break from ``since_ms`` to ``seen_ms``.

    The grace runs in the coverage only. After an outage of the hub, NATS or the database, frames that waited must be
    taken in before anything is estimated.
    """

    interval_s: int
    poll_period_s: int
    grace_s: int
    since_ms: int
    seen_ms: int | None = None
    """None for now."""

    def in_grace(self, span: Span, now_ms: int) -> bool:
        """Whether readings of the interval may still arrive."""
        seen_ms = now_ms if self.seen_ms is None else min(now_ms, self.seen_ms)
        return seen_ms < max(span.end_s * 1000, self.since_ms) + self.grace_s * 1000


@dataclass(frozen=True, slots=True)
class AttestedInterval:
    """The result of an attestation, for logs and metrics."""

    start_s: int
    end_s: int
    meters_valid: int
    meters_estimated: int


async def attest_due(
    pool: Pool,
    lease: Lease,
    clock: Clock,
    config: OracleConfig,
    *,
    limit: int = INTERVALS_A_ROUND,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> list[AttestedInterval]:
    """Attests at most ``limit`` intervals that are due, oldest first; an empty list when none is.

    Raises:
        LeaseLostError: another process leads; nothing of the interval that was being attested was written.
    """
    attested: list[AttestedInterval] = []
    while len(attested) < limit:
        async with pool.acquire() as connection, connection.transaction():
            interval = await _attest_next(connection, lease, clock, config, random_bytes)
        if interval is None:
            break
        attested.append(interval)
    return attested


async def _attest_next(
    connection: Connection, lease: Lease, clock: Clock, config: OracleConfig, random_bytes: RandomBytes
) -> AttestedInterval | None:
    await guard(connection, lease)
    now_ms = clock.now_ms()
    span = await _next_span(connection, config)
    if span is None or now_ms < span.end_s * 1000:
        return None
    meters = await repository.expected_meters(connection, span.start_s)
    measured = await _measure(connection, span, meters)
    if config.in_grace(span, now_ms) and not all(meter.complete for meter in measured.values()):
        return None
    unread = [meter_id for meter_id in measured if measured[meter_id].reading is None]
    last_valid = await repository.last_valid(connection, span.start_s, unread)
    readings = list(_measured_or_estimated(span, meters, measured, last_valid))
    attestation = attest(span.start_s, span.end_s, readings, random_bytes)
    return await _store(connection, span, meters, attestation, now_ms)


async def _next_span(connection: Connection, config: OracleConfig) -> Span | None:
    last_s = await repository.last_start_s(connection)
    if last_s is not None:
        start_s = last_s + config.interval_s
        start_s -= start_s % config.interval_s
    else:
        first_s = await repository.first_expected_s(connection)
        if first_s is None:
            return None
        start_s = -(-first_s // config.interval_s) * config.interval_s
    return Span(start_s, config.interval_s, config.poll_period_s, config.grace_s)


async def _measure(connection: Connection, span: Span, meters: Sequence[ExpectedMeter]) -> dict[str, Measured]:
    measured: dict[str, Measured] = {}
    for chunk in _chunks(meters):
        readings = await repository.readings(connection, span, [meter.meter_id for meter in chunk])
        measured |= {
            meter.meter_id: measure(span, meter, readings.get(meter.meter_id, _NO_READINGS)) for meter in chunk
        }
    return measured


_NO_READINGS: Sequence[MeterReading] = ()


def _chunks(meters: Sequence[ExpectedMeter]) -> Iterator[Sequence[ExpectedMeter]]:
    for begin in range(0, len(meters), CHUNK_METERS):
        yield meters[begin : begin + CHUNK_METERS]


def _measured_or_estimated(
    span: Span, meters: Sequence[ExpectedMeter], measured: Mapping[str, Measured], last_valid: Mapping[str, LastValid]
) -> Iterator[IntervalReading]:
    for meter in meters:
        result = measured[meter.meter_id]
        yield result.reading or estimate(span, meter, result, last_valid.get(meter.meter_id))


async def _store(
    connection: Connection, span: Span, meters: Sequence[ExpectedMeter], attestation: Attestation, now_ms: int
) -> AttestedInterval | None:
    if not await repository.insert_interval(connection, span, now_ms):
        return None
    owners = {meter.meter_id: meter.participant_id for meter in meters}
    await repository.insert_attestation(connection, span.start_s, 1, attestation, owners, now_ms)
    await outbox.append(connection, "interval", interval_event(span, 1, attestation))
    return AttestedInterval(span.start_s, span.end_s, attestation.meters_valid, attestation.meters_estimated)
