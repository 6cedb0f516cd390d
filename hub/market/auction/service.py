"""Clears attested intervals, oldest first: reads energy, trades and funds, runs the auction and stores the outcome.

Unsettled debits are read from the database first, then the funds from the chain. A debit that settles in between
counts twice in this auction; in the other order it would not count at all.
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
    """The result of an auction, for logs and metrics; ``price_mills`` is None when nothing crossed."""

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
    """Clears at most ``limit`` intervals; returns an empty list when none is attested.

    Raises:
        MarketHaltedError: a rule of the market was broken; nothing of that interval is stored. The caller must not
            clear another interval until a person has looked.
        ConfigError: no rates are stored for an interval.
        LeaseLostError: another process leads; nothing of the interval that was being cleared was written.
        RetryableError: the chain does not answer.
    """
    cleared: list[ClearedInterval] = []
    while len(cleared) < limit:
        async with pool.acquire() as connection:
            attested = await repository.next_attested(connection)
        if attested is None:
            break
        prepared = await _prepare(pool, funds, *attested)
        interval = await _clear(pool, lease, clock, prepared)
        if interval is None:
            break
        cleared.append(interval)
    return cleared


async def _prepare(pool: Pool, funds: Funds, start_s: int, end_s: int) -> _Prepared:
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        rates = await market.rates_at(connection, start_s)
        rows = await market.metered_energy(connection, start_s)
        forward = await market.forward_trades(connection, start_s)
        forward_orders = await market.forward_orders(connection, start_s)
        unsettled = await repository.unsettled_debits(connection, start_s)
    wallets = _wallets(rows)
    by_participant = await funds.funds(wallets, start_s, end_s) if wallets else {}
    inputs = AuctionInput(
        start_s, [row.metered for row in rows], rates, by_participant, forward, forward_orders, unsettled
    )
    return _Prepared(inputs, end_s, {row.metered.participant_id: row.quality for row in rows})


def _wallets(rows: Sequence[MeteredRow]) -> dict[UUID, str]:
    """Returns the wallets of participants whose energy is valid; only these can place an order."""
    return {row.metered.participant_id: row.wallet for row in rows if row.wallet is not None and row.metered.valid}


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
        journal_hash = run.outcome_journal_hash(inputs, outcome)
        await repository.insert_outcome(connection, outcome, prepared.qualities, journal_hash, now_ms)
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
