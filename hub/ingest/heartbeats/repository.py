"""The SQL of heartbeats: the newest heartbeat of a gateway, and which of its frames are stored or lost."""

from collections.abc import Iterable, Sequence
from typing import Any

from edge.wire.ranges import Ranges
from hub.clock import at_ms
from hub.ingest.receipts import merge_ranges
from hub.ingest.rows import columns_of
from hub.postgres.db import Connection

STORED_RANGES = """
SELECT boot_id, min(sequence) AS first, max(sequence) AS last FROM (
    SELECT f.boot_id, f.sequence, f.sequence - row_number() OVER (PARTITION BY f.boot_id ORDER BY f.sequence) AS island
    FROM (
        SELECT a.boot_id, s.sequence FROM unnest($2::bytea[], $3::bigint[], $4::bigint[]) AS a (boot_id, first, last)
        CROSS JOIN LATERAL (
            SELECT sequence FROM frames
            WHERE gateway_id = $1 AND boot_id = a.boot_id AND sequence BETWEEN a.first AND a.last
            ORDER BY sequence LIMIT $5
        ) AS s LIMIT $5
    ) AS f GROUP BY f.boot_id, f.sequence
) AS islands
GROUP BY boot_id, island ORDER BY boot_id, first LIMIT 1000
"""

DECLARED_GAPS = """
SELECT g.boot_id, g.first_sequence AS first, g.last_sequence AS last
FROM unnest($2::bytea[], $3::bigint[], $4::bigint[]) AS a (boot_id, first, last)
JOIN declared_gaps g ON g.gateway_id = $1 AND g.boot_id = a.boot_id
    AND g.first_sequence <= a.last AND g.last_sequence >= a.first
GROUP BY 1, 2, 3 ORDER BY 1, 2 LIMIT 1000
"""


async def save_heartbeat(connection: Connection, gateway_id: str, now_ms: int, heartbeat: dict[str, Any]) -> bool:
    """Stores a gateway's newest heartbeat; returns False when there is no such gateway."""
    return bool(
        await connection.fetchval(
            "UPDATE gateways SET last_beat_at = $2, last_beat = $3 WHERE gateway_id = $1 RETURNING true",
            gateway_id,
            at_ms(now_ms),
            heartbeat,
        )
    )


async def stored_ranges(
    connection: Connection, gateway_id: str, waiting: Sequence[tuple[bytes, int, int]], limit: int
) -> dict[bytes, Ranges]:
    """Returns by boot id which frames of the ``waiting`` ranges (boot id, first, last) are stored.

    Looks at the ``limit`` earliest frames only.
    """
    return _ranges_by_boot(await connection.fetch(STORED_RANGES, gateway_id, *columns_of(waiting, 3), limit))


async def lost_ranges(
    connection: Connection, gateway_id: str, waiting: Sequence[tuple[bytes, int, int]]
) -> dict[bytes, Ranges]:
    """Returns by boot id the gateway's declared gaps that overlap the ``waiting`` ranges (boot id, first, last)."""
    return _ranges_by_boot(await connection.fetch(DECLARED_GAPS, gateway_id, *columns_of(waiting, 3)))


async def last_header_hash(connection: Connection, gateway_id: str, boot_id: bytes) -> bytes:
    """Returns the header hash of a boot's newest stored frame; 32 zero bytes when there is none."""
    header_hash = await connection.fetchval(
        "SELECT header_hash FROM frames WHERE gateway_id = $1 AND boot_id = $2 ORDER BY sequence DESC LIMIT 1",
        gateway_id,
        boot_id,
    )
    return bytes(32) if header_hash is None else bytes(header_hash)


def _ranges_by_boot(rows: Iterable[Any]) -> dict[bytes, Ranges]:
    ranges_by_boot: dict[bytes, list[tuple[int, int]]] = {}
    for row in rows:
        ranges_by_boot.setdefault(bytes(row["boot_id"]), []).append((row["first"], row["last"]))
    return {boot_id: merge_ranges(ranges) for boot_id, ranges in ranges_by_boot.items()}
