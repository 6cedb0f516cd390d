"""The outbox as streams read it."""

from uuid import UUID

from hub.postgres.db import Connection, Record


async def last_sequence(connection: Connection) -> int:
    """The newest entry's number; 0 when there is none."""
    found: int = await connection.fetchval("SELECT coalesce(max(sequence), 0) FROM outbox")
    return found


async def after(connection: Connection, sequence: int, limit: int) -> list[Record]:
    """Entries after this one, in order."""
    return await connection.fetch(
        "SELECT * FROM outbox WHERE sequence > $1 ORDER BY sequence LIMIT $2", sequence, limit
    )


async def between(connection: Connection, after_sequence: int, until: int) -> list[Record]:
    """Entries in (after, until], in order."""
    return await connection.fetch(
        "SELECT * FROM outbox WHERE sequence > $1 AND sequence <= $2 ORDER BY sequence", after_sequence, until
    )


async def missed(
    connection: Connection,
    after_sequence: int,
    until: int,
    participant_id: UUID | None,
    sees_all: bool,
    limit: int,
) -> list[Record]:
    """Entries in (after, until] that this reader may see, in order."""
    return await connection.fetch(
        """
        SELECT * FROM outbox WHERE sequence > $1 AND sequence <= $2
          AND ($4 OR participant_id IS NULL OR participant_id = $3)
        ORDER BY sequence LIMIT $5
        """,
        after_sequence, until, participant_id, sees_all, limit,
    )  # fmt: skip


async def newest_transaction(connection: Connection) -> int:
    """The number that the next transaction will get: all that run now have lower ones."""
    found: int = await connection.fetchval("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
    return found


async def oldest_running_transaction(connection: Connection) -> int:
    """Every transaction with a lower number has ended."""
    found: int = await connection.fetchval("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
    return found
