"""Reads quarantine and gateways for operators."""

from datetime import datetime

from hub.postgres.db import Connection, Record

QUARANTINE_KEY = (int,)
MAX_PAYLOAD_BYTES = 64 * 1024
_ENTRY = "quarantine_id, at, subject, gateway_id, code, detail, length(payload) AS payload_bytes, payload_hash"


async def quarantine(connection: Connection, before: int | None, limit: int) -> list[Record]:
    """Returns entries before this one, newest first, without their bytes."""
    return await connection.fetch(
        f"SELECT {_ENTRY} FROM quarantine WHERE $1::bigint IS NULL OR quarantine_id < $1 "  # noqa: S608 - constant columns
        "ORDER BY quarantine_id DESC LIMIT $2",
        before,
        limit,
    )


async def quarantined(connection: Connection, quarantine_id: int) -> Record | None:
    """Returns one entry with the first 64 KiB of its bytes, or None."""
    return await connection.fetchrow(
        f"SELECT {_ENTRY}, substring(payload FOR {MAX_PAYLOAD_BYTES}) AS payload FROM quarantine "  # noqa: S608 - constant columns
        "WHERE quarantine_id = $1",
        quarantine_id,
    )


async def gateways(connection: Connection) -> list[Record]:
    """Returns up to 1,000 gateways with the number of their meters and the time of their newest frame."""
    return await connection.fetch(
        """
        SELECT g.*, (SELECT count(*) FROM meters m WHERE m.gateway_id = g.gateway_id) AS meters,
               (SELECT max(f.sealed_at) FROM frames f WHERE f.gateway_id = g.gateway_id) AS last_frame_at
        FROM gateways g ORDER BY g.gateway_id LIMIT 1000
        """
    )


async def gateway_keys(connection: Connection) -> list[Record]:
    """Returns up to 5,000 keys by gateway, oldest first."""
    return await connection.fetch("SELECT * FROM gateway_keys ORDER BY gateway_id, valid_from, key_id LIMIT 5000")


async def troubles(connection: Connection) -> list[Record]:
    """Returns what gateways said in their last heartbeats of meters that are not recorded as good; at most 1,000."""
    return await connection.fetch(
        """
        SELECT gateway_id, t.key AS meter_id, t.value AS says, last_beat_at
        FROM gateways CROSS JOIN LATERAL jsonb_each_text(last_beat->'troubles') AS t
        ORDER BY gateway_id, meter_id LIMIT 1000
        """
    )


async def clock_doubts(connection: Connection, since: datetime) -> list[Record]:
    """Returns by gateway the readings stored since a time whose slot was later than their receipt; at most 1,000 rows.

    Readings about whose time somebody has decided are left out.
    """
    return await connection.fetch(
        """
        WITH ahead AS (
            SELECT r.gateway_id, r.slot_at, f.received_at, (
                SELECT d.kind FROM energy_decisions d
                WHERE d.meter_id = r.meter_id AND d.start_at <= r.slot_at AND d.end_at >= r.slot_at
                ORDER BY d.decision_id DESC LIMIT 1
            ) AS decided
            FROM readings r JOIN frames f
              ON (f.gateway_id, f.boot_id, f.sequence) = (r.gateway_id, r.boot_id, r.frame_sequence)
            WHERE r.doubt = 'clock' AND r.stored_at >= $1 AND r.slot_at > f.received_at
        ), doubted AS (
            SELECT gateway_id, min(slot_at) AS first_slot_at, max(slot_at) AS last_slot_at, count(*) AS readings,
                   min(received_at) AS first_received_at, max(received_at) AS last_received_at
            FROM ahead WHERE coalesce(decided, 'withdraw') = 'withdraw' GROUP BY gateway_id
        )
        SELECT d.*, (
            SELECT count(DISTINCT a.gateway_id) FROM ahead a
            WHERE a.received_at BETWEEN d.first_received_at AND d.last_received_at
        ) AS gateways_ahead,
            (SELECT count(*) FROM gateways WHERE last_beat_at IS NOT NULL) AS gateways,
            (SELECT min(i.start_at) FROM intervals i
             WHERE i.start_at > d.first_slot_at - interval '1 hour' AND i.end_at > d.first_slot_at) AS start_at,
            (SELECT min(i.end_at) FROM intervals i
             WHERE i.start_at > d.last_slot_at - interval '2 hours' AND i.end_at >= d.last_slot_at) AS end_at
        FROM doubted d ORDER BY d.last_received_at DESC, d.gateway_id LIMIT 1000
        """,
        since,
    )
