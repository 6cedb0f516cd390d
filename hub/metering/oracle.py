"""The oracle: attests each interval once every expected meter is in or the grace has passed, in order of time.

Readings come from ingest; an attested interval waits for the market. Every interval is one transaction under the
leader's lease, so a kill leaves it whole or not begun.
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

CHUNK = 500
"""Meters whose readings are in memory at once."""


@dataclass(frozen=True, slots=True)
class OracleConfig:
    """``since_ms`` to ``seen_ms`` (None: now): over which time the hub took in frames as they came.

    The grace runs in that time only: a hub that was down, or that NATS or its database left alone, has first to take in
    what waits for it.
    """

    interval_s: int
    poll_period_s: int
    grace_s: int
    since_ms: int
    seen_ms: int | None = None

    def patient(self, span: Span, now_ms: int) -> bool:
        """A meter that is not in may still come: its frames may be waiting for us."""
        seen_ms = now_ms if self.seen_ms is None else min(now_ms, self.seen_ms)
        return seen_ms < max(span.end_s * 1000, self.since_ms) + self.grace_s * 1000


@dataclass(frozen=True, slots=True)
class AttestedInterval:
    """What an attestation came to, for logs and metrics."""

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
    limit: int = 50,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> list[AttestedInterval]:
    """Attests at most ``limit`` intervals that are due, oldest first; an empty list when none is.

    Raises:
        LeaseLostError: another process leads; nothing of the interval at hand was written.
    """
    done: list[AttestedInterval] = []
    while len(done) < limit:
        async with pool.acquire() as connection, connection.transaction():
            attested = await _attest_next(connection, lease, clock, config, random_bytes)
        if attested is None:
            break
        done.append(attested)
    return done


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
    if config.patient(span, now_ms) and not all(m.settled for m in measured.values()):
        return None
    bases = await repository.last_valid(connection, span.start_s, [m for m in measured if measured[m].reading is None])
    attested = attest(span.start_s, span.end_s, list(_decided(span, meters, measured, bases)), random_bytes)
    return await _store(connection, span, meters, attested, now_ms)


async def _next_span(connection: Connection, config: OracleConfig) -> Span | None:
    last = await repository.last_start_s(connection)
    if last is not None:
        start = last + config.interval_s
        start -= start % config.interval_s
    else:
        first = await repository.first_expected_s(connection)
        if first is None:
            return None
        start = -(-first // config.interval_s) * config.interval_s
    return Span(start, config.interval_s, config.poll_period_s, config.grace_s)


async def _measure(connection: Connection, span: Span, meters: Sequence[ExpectedMeter]) -> dict[str, Measured]:
    measured: dict[str, Measured] = {}
    for chunk in _chunks(meters):
        found = await repository.readings(connection, span, [m.meter_id for m in chunk])
        measured |= {m.meter_id: measure(span, m, found.get(m.meter_id, _NO_READINGS)) for m in chunk}
    return measured


_NO_READINGS: Sequence[MeterReading] = ()


def _chunks(meters: Sequence[ExpectedMeter]) -> Iterator[Sequence[ExpectedMeter]]:
    for begin in range(0, len(meters), CHUNK):
        yield meters[begin : begin + CHUNK]


def _decided(
    span: Span, meters: Sequence[ExpectedMeter], measured: Mapping[str, Measured], bases: Mapping[str, LastValid]
) -> Iterator[IntervalReading]:
    for meter in meters:
        seen = measured[meter.meter_id]
        yield seen.reading or estimate(span, meter, seen, bases.get(meter.meter_id))


async def _store(
    connection: Connection, span: Span, meters: Sequence[ExpectedMeter], attested: Attestation, now_ms: int
) -> AttestedInterval | None:
    if not await repository.insert_interval(connection, span, now_ms):
        return None
    owners = {m.meter_id: m.participant_id for m in meters}
    await repository.insert_attestation(connection, span.start_s, 1, attested, owners, now_ms)
    await outbox.append(connection, "interval", interval_event(span, 1, attested))
    return AttestedInterval(span.start_s, span.end_s, attested.meters_valid, attested.meters_estimated)
