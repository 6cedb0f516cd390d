"""Reads of the outbox for the live streams."""

from uuid import UUID

from hub.postgres.db import Connection, Record


async def last_sequence(connection: Connection) -> int:
    """Returns the newest entry's sequence number, 0 when there is none."""
    sequence: int = await connection.fetchval("SELECT coalesce(max(sequence), 0) FROM outbox")
    return sequence


async def after(connection: Connection, sequence: int, limit: int) -> list[Record]:
    """Returns entries after a sequence number, in order."""
    return await connection.fetch(
        "SELECT * FROM outbox WHERE sequence > $1 ORDER BY sequence LIMIT $2", sequence, limit
    )


async def between(connection: Connection, after_sequence: int, until: int) -> list[Record]:
    """Returns entries in (after, until], in order."""
    return await connection.fetch(
        "SELECT * FROM outbox WHERE sequence > $1 AND sequence <= $2 ORDER BY sequence", after_sequence, until
    )


async def missed(
    connection: Connection,
    after_sequence: int,
    until: int,
    participant_id: UUID | None,
    reads_all: bool,
    limit: int,
) -> list[Record]:
    """Returns entries in (after, until] that a reader may see, in order."""
    return await connection.fetch(
        """
        SELECT * FROM outbox WHERE sequence > $1 AND sequence <= $2
          AND ($4 OR participant_id IS NULL OR participant_id = $3)
        ORDER BY sequence LIMIT $5
        """,
        after_sequence, until, participant_id, reads_all, limit,
    )  # fmt: skip


async def next_transaction(connection: Connection) -> int:
    """Returns the number of the next transaction; all that run now have lower ones."""
    number: int = await connection.fetchval("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
    return number


async def oldest_running_transaction(connection: Connection) -> int:
    """Returns the number of the oldest running transaction; all with lower ones have ended."""
    number: int = await connection.fetchval("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
    return number
