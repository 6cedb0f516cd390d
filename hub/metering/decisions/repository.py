"""The SQL of decisions: the meter and intervals that one is about, and its row."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from hub.clock import at_ms, at_s, to_s
from hub.metering.readings import Decision
from hub.postgres.db import Connection


@dataclass(frozen=True, slots=True)
class AttestedSpan:
    """An attested interval [start, end) in s since 1970, and what its newest revision says of one meter.

    ``rules`` is None when the meter was not part of the interval.
    """

    start_s: int
    end_s: int
    rules: Sequence[str] | None


async def rated_power_w(connection: Connection, meter_id: str) -> int | None:
    """Returns a meter's rated power; None when there is no such meter."""
    rated: int | None = await connection.fetchval("SELECT rated_power_w FROM meters WHERE meter_id = $1", meter_id)
    return rated


async def meters_of_gateway(connection: Connection, gateway_id: str) -> list[str]:
    """Returns the meters that a gateway reads, sorted."""
    rows = await connection.fetch("SELECT meter_id FROM meters WHERE gateway_id = $1 ORDER BY meter_id", gateway_id)
    return [row["meter_id"] for row in rows]


async def attested_spans(connection: Connection, meter_id: str, start_s: int, end_s: int) -> list[AttestedSpan]:
    """Returns the attested intervals that touch [start, end), oldest first; none of them can be taken back meanwhile.

    The span is at most 40 days long, which the caller has checked.
    """
    rows = await connection.fetch(
        """
        SELECT i.start_at, i.end_at, (
            SELECT rules FROM interval_readings r WHERE r.start_at = i.start_at AND r.meter_id = $1
            ORDER BY revision DESC LIMIT 1
        ) AS rules
        FROM intervals i WHERE i.start_at > $2::timestamptz - interval '1 hour' AND i.start_at < $3 AND i.end_at > $2
        ORDER BY i.start_at FOR KEY SHARE
        """,
        meter_id, at_s(start_s), at_s(end_s),
    )  # fmt: skip
    return [AttestedSpan(to_s(row["start_at"]), to_s(row["end_at"]), row["rules"]) for row in rows]


async def are_doubted(connection: Connection, meter_id: str, start_s: int, end_s: int) -> bool:
    """Whether a reading in [start, end], both included, is in a doubt that can be accepted."""
    doubted: bool = await connection.fetchval(
        """
        SELECT EXISTS (SELECT FROM readings WHERE meter_id = $1 AND slot_at >= $2 AND slot_at <= $3
                       AND (meter_state <> 'G' OR doubt = 'clock'))
        """,
        meter_id, at_s(start_s), at_s(end_s),
    )  # fmt: skip
    return doubted


async def decisions_about(connection: Connection, meter_id: str, start_s: int, end_s: int) -> list[Decision]:
    """Returns the decisions that touch [start, end), without their energy, in the order in which they were taken."""
    rows = await connection.fetch(
        """
        SELECT kind, start_at, end_at FROM energy_decisions
        WHERE meter_id = $1 AND end_at > $2 AND start_at < $3 ORDER BY decision_id
        """,
        meter_id, at_s(start_s), at_s(end_s),
    )  # fmt: skip
    return [Decision(row["kind"], to_s(row["start_at"]), to_s(row["end_at"])) for row in rows]


async def insert(
    connection: Connection, meter_id: str, decision: Decision, reason: str, user_id: UUID, now_ms: int
) -> int:
    """Stores a decision; returns its number."""
    energy = decision.energy
    decision_id: int = await connection.fetchval(
        """
        INSERT INTO energy_decisions
            (meter_id, kind, start_at, end_at, import_wh, export_wh, reason, decided_by, decided_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING decision_id
        """,
        meter_id, decision.kind, at_s(decision.start_s), at_s(decision.end_s),
        None if energy is None else energy.import_wh, None if energy is None else energy.export_wh, reason, user_id,
        at_ms(now_ms),
    )  # fmt: skip
    return decision_id
