"""Plans the settlement of cleared intervals, oldest first, each in one transaction under the leader's lease.

Trades come from the market's tables; settlement, lines and steps are left for the submitter.
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
"""Settlement lines in one transaction: two signatures, accounts and lines have to fit a packet of 1,232 bytes."""


@dataclass(frozen=True, slots=True)
class PlannedInterval:
    """What a plan came to, for logs and metrics."""

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
    """Tries at most ``limit`` intervals; an empty list when none waits.

    One with trades that can not be settled is ``deferred`` with nothing written, and the next comes.

    Raises:
        LeaseLostError: another process leads; nothing of the interval at hand was written.
    """
    deferred, done = deferred or DeferredIntervals(), []
    for _ in range(limit):
        async with pool.acquire() as connection:
            cleared = await repository.next_cleared(connection, deferred.waiting(clock))
        if cleared is None:
            break
        try:
            async with pool.acquire() as connection, connection.transaction():
                await guard(connection, lease)
                planned = await _plan(connection, cleared, clock, batch_lines)
        except PermanentError as error:
            deferred.defer(cleared.start_s, error, clock)
            continue
        deferred.finished(cleared.start_s)
        if planned is not None:
            done.append(planned)
    return done


async def _plan(connection: Connection, cleared: ClearedRow, clock: Clock, batch_lines: int) -> PlannedInterval | None:
    now_ms = clock.now_ms()
    if not await repository.take_cleared(connection, cleared.start_s, now_ms):
        return None
    rates = await market.rates_at(connection, cleared.start_s)
    trades = await market.trades(connection, cleared.start_s)
    names = await repository.wallets(connection, {p for t in trades for p in (t.seller_id, t.buyer_id)})
    keys = {participant: bytes(Pubkey.from_string(name)) for participant, name in names.items()}
    made = plan(cleared.start_s, trades, keys, rates, minted_wh=cleared.export_wh, batch_lines=batch_lines)
    await repository.insert_plan(connection, made, names, rates, cleared.price_mills, now_ms)
    await _announce(connection, made, cleared.end_s)
    return PlannedInterval(made.start_s, len(made.lines), sum(s.kind == "settle" for s in made.steps))


async def _announce(connection: Connection, made: Plan, end_s: int) -> None:
    payload = {
        "start_at": rfc3339_s(made.start_s),
        "end_at": rfc3339_s(end_s),
        "state": "planned",
        "lines": len(made.lines),
    }
    await outbox.append(connection, "settlement", payload)
