"""Reads decisions for operators."""

from hub.postgres.db import Connection, Record

DECISION_KEY = (int,)


async def decisions(connection: Connection, meter_id: str | None, before: int | None, limit: int) -> list[Record]:
    """Returns decisions before this number, newest first; about one meter, or about all for None."""
    return await connection.fetch(
        """
        SELECT d.*, u.display_name AS decided_by_name FROM energy_decisions d JOIN users u ON u.user_id = d.decided_by
        WHERE ($1::text IS NULL OR d.meter_id = $1) AND ($2::bigint IS NULL OR d.decision_id < $2)
        ORDER BY d.decision_id DESC LIMIT $3
        """,
        meter_id, before, limit,
    )  # fmt: skip
