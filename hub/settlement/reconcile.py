"""Compares the database with finalised accounts, to the micro and the Wh: per interval, and over everything.

Comes after an interval is closed; only an interval without a difference becomes `reconciled`.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from solana.rpc.commitment import Finalized

from hub.chain import pdas
from hub.chain.client import ChainClient
from hub.clock import Clock, rfc3339_s
from hub.db import Pool
from hub.errors import PermanentError
from hub.lease import Lease, guard
from hub.live import journal
from hub.settlement import books, onchain, repository
from hub.settlement.aside import Aside
from hub.settlement.instructions import IntervalRows

VAULTS = ("wheeling", "platform", "loss")
RATES = ("wheeling_mills", "platform_mills", "loss_mills", "export_tariff_mills", "import_tariff_mills")
SUMS_TRIES, SUMS_PAUSE_S = 5, 1.0


@dataclass(frozen=True)
class Report:
    """What was compared, and every difference in words; none means that all agree.

    ``notes`` is what anybody can bring about and nobody loses by: money given to the pool or a vault.
    """

    checked: int
    differences: list[str]
    notes: list[str]


@dataclass(frozen=True)
class Sums:
    """What the sums over everything come to, in words as in a report."""

    differences: list[str]
    notes: list[str]


class DifferenceError(PermanentError):
    """The chain and the database tell an interval differently."""

    code = "settlement_difference"


async def reconcile_due(
    pool: Pool, lease: Lease, clock: Clock, chain: ChainClient, *, aside: Aside | None = None, limit: int = 50
) -> list[int]:
    """Reconciles intervals that were closed since; returns the starts of those that agree.

    One that does not is set ``aside`` with its report stored, and compared again after a while.
    """
    aside = aside or Aside()
    async with pool.acquire() as connection:
        starts = await repository.starts_in(connection, ["closed"], limit, but=aside.waiting(clock))
    agreed = []
    for start_s in starts:
        rows = await _rows(pool, start_s)
        differences = await _differences(pool, chain, rows)
        if differences:
            aside.put(start_s, DifferenceError("; ".join(differences)), clock)
        else:
            aside.forget(start_s)
        report = {"checked_at_ms": clock.now_ms(), "differences": differences}
        async with pool.acquire() as connection, connection.transaction():
            await guard(connection, lease)
            if await repository.record_reconciled(connection, start_s, report, clock.now_ms()):
                payload = {"start_at": rfc3339_s(start_s), "lines": len(rows.lines)}
                await journal.append(connection, "reconciled", payload)
                agreed.append(start_s)
    return agreed


async def compare_all(pool: Pool, chain: ChainClient, *, page: int = 1000) -> Report:
    """Every closed interval again, page by page, and the sums that must hold over all of them."""
    checked, differences = 0, []
    async for start_s in _closed(pool, page):
        checked += 1
        found = await _differences(pool, chain, await _rows(pool, start_s))
        differences += [f"interval {rfc3339_s(start_s)}: {one}" for one in found]
    sums = await steady_sums(pool, chain)
    return Report(checked, differences + sums.differences, sums.notes)


async def _closed(pool: Pool, page: int) -> AsyncIterator[int]:
    last_s = -1
    while True:
        async with pool.acquire() as connection:
            starts = await repository.starts_in(connection, ["closed", "reconciled"], page, after_s=last_s)
        for start_s in starts:
            yield start_s
        if len(starts) < page:
            return
        last_s = starts[-1]


async def steady_sums(pool: Pool, chain: ChainClient) -> Sums:
    """The sums are read one after the other: what a settlement in progress moves in between is no difference."""
    for _ in range(SUMS_TRIES - 1):
        sums = await _sums(pool, chain)
        if not sums.differences:
            return sums
        await asyncio.sleep(SUMS_PAUSE_S)
    return await _sums(pool, chain)


async def _sums(pool: Pool, chain: ChainClient) -> Sums:
    async with pool.acquire() as connection:
        charges = await repository.charges_of_closed(connection)
    return await compare_sums(chain, charges)


async def _differences(pool: Pool, chain: ChainClient, rows: IntervalRows) -> list[str]:
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        own = await books.differences(connection, rows)
    return await compare_interval(chain, rows) + own


async def compare_interval(chain: ChainClient, rows: IntervalRows) -> list[str]:
    """How the commitments to one closed interval differ between chain and database, field by field.

    Equal roots and a finished cursor make every line that the chain moved one that we committed to; that our rows are
    still those is for ``books`` to say.
    """
    start_s = rows.start_s
    attested, minted = await onchain.attested(chain, start_s), await onchain.minted(chain, start_s)
    settled = await onchain.settlement(chain, start_s)
    differences = _or_missing("attestation", onchain.differences_attested(attested, rows))
    differences += _or_missing("minted energy", onchain.differences_minted(minted, rows))
    differences += _or_missing("settlement", onchain.differences_settled(settled, rows))
    if minted is not None and not minted.burned:
        differences.append("the interval's energy was not burned")
    if settled is not None:
        differences += _differences_closed(settled, rows)
    return differences


def _or_missing(what: str, differences: list[str] | None) -> list[str]:
    return [f"there is no {what} on the chain"] if differences is None else differences


def _differences_closed(settled: Any, rows: IntervalRows) -> list[str]:
    facts = rows.facts
    status = onchain.CLOSED if facts["line_count"] else onchain.EMPTY
    expected = {"status": status, "cursor": facts["line_count"], "escrow_micros": 0}
    if facts["line_count"]:
        expected |= {f"settled_{name}": facts[name] for name in ("sold_wh", "bought_wh", "credit_micros")}
        expected["settled_debit_micros"] = facts["debit_micros"]
    found = [(name, getattr(settled, name), value) for name, value in expected.items()]
    if facts["line_count"]:
        found += [(name, getattr(settled.rates, name), facts[name]) for name in RATES]
    return [f"{name} is {theirs} on the chain and {ours} here" for name, theirs, ours in found if theirs != ours]


async def compare_sums(chain: ChainClient, charges_micros: int) -> Sums:
    """Balances and escrows in the pool; all charges in the vaults or collected; minted - burned = supply.

    Anybody may send money to pool and vaults, so that these may hold more than they must, and never less.
    """
    market = await chain.account("trading", "Market", pdas.market(), commitment=Finalized)
    accounts = await chain.all_accounts("trading", "Account", commitment=Finalized)
    opened = {"status": onchain.OPEN}
    settlements = await chain.all_accounts("trading", "IntervalSettlement", where=opened, commitment=Finalized)
    energy = await chain.account("energy_token", "State", pdas.energy_state(), commitment=Finalized)
    pool = await chain.token_balance(pdas.currency_pool(), commitment=Finalized)
    vaults = [await chain.token_balance(pdas.vault(name), commitment=Finalized) for name in VAULTS]
    supply = await chain.token_supply(pdas.energy_mint(), commitment=Finalized)
    balances = sum(account.balance_micros for _, account in accounts)
    escrows = sum(one.escrow_micros for _, one in settlements)
    kept = max(market.charges_total_micros - market.collected_total_micros, 0)
    equal = [
        ("balances and open escrows", balances + escrows, "the market's total", market.accounts_total_micros),
        ("the market's charges", market.charges_total_micros, "the charges of all closed intervals", charges_micros),
        ("energy minted and not burned", energy.minted_wh - energy.burned_wh, "the token's supply", supply),
    ]
    held = [
        ("the pool", pool, "the market's total", market.accounts_total_micros),
        ("the vaults", sum(vaults), "the market's charges not collected", kept),
    ]
    return Sums(
        [f"{a} are {x}, {b} {y}" for a, x, b, y in equal if x != y]
        + [f"{y - x} micros are missing in {a}: {x} there, {b} {y}" for a, x, b, y in held if x < y],
        [f"{x - y} micros more in {a} than {b}: somebody sent them there" for a, x, b, y in held if x > y],
    )


async def _rows(pool: Pool, start_s: int) -> IntervalRows:
    async with pool.acquire() as connection:
        facts = await repository.interval_facts(connection, start_s)
        lines = await repository.settlement_lines(connection, start_s)
    return IntervalRows(start_s, facts, lines)
