"""The oracle's SQL: the meters of an interval, what earlier days had, its state, and the rows of an attestation."""

from collections.abc import Sequence
from uuid import UUID

from hub.clock import at_ms, at_s, to_ms, to_s
from hub.metering.arrival import GatewayState
from hub.metering.attestation import Attestation
from hub.metering.interval_states import BEFORE, TIME_COLUMN, Advanced
from hub.metering.intervals import Span
from hub.metering.readings import ExpectedMeter
from hub.postgres.db import Connection

DAY_S = 86_400
RECENT_MS = 300_000
TYPICAL_DAYS = 7
"""Earlier days whose energy stands in for what nobody measured."""
_METER = "meter_id, participant_id, rated_power_w, kind, gateway_id, zone"


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
        f"SELECT {_METER} FROM meters WHERE status = 'active' AND expected_from <= $1 ORDER BY meter_id",  # noqa: S608
        at_s(start_s),
    )
    return [ExpectedMeter(*row.values()) for row in rows]


async def meters_by_id(connection: Connection, meter_ids: Sequence[str]) -> list[ExpectedMeter]:
    """Returns meters by their ids, whatever became of them since, sorted by id."""
    rows = await connection.fetch(
        f"SELECT {_METER} FROM meters WHERE meter_id = ANY($1) ORDER BY meter_id",  # noqa: S608 - constant column names
        list(meter_ids),
    )
    return [ExpectedMeter(*row.values()) for row in rows]


async def gateway_states(connection: Connection) -> dict[str, GatewayState]:
    """Returns by gateway id what each gateway's last heartbeat said."""
    rows = await connection.fetch(
        "SELECT gateway_id, last_beat_at, (last_beat->>'complete_until_s')::bigint AS complete_until_s FROM gateways"
    )
    return {
        r["gateway_id"]: GatewayState(
            None if r["last_beat_at"] is None else to_ms(r["last_beat_at"]), r["complete_until_s"] or 0
        )
        for r in rows
    }


async def database_now_ms(connection: Connection) -> int:
    """Returns PostgreSQL's time in ms since 1970."""
    return to_ms(await connection.fetchval("SELECT clock_timestamp()"))


async def heartbeat_offsets_ms(connection: Connection, now_ms: int) -> list[int]:
    """Returns how far synchronised gateways were ahead of the hub, in ms, at heartbeats of the last minutes."""
    rows = await connection.fetch(
        """
        SELECT (last_beat->>'sent_at_ms')::bigint AS sent_ms, last_beat_at FROM gateways
        WHERE last_beat->>'time_quality' = 'S' AND last_beat_at BETWEEN $1 AND $2
        """,
        at_ms(now_ms - RECENT_MS),
        at_ms(now_ms + RECENT_MS),
    )
    return [row["sent_ms"] - to_ms(row["last_beat_at"]) for row in rows]


async def typical_imports(connection: Connection, start_s: int, meter_ids: Sequence[str]) -> dict[str, int]:
    """Returns by meter id the mean import in Wh, rounded down, of the valid intervals at this time of earlier days."""
    rows = await connection.fetch(
        """
        SELECT meter_id, floor(avg(import_wh))::bigint AS import_wh FROM (
            SELECT DISTINCT ON (meter_id, start_at) meter_id, start_at, import_wh, quality FROM interval_readings
            WHERE meter_id = ANY($1::text[]) AND start_at = ANY($2::timestamptz[])
            ORDER BY meter_id, start_at, revision DESC
        ) AS newest
        WHERE quality = 'valid' GROUP BY meter_id
        """,
        list(meter_ids),
        [at_s(start_s - day * DAY_S) for day in range(1, TYPICAL_DAYS + 1)],
    )
    return {row["meter_id"]: row["import_wh"] for row in rows}


async def lock_interval(connection: Connection, start_s: int) -> None:
    """Lets nobody else change the interval's trades or correct it until the caller's transaction ends.

    Rows that refer to the interval, such as marks, may be added meanwhile.
    """
    await connection.execute("SELECT FROM intervals WHERE start_at = $1 FOR NO KEY UPDATE", at_s(start_s))


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
    """Stores the attestation with one row per meter; ``owners`` is each meter's participant in the interval.

    It is not older than the revision before, whatever the clocks of two leaders say: bills count on that order.
    """
    await connection.execute(
        """
        INSERT INTO attestations
            (start_at, revision, merkle_root, meters_valid, meters_estimated, import_wh, export_wh, attested_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, greatest($8, (
            SELECT attested_at FROM attestations WHERE start_at = $1 AND revision = $2 - 1
        )))
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
