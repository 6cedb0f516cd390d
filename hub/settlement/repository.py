"""Settlement's SQL, except that of its steps: the input of a plan, settlements with their lines, deferred intervals."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from edge.wire import merkle
from hub.chain.instructions import oracle
from hub.clock import at_ms, at_s, to_s
from hub.market.orders import Rates
from hub.metering.interval_states import State
from hub.metering.repository import advance
from hub.postgres.db import Connection, Record
from hub.settlement.plan import Plan
from hub.units import Wh


@dataclass(frozen=True, slots=True)
class ClearedRow:
    """An interval that is to be planned; ``price_mills`` is 0 when nothing crossed."""

    start_s: int
    end_s: int
    price_mills: int
    export_wh: Wh


@dataclass(frozen=True)
class IntervalRows:
    """The rows of a planned interval: all that is committed to the chain for it, and its lines in their order."""

    start_s: int
    interval: Record
    lines: Sequence[Record]


async def next_cleared(connection: Connection, except_for: Sequence[int]) -> ClearedRow | None:
    """Returns the oldest cleared interval that is not in ``except_for``, with its valid export of revision 1."""
    row = await connection.fetchrow(
        """
        SELECT i.start_at, i.end_at, coalesce(c.price_mills, 0) AS price_mills, a.export_wh
        FROM intervals i JOIN clearings c USING (start_at) JOIN attestations a USING (start_at)
        WHERE i.state = 'cleared' AND a.revision = 1 AND i.start_at <> ALL($1) ORDER BY i.start_at LIMIT 1
        """,
        [at_s(start_s) for start_s in except_for],
    )
    if row is None:
        return None
    return ClearedRow(to_s(row["start_at"]), to_s(row["end_at"]), row["price_mills"], Wh(row["export_wh"]))


async def wallets(connection: Connection, participants: Iterable[UUID]) -> dict[UUID, str]:
    """Returns the wallets (base58) of these participants, where there are any."""
    rows = await connection.fetch(
        "SELECT participant_id, wallet FROM participants WHERE participant_id = ANY($1::uuid[]) AND wallet IS NOT NULL",
        list(participants),
    )
    return {row["participant_id"]: row["wallet"] for row in rows}


async def take_cleared(connection: Connection, start_s: int, now_ms: int) -> bool:
    """Moves the interval to `planned`; returns False when another process did so before."""
    return await advance(connection, start_s, "planned", now_ms)


async def insert_plan(
    connection: Connection, plan: Plan, wallets: dict[UUID, str], rates: Rates, price_mills: int, now_ms: int
) -> None:
    """Stores the settlement with all its lines and steps; ``wallets`` in base58."""
    start_at, totals = at_s(plan.start_s), plan.totals
    await connection.execute(
        """
        INSERT INTO settlements
            (start_at, lines_root, line_count, sold_wh, bought_wh, credit_micros, debit_micros, clearing_price_mills,
             minted_wh, wheeling_mills, platform_mills, loss_mills, planned_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        """,
        start_at, plan.lines_root, len(plan.lines), totals.sold_wh, totals.bought_wh, totals.credit_micros,
        totals.debit_micros, price_mills, plan.minted_wh, rates.wheeling_mills, rates.platform_mills, rates.loss_mills,
        at_ms(now_ms),
    )  # fmt: skip
    await connection.copy_records_to_table(
        "settlement_lines",
        columns=["start_at", "line_index", "participant_id", "wallet", "sold_wh", "bought_wh", "credit_micros",
                 "debit_micros"],
        records=[
            (start_at, index, line.participant_id, wallets[line.participant_id], line.sold_wh, line.bought_wh,
             line.credit_micros, line.debit_micros)
            for index, line in enumerate(plan.lines)
        ],
    )  # fmt: skip
    await connection.copy_records_to_table(
        "settlement_steps",
        columns=["start_at", "kind", "batch", "first_line", "end_line", "state", "updated_at"],
        records=[
            (start_at, step.kind, step.batch, step.first_line, step.end_line, "planned", at_ms(now_ms))
            for step in plan.steps
        ],
    )


async def next_unsettled(connection: Connection, except_for: Sequence[int]) -> int | None:
    """Returns the start of the next interval to settle that is not in ``except_for``.

    Intervals with lines have a deadline and come first; then the oldest.
    """
    start_at = await connection.fetchval(
        """
        SELECT i.start_at FROM intervals i JOIN settlements s USING (start_at)
        WHERE i.state IN ('planned', 'settling') AND i.start_at <> ALL($1)
        ORDER BY s.line_count = 0, i.start_at LIMIT 1
        """,
        [at_s(start_s) for start_s in except_for],
    )
    return None if start_at is None else to_s(start_at)


async def due_revisions(connection: Connection, limit: int) -> list[oracle.Attestation]:
    """Returns revisions after the first that are to be attested on the chain: the one before is final there."""
    rows = await connection.fetch(
        """
        SELECT a.* FROM attestations a
        WHERE a.revision > 1 AND a.final_at IS NULL AND a.refusal IS NULL AND CASE a.revision
            WHEN 2 THEN EXISTS (SELECT FROM settlement_steps s WHERE s.start_at = a.start_at AND s.kind = 'attest'
                                AND s.state = 'finalized')
            ELSE EXISTS (SELECT FROM attestations b WHERE b.start_at = a.start_at AND b.revision = a.revision - 1
                         AND b.final_at IS NOT NULL)
        END
        ORDER BY a.start_at, a.revision LIMIT $1
        """,
        limit,
    )
    return [
        oracle.Attestation(
            to_s(row["start_at"]), bytes(row["merkle_root"]), row["meters_valid"], row["meters_estimated"],
            row["import_wh"], row["export_wh"], row["revision"],
        )
        for row in rows
    ]  # fmt: skip


async def record_revision(
    connection: Connection, start_s: int, revision: int, now_ms: int, refusal: str | None
) -> None:
    """Stores that a revision is final on the chain, or why the program refuses it for good."""
    await connection.execute(
        "UPDATE attestations SET final_at = $3, refusal = $4 WHERE start_at = $1 AND revision = $2",
        at_s(start_s),
        revision,
        at_ms(now_ms) if refusal is None else None,
        refusal,
    )


async def interval_rows(connection: Connection, start_s: int) -> IntervalRows:
    """Returns the rows of a planned interval.

    Raises:
        LookupError: the interval has no plan.
    """
    row = await connection.fetchrow(
        """
        SELECT i.end_at, a.merkle_root, a.meters_valid, a.meters_estimated, a.import_wh, a.export_wh, c.journal_hash,
               s.lines_root, s.line_count, s.sold_wh, s.bought_wh, s.credit_micros, s.debit_micros,
               s.clearing_price_mills, s.minted_wh, s.wheeling_mills, s.platform_mills, s.loss_mills,
               r.export_tariff_mills, r.import_tariff_mills
        FROM intervals i
        JOIN attestations a ON a.start_at = i.start_at AND a.revision = 1
        JOIN clearings c ON c.start_at = i.start_at
        JOIN settlements s ON s.start_at = i.start_at
        LEFT JOIN LATERAL rates_in_force(i.start_at) r ON true
        WHERE i.start_at = $1
        """,
        at_s(start_s),
    )
    if row is None:
        raise LookupError(f"interval {start_s} has no plan")
    lines = await connection.fetch(
        """
        SELECT participant_id, wallet, sold_wh, bought_wh, credit_micros, debit_micros
        FROM settlement_lines WHERE start_at = $1 ORDER BY line_index
        """,
        at_s(start_s),
    )
    return IntervalRows(start_s, row, lines)


async def attested_readings(connection: Connection, start_s: int) -> list[Record]:
    """Returns each meter's energy of revision 1, in leaf order."""
    return list(
        await connection.fetch(
            """
            SELECT meter_id, import_wh, export_wh, quality, blinding FROM interval_readings
            WHERE start_at = $1 AND revision = 1 ORDER BY leaf_index
            """,
            at_s(start_s),
        )
    )


async def plan_without_lines(connection: Connection, start_s: int, now_ms: int) -> None:
    """Replaces the interval's plan by a close without lines; attestation and mint stay as they are."""
    await connection.execute("DELETE FROM settlement_lines WHERE start_at = $1", at_s(start_s))
    await connection.execute(
        "DELETE FROM settlement_steps WHERE start_at = $1 AND kind IN ('open', 'settle')", at_s(start_s)
    )
    await connection.execute(
        """
        UPDATE settlements SET lines_root = $2, line_count = 0, sold_wh = 0, bought_wh = 0, credit_micros = 0,
               debit_micros = 0, planned_at = $3
        WHERE start_at = $1
        """,
        at_s(start_s),
        merkle.root([]),
        at_ms(now_ms),
    )


async def record_closed(connection: Connection, start_s: int, now_ms: int) -> bool:
    """Moves the interval to `closed`; returns False when a step of it is not final."""
    unfinished = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM settlement_steps WHERE start_at = $1 AND state <> 'finalized')", at_s(start_s)
    )
    return not unfinished and await advance(connection, start_s, "closed", now_ms)


async def debited_since(connection: Connection, since_ms: int) -> dict[str, int]:
    """Returns by wallet (base58) the micros that intervals debited which were closed since then."""
    rows = await connection.fetch(
        """
        SELECT l.wallet, sum(l.debit_micros)::bigint AS debit_micros
        FROM intervals i JOIN settlement_lines l USING (start_at)
        WHERE i.closed_at >= $1 GROUP BY l.wallet
        """,
        at_ms(since_ms),
    )
    return {row["wallet"]: row["debit_micros"] for row in rows}


async def interval_starts(
    connection: Connection, states: Sequence[State], limit: int, *, after_s: int = -1, except_for: Sequence[int] = ()
) -> list[int]:
    """Returns the starts of intervals in these states that start after ``after_s``, oldest first."""
    rows = await connection.fetch(
        """
        SELECT start_at FROM intervals WHERE state = ANY($1) AND start_at > $4 AND start_at <> ALL($3)
        ORDER BY start_at LIMIT $2
        """,
        list(states),
        limit,
        [at_s(start_s) for start_s in except_for],
        at_s(after_s),
    )
    return [to_s(row["start_at"]) for row in rows]


async def record_reconciled(connection: Connection, start_s: int, report: dict[str, Any], now_ms: int) -> bool:
    """Stores the report of a comparison, and moves the interval to `reconciled` when it has no differences."""
    await connection.execute("UPDATE settlements SET reconcile_report = $2 WHERE start_at = $1", at_s(start_s), report)
    if report["differences"]:
        return False
    return await advance(connection, start_s, "reconciled", now_ms)


async def closed_charges_micros(connection: Connection) -> int:
    """Returns the charges of all closed intervals, in micros."""
    return int(
        await connection.fetchval(
            """
            SELECT coalesce(sum(debit_micros - credit_micros), 0)::bigint
            FROM settlements JOIN intervals USING (start_at) WHERE state IN ('closed', 'reconciled')
            """
        )
    )


Stage = Literal["planning", "settlement", "reconcile"]

STAGE_STATES: dict[Stage, list[State]] = {
    "planning": ["cleared"],
    "settlement": ["planned", "settling"],
    "reconcile": ["closed"],
}
"""The states in which an interval is for the stage to finish."""


@dataclass(frozen=True, slots=True)
class DeferredRow:
    """An interval that a stage could not finish, and the error of its last try."""

    start_s: int
    stage: Stage
    code: str
    reason: str
    since_ms: int
    tried_ms: int


async def store_deferred(connection: Connection, stage: Stage, rows: Sequence[DeferredRow]) -> None:
    """Stores the stage's deferred intervals and deletes those that it has finished; one taken back is left out.

    The time since when an interval is deferred stays as it was first stored.
    """
    await connection.execute(
        """
        DELETE FROM deferred_intervals a USING intervals i
        WHERE a.start_at = i.start_at AND a.stage = $1 AND i.state <> ALL($2)
        """,
        stage,
        STAGE_STATES[stage],
    )
    await connection.executemany(
        """
        INSERT INTO deferred_intervals (start_at, stage, code, reason, since, tried_at)
        SELECT start_at, $2, $3, $4, $5, $6 FROM intervals WHERE start_at = $1
        ON CONFLICT (start_at, stage) DO UPDATE SET code = $3, reason = $4, tried_at = $6
        """,
        [
            (at_s(row.start_s), row.stage, row.code, row.reason, at_ms(row.since_ms), at_ms(row.tried_ms))
            for row in rows
        ],
    )
