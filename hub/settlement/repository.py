"""Settlement's SQL: what a plan starts from, and its rows: settlement, lines and steps."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from hub.clock import at_ms, at_s, to_s
from hub.db import Connection
from hub.market.orders import Rates
from hub.settlement.plan import Plan
from hub.units import Wh


@dataclass(frozen=True, slots=True)
class ClearedRow:
    """An interval that waits for its plan; ``price_mills`` is 0 when nothing crossed."""

    start_s: int
    end_s: int
    price_mills: int
    export_wh: Wh


async def next_cleared(connection: Connection) -> ClearedRow | None:
    """The oldest cleared interval with its valid export by revision 1."""
    row = await connection.fetchrow(
        """
        SELECT i.start_at, i.end_at, coalesce(c.price_mills, 0) AS price_mills, a.export_wh
        FROM intervals i JOIN clearings c USING (start_at) JOIN attestations a USING (start_at)
        WHERE i.state = 'cleared' AND a.revision = 1 ORDER BY i.start_at LIMIT 1
        """
    )
    if row is None:
        return None
    return ClearedRow(to_s(row["start_at"]), to_s(row["end_at"]), row["price_mills"], Wh(row["export_wh"]))


async def wallets(connection: Connection, participants: Iterable[UUID]) -> dict[UUID, str]:
    """The wallets (base58) of those who have one."""
    rows = await connection.fetch(
        "SELECT participant_id, wallet FROM participants WHERE participant_id = ANY($1::uuid[]) AND wallet IS NOT NULL",
        list(participants),
    )
    return {r["participant_id"]: r["wallet"] for r in rows}


async def take_cleared(connection: Connection, start_s: int, now_ms: int) -> bool:
    """Moves the interval to `planned`; False when somebody did so before."""
    status = await connection.execute(
        "UPDATE intervals SET state = 'planned', planned_at = $2 WHERE start_at = $1 AND state = 'cleared'",
        at_s(start_s),
        at_ms(now_ms),
    )
    return bool(status == "UPDATE 1")


async def insert_plan(
    connection: Connection, plan: Plan, wallet_names: dict[UUID, str], rates: Rates, price_mills: int, now_ms: int
) -> None:
    """The settlement with all its lines and steps."""
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
            (start_at, index, li.participant_id, wallet_names[li.participant_id], li.sold_wh, li.bought_wh,
             li.credit_micros, li.debit_micros)
            for index, li in enumerate(plan.lines)
        ],
    )  # fmt: skip
    await connection.copy_records_to_table(
        "settlement_steps",
        columns=["start_at", "kind", "batch", "first_line", "end_line", "state", "updated_at"],
        records=[(start_at, s.kind, s.batch, s.first_line, s.end_line, "planned", at_ms(now_ms)) for s in plan.steps],
    )
