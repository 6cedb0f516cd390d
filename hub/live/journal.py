"""The journal: every domain event gets its number in the transaction that made it true, then goes out by SSE."""

from typing import Any
from uuid import UUID

from hub.db import Connection

CHANNEL = "peerwatt_journal"


async def append(
    connection: Connection, topic: str, payload: dict[str, Any], participant_id: UUID | None = None
) -> int:
    """Adds an event inside the caller's transaction and wakes the listeners when it commits.

    ``participant_id`` limits who may see it; None is for everybody. Returns the journal's sequence number.
    """
    sequence: int = await connection.fetchval(
        "INSERT INTO journal (topic, participant_id, payload) VALUES ($1, $2, $3) RETURNING sequence",
        topic,
        participant_id,
        payload,
    )
    await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, str(sequence))
    return sequence
