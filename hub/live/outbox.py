"""The outbox: a domain event is added in the transaction that it is about, and sent as a server-sent event later."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from hub.postgres.db import Connection

CHANNEL = "peerwatt_journal"


async def append(
    connection: Connection, topic: str, payload: dict[str, Any], participant_id: UUID | None = None
) -> int:
    """Adds an event inside the caller's transaction and wakes the listeners when it commits.

    ``participant_id`` is the one participant who may see it, None for everybody. Returns the sequence number.
    """
    sequence: int = await connection.fetchval(
        "INSERT INTO outbox (topic, participant_id, payload) VALUES ($1, $2, $3) RETURNING sequence",
        topic,
        participant_id,
        payload,
    )
    await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, str(sequence))
    return sequence


async def append_many(connection: Connection, topic: str, events: Sequence[tuple[dict[str, Any], UUID | None]]) -> None:
    """Adds events (payload, participant as in ``append``) of one topic in order; the listeners are woken once."""
    sequence = await connection.fetchval(
        """
        WITH added AS (
            INSERT INTO outbox (topic, participant_id, payload)
            SELECT $1, participant_id, payload FROM unnest($2::uuid[], $3::jsonb[]) AS e (participant_id, payload)
            RETURNING sequence
        )
        SELECT max(sequence) FROM added
        """,
        topic,
        [participant_id for _, participant_id in events],
        [payload for payload, _ in events],
    )
    if sequence is not None:
        await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, str(sequence))
