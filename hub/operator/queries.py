"""Reads quarantine and gateways for operators."""

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
