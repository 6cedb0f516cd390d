"""The oracle's SQL: the meters and readings of an interval, its state, and the rows of an attestation."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from hub.clock import at_ms, at_s, to_ms, to_s
from hub.metering.attestation import Attestation
from hub.metering.boundaries import REACH_S
from hub.metering.interval_states import BEFORE, TIME_COLUMN, Advanced
from hub.metering.intervals import ESTIMATE_REACH_S, LastValid, Span
from hub.metering.readings import Energy, ExpectedMeter, MeterReading
from hub.postgres.db import Connection
from hub.units import Wh


async def last_start_s(connection: Connection) -> int | None:
    """Returns the start of the newest attested interval, in s since 1970; None before the first."""
    newest = await connection.fetchval("SELECT max(start_at) FROM intervals")
    return None if newest is None else to_s(newest)


async def first_expected_s(connection: Connection) -> int | None:
    """Returns when the first active meter is expected from, in s since 1970, rounded up; None without meters."""
    first = await connection.fetchval("SELECT min(expected_from) FROM meters WHERE status = 'active'")
    return None if first is None else -(-to_ms(first) // 1000)


async def expected_meters(connection: Connection, start_s: int) -> list[ExpectedMeter]:
    """Returns the active meters whose readings the interval needs, sorted by id."""
    rows = await connection.fetch(
        """
        SELECT meter_id, participant_id, rated_power_w FROM meters
        WHERE status = 'active' AND expected_from <= $1 ORDER BY meter_id
        """,
        at_s(start_s),
    )
    return [ExpectedMeter(r["meter_id"], r["participant_id"], r["rated_power_w"]) for r in rows]


async def readings(connection: Connection, span: Span, meter_ids: Sequence[str]) -> dict[str, list[MeterReading]]:
    """Returns by meter id the readings in the interval and its grace, and the last eight of the hour before."""
    rows = await connection.fetch(
        """
        SELECT r.* FROM unnest($1::text[]) AS m (meter_id) CROSS JOIN LATERAL (
            (SELECT meter_id, reading_id, boot_id, meter_sequence, slot_at, read_at, import_wh, export_wh
             FROM readings WHERE meter_id = m.meter_id AND slot_at >= $2 AND slot_at <= $3)
            UNION ALL
            (SELECT meter_id, reading_id, boot_id, meter_sequence, slot_at, read_at, import_wh, export_wh
             FROM readings WHERE meter_id = m.meter_id AND slot_at < $2 AND slot_at >= $4
             ORDER BY slot_at DESC, read_at DESC LIMIT 8)
        ) AS r
        """,
        list(meter_ids),
        at_s(span.start_s),
        at_s(span.until_s),
        at_s(span.start_s - REACH_S),
    )
    by_meter: defaultdict[str, list[MeterReading]] = defaultdict(list)
    for row in rows:
        registers = Wh(row["import_wh"]), Wh(row["export_wh"])
        times = to_s(row["slot_at"]), to_ms(row["read_at"])
        by_meter[row["meter_id"]].append(
            MeterReading(row["reading_id"], row["boot_id"], row["meter_sequence"], *times, *registers)
        )
    return by_meter


async def last_valid(connection: Connection, start_s: int, meter_ids: Sequence[str]) -> dict[str, LastValid]:
    """Returns by meter id the newest valid interval that ended at most ``ESTIMATE_REACH_S`` before ``start_s``."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT ON (r.meter_id) r.meter_id, i.end_at, r.import_wh, r.export_wh
        FROM interval_readings r JOIN intervals i USING (start_at)
        WHERE r.meter_id = ANY($1::text[]) AND r.revision = 1 AND r.quality = 'valid'
          AND r.start_at < $2 AND i.end_at >= $3
        ORDER BY r.meter_id, r.start_at DESC
        """,
        list(meter_ids),
        at_s(start_s),
        at_s(start_s - ESTIMATE_REACH_S),
    )
    return {r["meter_id"]: LastValid(to_s(r["end_at"]), Energy(Wh(r["import_wh"]), Wh(r["export_wh"]))) for r in rows}


async def insert_interval(connection: Connection, span: Span, now_ms: int) -> bool:
    """Inserts the interval as attested; returns False when it is there already."""
    status = await connection.execute(
        """
        INSERT INTO intervals (start_at, end_at, state, attested_at) VALUES ($1, $2, 'attested', $3)
        ON CONFLICT DO NOTHING
        """,
        at_s(span.start_s),
        at_s(span.end_s),
        at_ms(now_ms),
    )
    return bool(status == "INSERT 0 1")


async def advance(connection: Connection, start_s: int, state: Advanced, now_ms: int) -> bool:
    """Moves the interval into a later state and stores when; False when it is in none of the states before that."""
    column = TIME_COLUMN.get(state)
    time = "" if column is None else f", {column} = $4"
    values = () if column is None else (at_ms(now_ms),)
    status = await connection.execute(
        f"UPDATE intervals SET state = $2{time} WHERE start_at = $1 AND state = ANY($3)",  # noqa: S608 - constant names
        at_s(start_s),
        state,
        list(BEFORE[state]),
        *values,
    )
    return bool(status == "UPDATE 1")


async def insert_attestation(
    connection: Connection,
    start_s: int,
    revision: int,
    attestation: Attestation,
    owners: dict[str, UUID],
    now_ms: int,
) -> None:
    """Stores the attestation with one row per meter; ``owners`` is each meter's participant in the interval."""
    await connection.execute(
        """
        INSERT INTO attestations
            (start_at, revision, merkle_root, meters_valid, meters_estimated, import_wh, export_wh, attested_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        at_s(start_s),
        revision,
        attestation.merkle_root,
        attestation.meters_valid,
        attestation.meters_estimated,
        attestation.import_wh,
        attestation.export_wh,
        at_ms(now_ms),
    )
    await connection.executemany(
        """
        INSERT INTO interval_readings
            (start_at, revision, meter_id, participant_id, leaf_index, import_wh, export_wh, quality, rules,
             start_reading_id, end_reading_id, blinding)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        """,
        [
            (
                at_s(start_s), revision, r.meter_id, owners[r.meter_id], index, r.energy.import_wh, r.energy.export_wh,
                r.quality.value, list(r.rules), r.start_reading_id, r.end_reading_id, blinding,
            )
            for index, (r, blinding) in enumerate(zip(attestation.readings, attestation.blindings, strict=True))
        ],
    )  # fmt: skip
