"""The oracle: attests intervals in order of time, each when all is in or nothing more is waited for.

Readings come from ingest; the market clears attested intervals. Each interval is one transaction under the leader's
lease, so a kill leaves it whole or not begun.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from hub.clock import Clock
from hub.ingest.coverage import Coverage, covered_ms
from hub.live import outbox
from hub.metering import repository
from hub.metering.arrival import Patience
from hub.metering.attestation import Attestation, RandomBytes, attest
from hub.metering.events import interval_event
from hub.metering.histories.repository import FEW, MANY, histories
from hub.metering.intervals import Circumstances, Measured, Span, measure
from hub.metering.readings import ExpectedMeter, MeterHistory
from hub.metering.sun import Site, SunCourse
from hub.metering.zones import with_zone_rules
from hub.postgres.db import Connection, Pool
from hub.postgres.lease import Lease, guard
from hub.postgres.rounds import INTERVALS_A_ROUND

CHUNK_METERS = 500
"""Meters whose readings are in memory at once."""
HARMLESS = frozenset({"gap", "boundary_interpolated", "read_late"})
"""Rules that flag what more readings could not change."""


@dataclass(frozen=True, slots=True)
class OracleConfig:
    """The oracle's times, where the site is, and the coverage: when the hub took frames in without a break.

    The waiting runs in the coverage only. After an outage of the hub, NATS or the database, frames that waited must be
    taken in before anything is estimated.
    """

    interval_s: int
    poll_period_s: int
    grace_s: int
    coverage: Coverage
    heartbeat_s: int = 60
    site: Site | None = None


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
    # Nothing is attested ahead of what was taken in
    if span is None or min(now_ms, config.coverage.seen_ms) < span.end_s * 1000:
        return None
    meters = await repository.expected_meters(connection, span.start_s)
    measured = await measure_all(connection, span, meters, config.site)
    late = [meter for meter in meters if not measured[meter.meter_id].complete]
    if late and await _are_waited_for(connection, span, late, config, now_ms):
        return None
    readings = with_zone_rules(span.length_s, meters, [measured[meter.meter_id].reading for meter in meters])
    attestation = attest(span.start_s, span.end_s, readings, random_bytes, feeders=feeders_among(meters))
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
    return Span(start_s, config.interval_s, config.poll_period_s)


async def _are_waited_for(
    connection: Connection, span: Span, late: Sequence[ExpectedMeter], config: OracleConfig, now_ms: int
) -> bool:
    """Whether readings of one of these meters may still arrive."""
    waited_ms = await covered_ms(connection, span.end_s * 1000, now_ms)
    patience = Patience(now_ms, config.coverage, waited_ms, config.grace_s * 1000, config.heartbeat_s * 1000)
    states = await repository.gateway_states(connection)
    return any(patience.may_still_send(span.end_s, states[gateway]) for gateway in {m.gateway_id for m in late})


async def measure_all(
    connection: Connection, span: Span, meters: Sequence[ExpectedMeter], site: Site | None, neighbours: int = FEW
) -> dict[str, Measured]:
    """Computes the energy of meters in an interval by all that is stored now; by meter id.

    What is flagged, or not complete, is computed again with more of the readings around the interval.
    """
    sun_is_up = None if site is None else site.sun_is_up(span.start_s, span.end_s)
    circumstances = Circumstances(sun_is_up=sun_is_up, shape=None if site is None else SunCourse(site))
    measured: dict[str, Measured] = {}
    for chunk in _chunks(meters):
        meter_ids = [meter.meter_id for meter in chunk]
        known = await histories(connection, span.start_s, span.end_s, meter_ids, neighbours)
        measured |= {meter.meter_id: measure(span, meter, known[meter.meter_id], circumstances) for meter in chunk}
        doubtful = [meter for meter in chunk if _is_doubtful(measured[meter.meter_id])]
        if doubtful:
            if neighbours < MANY:
                doubtful_ids = [meter.meter_id for meter in doubtful]
                known = await histories(connection, span.start_s, span.end_s, doubtful_ids, MANY)
            measured |= await _measure_again(connection, span, doubtful, known, circumstances)
    return measured


def _is_doubtful(measured: Measured) -> bool:
    return not measured.complete or any(rule not in HARMLESS for rule in measured.reading.rules)


async def _measure_again(
    connection: Connection,
    span: Span,
    meters: Sequence[ExpectedMeter],
    known: Mapping[str, MeterHistory],
    circumstances: Circumstances,
) -> dict[str, Measured]:
    typical = await repository.typical_imports(connection, span.start_s, [meter.meter_id for meter in meters])
    return {
        m.meter_id: measure(span, m, known[m.meter_id], replace(circumstances, typical_wh=typical.get(m.meter_id)))
        for m in meters
    }


def feeders_among(meters: Sequence[ExpectedMeter]) -> frozenset[str]:
    """Returns the ids of the meters that measure a zone's feeder, which no total includes."""
    return frozenset(meter.meter_id for meter in meters if meter.kind == "feeder")


def _chunks(meters: Sequence[ExpectedMeter]) -> Iterator[Sequence[ExpectedMeter]]:
    for begin in range(0, len(meters), CHUNK_METERS):
        yield meters[begin : begin + CHUNK_METERS]


async def _store(
    connection: Connection, span: Span, meters: Sequence[ExpectedMeter], attestation: Attestation, now_ms: int
) -> AttestedInterval | None:
    if not await repository.insert_interval(connection, span, now_ms):
        return None
    owners = {meter.meter_id: meter.participant_id for meter in meters}
    await repository.insert_attestation(connection, span.start_s, 1, attestation, owners, now_ms)
    await outbox.append(connection, "interval", interval_event(span, 1, attestation))
    return AttestedInterval(span.start_s, span.end_s, attestation.meters_valid, attestation.meters_estimated)
