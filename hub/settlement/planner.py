"""Plans the settlement of cleared intervals, oldest first, each in one transaction under the leader's lease.

It reads the trades of the market and stores settlement, lines and steps for the submitter.
"""

from dataclasses import dataclass

from solders.pubkey import Pubkey

from hub.clock import Clock, rfc3339_s
from hub.errors import PermanentError
from hub.live import outbox
from hub.market import repository as market
from hub.postgres.db import Connection, Pool
from hub.postgres.lease import Lease, guard
from hub.settlement import repository
from hub.settlement.deferred import DeferredIntervals
from hub.settlement.plan import Plan, plan
from hub.settlement.repository import ClearedRow

BATCH_LINES = 14
"""Settlement lines of one transaction: two signatures, accounts and lines have to fit a packet of 1,232 bytes."""


@dataclass(frozen=True, slots=True)
class PlannedInterval:
    """The result of a plan, for logs and metrics."""

    start_s: int
    lines: int
    batches: int


async def plan_cleared(
    pool: Pool,
    lease: Lease,
    clock: Clock,
    *,
    deferred: DeferredIntervals | None = None,
    batch_lines: int = BATCH_LINES,
    limit: int = 50,
) -> list[PlannedInterval]:
    """Plans at most ``limit`` cleared intervals; returns those that were planned.

    An interval with trades that can not be planned is ``deferred`` with nothing written, and the next one is tried.

    Raises:
        LeaseLostError: another process leads; nothing of the interval that was being planned was written.
    """
    deferred, planned = deferred or DeferredIntervals(), []
    for _ in range(limit):
        async with pool.acquire() as connection:
            cleared = await repository.next_cleared(connection, deferred.not_due(clock))
        if cleared is None:
            break
        try:
            async with pool.acquire() as connection, connection.transaction():
                await guard(connection, lease)
                interval = await _plan(connection, cleared, clock, batch_lines)
        except PermanentError as error:
            deferred.defer(cleared.start_s, error, clock)
            continue
        deferred.finish(cleared.start_s)
        if interval is not None:
            planned.append(interval)
    return planned


async def _plan(connection: Connection, cleared: ClearedRow, clock: Clock, batch_lines: int) -> PlannedInterval | None:
    now_ms = clock.now_ms()
    if not await repository.take_cleared(connection, cleared.start_s, now_ms):
        return None
    rates = await market.rates_at(connection, cleared.start_s)
    trades = await market.trades(connection, cleared.start_s)
    wallets = await repository.wallets(connection, {p for t in trades for p in (t.seller_id, t.buyer_id)})
    public_keys = {participant: bytes(Pubkey.from_string(wallet)) for participant, wallet in wallets.items()}
    settlement = plan(cleared.start_s, trades, public_keys, rates, minted_wh=cleared.export_wh, batch_lines=batch_lines)
    await repository.insert_plan(connection, settlement, wallets, rates, cleared.price_mills, now_ms)
    await _announce(connection, settlement, cleared.end_s)
    batches = sum(step.kind == "settle" for step in settlement.steps)
    return PlannedInterval(settlement.start_s, len(settlement.lines), batches)


async def _announce(connection: Connection, settlement: Plan, end_s: int) -> None:
    payload = {
        "start_at": rfc3339_s(settlement.start_s),
        "end_at": rfc3339_s(end_s),
        "state": "planned",
        "lines": len(settlement.lines),
    }
    await outbox.append(connection, "settlement", payload)
