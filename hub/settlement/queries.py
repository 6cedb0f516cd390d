"""Reads for operators which intervals are not settled and why, and what reconcile noted."""

from datetime import datetime

from hub.postgres.db import Connection, Record
from hub.settlement.repository import STAGE_STATES


async def unfinished_intervals(connection: Connection, ended_before: datetime) -> list[Record]:
    """Returns deferred intervals, and those that ended before that time and are not closed; oldest first, at most 100.

    Each has its `state`; where a stage has deferred it, also `stage`, `code`, `reason` and `since`.
    """
    states = [state for stage_states in STAGE_STATES.values() for state in stage_states]
    return list(
        await connection.fetch(
            """
            SELECT i.start_at, i.state, a.stage, a.code, a.reason, a.since
            FROM intervals i LEFT JOIN deferred_intervals a USING (start_at)
            WHERE (a.start_at IS NOT NULL AND i.state = ANY($2))
               OR (i.state NOT IN ('closed', 'reconciled') AND i.end_at < $1)
            ORDER BY i.start_at, a.stage LIMIT 100
            """,
            ended_before,
            states,
        )
    )


async def reconcile_notes(connection: Connection, since: datetime) -> list[Record]:
    """Returns the `note` that reconcile made of intervals since then, newest first, at most 100.

    `alarm` is true when a person has to look into the note.
    """
    return list(
        await connection.fetch(
            """
            SELECT start_at, reconcile_report->'notes'->>0 AS note, (reconcile_report->>'alarm')::boolean AS alarm
            FROM settlements JOIN intervals USING (start_at)
            WHERE reconciled_at >= $1 AND reconcile_report->'notes'->>0 IS NOT NULL ORDER BY start_at DESC LIMIT 100
            """,
            since,
        )
    )
