"""The oracle's SQL: what an interval expects and has, and the rows of an attestation."""

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
    """The newest interval that was attested."""
    newest = await connection.fetchval("SELECT max(start_at) FROM intervals")
    return None if newest is None else to_s(newest)


async def first_expected_s(connection: Connection) -> int | None:
    """When the first of the active meters begins to be expected."""
    first = await connection.fetchval("SELECT min(expected_from) FROM meters WHERE status = 'active'")
    return None if first is None else -(-to_ms(first) // 1000)


async def expected_meters(connection: Connection, start_s: int) -> list[ExpectedMeter]:
    """The active meters that the interval waits for, by id."""
    rows = await connection.fetch(
        """
        SELECT meter_id, participant_id, rated_power_w FROM meters
        WHERE status = 'active' AND expected_from <= $1 ORDER BY meter_id
        """,
        at_s(start_s),
    )
    return [ExpectedMeter(r["meter_id"], r["participant_id"], r["rated_power_w"]) for r in rows]


async def readings(connection: Connection, span: Span, meters: Sequence[str]) -> dict[str, list[MeterReading]]:
    """Every reading of these meters in the interval and its grace, and the last one before it."""
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
        list(meters),
        at_s(span.start_s),
        at_s(span.until_s),
        at_s(span.start_s - REACH_S),
    )
    found: defaultdict[str, list[MeterReading]] = defaultdict(list)
    for r in rows:
        registers = Wh(r["import_wh"]), Wh(r["export_wh"])
        times = to_s(r["slot_at"]), to_ms(r["read_at"])
        found[r["meter_id"]].append(
            MeterReading(r["reading_id"], r["boot_id"], r["meter_sequence"], *times, *registers)
        )
    return found


async def last_valid(connection: Connection, start_s: int, meters: Sequence[str]) -> dict[str, LastValid]:
    """The newest valid interval of each of these meters that is recent enough to be repeated."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT ON (r.meter_id) r.meter_id, i.end_at, r.import_wh, r.export_wh
        FROM interval_readings r JOIN intervals i USING (start_at)
        WHERE r.meter_id = ANY($1::text[]) AND r.revision = 1 AND r.quality = 'valid'
          AND r.start_at < $2 AND i.end_at >= $3
        ORDER BY r.meter_id, r.start_at DESC
        """,
        list(meters),
        at_s(start_s),
        at_s(start_s - ESTIMATE_REACH_S),
    )
    return {r["meter_id"]: LastValid(to_s(r["end_at"]), Energy(Wh(r["import_wh"]), Wh(r["export_wh"]))) for r in rows}


async def insert_interval(connection: Connection, span: Span, at: int) -> bool:
    """Opens the interval's row; False when it is there already."""
    status = await connection.execute(
        """
        INSERT INTO intervals (start_at, end_at, state, attested_at) VALUES ($1, $2, 'attested', $3)
        ON CONFLICT DO NOTHING
        """,
        at_s(span.start_s),
        at_s(span.end_s),
        at_ms(at),
    )
    return bool(status == "INSERT 0 1")


async def advance(connection: Connection, start_s: int, state: Advanced, now_ms: int) -> bool:
    """Moves the interval into a later state and writes down when; False when it is in none of the states before it."""
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
    connection: Connection, start_s: int, revision: int, attested: Attestation, owners: dict[str, UUID], at: int
) -> None:
    """The attestation with one row per meter; ``owners`` says whose a meter was in the interval."""
    await connection.execute(
        """
        INSERT INTO attestations
            (start_at, revision, merkle_root, meters_valid, meters_estimated, import_wh, export_wh, attested_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        at_s(start_s),
        revision,
        attested.merkle_root,
        attested.meters_valid,
        attested.meters_estimated,
        attested.import_wh,
        attested.export_wh,
        at_ms(at),
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
            for index, (r, blinding) in enumerate(zip(attested.readings, attested.blindings, strict=True))
        ],
    )  # fmt: skip
