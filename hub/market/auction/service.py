"""Clears attested intervals, oldest first: reads energy, forward trades and funds, holds the auction, stores it whole.

Funds are asked of the chain before the transaction and after the unsettled debits were read, so that a debit which
settles in between counts twice for a moment and never not at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog

from hub.clock import Clock, rfc3339_s
from hub.live import outbox
from hub.market import repository as market
from hub.market.auction import repository, run
from hub.market.auction.invariants import MarketHaltedError, Outcome
from hub.market.auction.run import AuctionInput
from hub.market.funds import Funds
from hub.market.repository import MeteredRow
from hub.postgres.db import Connection, Pool
from hub.postgres.lease import Lease, guard

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ClearedInterval:
    """What an auction came to, for logs and metrics; ``price_mills`` is None when nothing crossed."""

    start_s: int
    price_mills: int | None
    volume_wh: int
    orders: int
    trades: int


@dataclass(frozen=True, slots=True)
class _Prepared:
    inputs: AuctionInput
    end_s: int
    qualities: dict[UUID, str]


async def clear_attested(
    pool: Pool, lease: Lease, clock: Clock, funds: Funds, *, limit: int = 50
) -> list[ClearedInterval]:
    """Clears at most ``limit`` intervals; an empty list when none waits.

    Raises:
        MarketHaltedError: a rule of the market was broken; nothing of that interval is stored, and the caller must
            not clear on until a person has looked.
        LeaseLostError: another process leads; nothing of the interval at hand was written.
        RetryableError: the chain does not say what participants may owe.
    """
    done: list[ClearedInterval] = []
    while len(done) < limit:
        async with pool.acquire() as connection:
            waiting = await repository.next_attested(connection)
        if waiting is None:
            break
        prepared = await _prepare(pool, funds, *waiting)
        cleared = await _clear(pool, lease, clock, prepared)
        if cleared is None:
            break
        done.append(cleared)
    return done


async def _prepare(pool: Pool, funds: Funds, start_s: int, end_s: int) -> _Prepared:
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        rates = await market.rates_at(connection, start_s)
        rows = await market.metered(connection, start_s)
        forward = await market.forward_trades(connection, start_s)
        forward_orders = await market.forward_orders(connection, start_s)
        unsettled = await repository.unsettled(connection, start_s)
    wallets = _wallets(rows)
    known = await funds.funds(wallets, start_s, end_s) if wallets else {}
    inputs = AuctionInput(start_s, [r.metered for r in rows], rates, known, forward, forward_orders, unsettled)
    return _Prepared(inputs, end_s, {r.metered.participant_id: r.quality for r in rows})


def _wallets(rows: Sequence[MeteredRow]) -> dict[UUID, str]:
    """Of those whose energy is valid; nobody else can place an order."""
    return {r.metered.participant_id: r.wallet for r in rows if r.wallet is not None and r.metered.valid}


async def _clear(pool: Pool, lease: Lease, clock: Clock, prepared: _Prepared) -> ClearedInterval | None:
    inputs = prepared.inputs
    try:
        outcome = run.run_auction(inputs)
    except MarketHaltedError as error:
        log.critical("market halted", start_at=rfc3339_s(inputs.start_s), code=error.code, reason=str(error))
        async with pool.acquire() as connection, connection.transaction():
            await guard(connection, lease)
            await repository.record_halt(connection, inputs.start_s, str(error), clock.now_ms())
        raise
    async with pool.acquire() as connection, connection.transaction():
        await guard(connection, lease)
        now_ms = clock.now_ms()
        if not await repository.take_attested(connection, inputs.start_s, now_ms):
            return None
        await repository.end_halt(connection, inputs.start_s, now_ms)
        published = run.published_hash(inputs, outcome)
        await repository.insert_outcome(connection, outcome, prepared.qualities, published, now_ms)
        await _announce(connection, outcome, prepared.end_s)
    clearing = outcome.clearing
    return ClearedInterval(
        inputs.start_s, clearing.price_mills, clearing.volume_wh, len(outcome.orders), len(clearing.trades)
    )


async def _announce(connection: Connection, outcome: Outcome, end_s: int) -> None:
    payload: dict[str, Any] = {
        "start_at": rfc3339_s(outcome.start_s),
        "end_at": rfc3339_s(end_s),
        "price_mills": outcome.clearing.price_mills,
        "volume_wh": outcome.clearing.volume_wh,
        "trades": len(outcome.clearing.trades),
    }
    await outbox.append(connection, "clearing", payload)
