"""What operators read of quarantine and gateways; nothing here writes."""

from hub.postgres.db import Connection, Record

QUARANTINE_KEY = (int,)
PAYLOAD_SHOWN = 64 * 1024
_ENTRY = "quarantine_id, at, subject, gateway_id, code, detail, length(payload) AS payload_bytes, payload_hash"


async def quarantine(connection: Connection, before: int | None, limit: int) -> list[Record]:
    """Entries before this one, newest first, without their bytes."""
    return await connection.fetch(
        f"SELECT {_ENTRY} FROM quarantine WHERE $1::bigint IS NULL OR quarantine_id < $1 "  # noqa: S608 - constant columns
        "ORDER BY quarantine_id DESC LIMIT $2",
        before,
        limit,
    )


async def quarantined(connection: Connection, quarantine_id: int) -> Record | None:
    """One entry with the first part of its bytes."""
    return await connection.fetchrow(
        f"SELECT {_ENTRY}, substring(payload FOR {PAYLOAD_SHOWN}) AS payload FROM quarantine "  # noqa: S608 - constant columns
        "WHERE quarantine_id = $1",
        quarantine_id,
    )


async def gateways(connection: Connection) -> list[Record]:
    """Every gateway with the number of its meters and the time of its newest frame."""
    return await connection.fetch(
        """
        SELECT g.*, (SELECT count(*) FROM meters m WHERE m.gateway_id = g.gateway_id) AS meters,
               (SELECT max(f.sealed_at) FROM frames f WHERE f.gateway_id = g.gateway_id) AS last_frame_at
        FROM gateways g ORDER BY g.gateway_id LIMIT 1000
        """
    )


async def gateway_keys(connection: Connection) -> list[Record]:
    """The keys of all gateways, oldest first."""
    return await connection.fetch("SELECT * FROM gateway_keys ORDER BY gateway_id, valid_from, key_id LIMIT 5000")
