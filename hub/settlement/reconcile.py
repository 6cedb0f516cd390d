"""Compares the database with finalised accounts, to the micro and the Wh: per interval, and over everything.

Comes after an interval is closed; only an interval without a difference becomes `reconciled`.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

from solana.rpc.commitment import Finalized

from hub.chain import pdas
from hub.chain.client import ChainClient
from hub.chain.errors import ChainUnreachableError, NodesDisagreeError
from hub.chain.quorum import agreed
from hub.clock import Clock, rfc3339_s, to_s
from hub.errors import PermanentError
from hub.live import outbox
from hub.postgres.db import TRANSIENT_ERRORS, Pool
from hub.postgres.lease import Lease, LeaseLostError, guard
from hub.settlement import onchain, repository, row_audit
from hub.settlement.abort import EARLY, by_settler, told
from hub.settlement.deferred import DeferredIntervals
from hub.settlement.instructions import IntervalRows

VAULTS = ("wheeling", "platform", "loss")
RATES = ("wheeling_mills", "platform_mills", "loss_mills", "export_tariff_mills", "import_tariff_mills")
SUMS_TRIES, SUMS_PAUSE_S = 5, 1.0


@dataclass(frozen=True)
class Report:
    """What was compared, and every difference in words; none means that all agree.

    ``notes`` is what nobody loses by: money given to the pool or a vault, a settlement that was aborted and returned.
    """

    checked: int
    differences: list[str]
    notes: list[str]


@dataclass(frozen=True)
class Sums:
    """What the sums over everything come to, in words as in a report."""

    differences: list[str]
    notes: list[str]


@dataclass(frozen=True)
class Compared:
    """What was found of one interval, in words; ``alarm`` says that a note is one that a person has to look into."""

    differences: list[str]
    notes: list[str] = field(default_factory=list)
    alarm: bool = False
    lines: int = 0


class DifferenceError(PermanentError):
    """The chain and the database tell an interval differently."""

    code = "settlement_difference"


async def reconcile_due(
    pool: Pool,
    lease: Lease,
    clock: Clock,
    chain: ChainClient,
    *,
    deferred: DeferredIntervals | None = None,
    limit: int = 50,
) -> list[int]:
    """Reconciles intervals that were closed since; returns the starts of those that agree.

    One that does not, or can not be read, is ``deferred`` with its report stored, and compared again after a while.

    Raises:
        ChainUnreachableError: the chain is away.
        LeaseLostError: another process leads.
        OSError, asyncpg.PostgresError: the database is away.
    """
    deferred = deferred or DeferredIntervals()
    async with pool.acquire() as connection:
        starts = await repository.starts_in(connection, ["closed"], limit, but=deferred.waiting(clock))
    agreed = []
    for start_s in starts:
        try:
            compared = await _compare(pool, chain, start_s)
        except NodesDisagreeError as error:
            deferred.defer(start_s, error, clock)
            continue
        if compared.differences:
            deferred.defer(start_s, DifferenceError("; ".join(compared.differences)), clock)
        else:
            deferred.finished(start_s)
        report = {"checked_at_ms": clock.now_ms(), "differences": compared.differences, "notes": compared.notes}
        report["alarm"] = compared.alarm
        async with pool.acquire() as connection, connection.transaction():
            await guard(connection, lease)
            if await repository.record_reconciled(connection, start_s, report, clock.now_ms()):
                payload = {"start_at": rfc3339_s(start_s), "lines": compared.lines}
                await outbox.append(connection, "reconciled", payload)
                agreed.append(start_s)
    return agreed


async def compare_all(pool: Pool, chain: ChainClient, *, page: int = 1000) -> Report:
    """Every closed interval again, page by page, and the sums that must hold over all of them."""
    checked, differences, notes = 0, [], []
    async for start_s in _closed(pool, page):
        checked += 1
        compared, name = await _compare(pool, chain, start_s), f"interval {rfc3339_s(start_s)}"
        differences += [f"{name}: {one}" for one in compared.differences]
        notes += [f"{name}: {one}" for one in compared.notes]
    sums = await steady_sums(pool, chain)
    return Report(checked, differences + sums.differences, notes + sums.notes)


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
    return await agreed(chain, lambda view: compare_sums(view, charges), "the sums over all intervals")


async def _compare(pool: Pool, chain: ChainClient, start_s: int) -> Compared:
    """One interval on both sides, the chain's by a quorum of the nodes.

    Rows that can not be read are a difference too, and hold up no other interval.
    """
    try:
        rows = await _rows(pool, start_s)
        what = f"interval {rfc3339_s(start_s)}"
        compared = await agreed(chain, lambda view: compare_interval(view, rows), what)
        async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            own = await row_audit.differences(connection, rows)
    except (ChainUnreachableError, NodesDisagreeError, LeaseLostError, *TRANSIENT_ERRORS):
        raise
    except Exception as error:  # noqa: BLE001 - whatever is wrong with these rows, the next interval's are compared
        return Compared([f"its rows can not be read: {type(error).__name__}: {error}"])
    return replace(compared, differences=compared.differences + own, lines=len(rows.lines))


async def compare_interval(chain: ChainClient, rows: IntervalRows) -> Compared:
    """How the commitments to one closed interval differ between chain and database, field by field.

    Equal roots and a finished cursor make every line that the chain moved one that we committed to; that our rows are
    still those is for ``books`` to say.
    """
    start_s = rows.start_s
    attested, minted = await onchain.attested(chain, start_s), await onchain.minted(chain, start_s)
    settled = await onchain.settlement(chain, start_s)
    differences = _or_missing("attestation", onchain.differences_attested(attested, rows))
    differences += _or_missing("minted energy", onchain.differences_minted(minted, rows))
    if minted is not None and not minted.burned:
        differences.append("the interval's energy was not burned")
    if settled is not None and settled.status == onchain.ABORTED and not rows.facts["line_count"]:
        alarm = by_settler(settled.closed_at_s, to_s(rows.facts["end_at"]))
        note = f"{told(settled)}; {EARLY}" if alarm else told(settled)
        return Compared(differences + _differences_returned(settled), [note], alarm)
    differences += _or_missing("settlement", onchain.differences_settled(settled, rows))
    if settled is not None:
        differences += _differences_closed(settled, rows)
    return Compared(differences)


def _differences_returned(settled: Any) -> list[str]:
    """Of what an aborted settlement has moved, nothing may be left."""
    left = {"escrow_micros": settled.escrow_micros, "lines not returned": settled.cursor - settled.returned_count}
    left |= {name: getattr(settled, name) for name in ("settled_credit_micros", "settled_debit_micros")}
    return [f"its settlement was aborted, and {name} are {value} on the chain" for name, value in left.items() if value]


def _or_missing(what: str, differences: list[str] | None) -> list[str]:
    return [f"there is no {what} on the chain"] if differences is None else differences


def _differences_closed(settled: Any, rows: IntervalRows) -> list[str]:
    facts = rows.facts
    status = onchain.CLOSED if facts["line_count"] else onchain.EMPTY
    expected = {"cursor": facts["line_count"], "escrow_micros": 0}
    if facts["line_count"]:
        expected |= {f"settled_{name}": facts[name] for name in ("sold_wh", "bought_wh", "credit_micros")}
        expected["settled_debit_micros"] = facts["debit_micros"]
    found = [("status", onchain.STATUSES.get(settled.status), onchain.STATUSES[status])]
    found += [(name, getattr(settled, name), value) for name, value in expected.items()]
    if facts["line_count"]:
        found += [(name, getattr(settled.rates, name), facts[name]) for name in RATES]
    return [f"{name} is {theirs} on the chain and {ours} here" for name, theirs, ours in found if theirs != ours]


async def compare_sums(chain: ChainClient, charges_micros: int) -> Sums:
    """Balances and escrows in the pool; all charges in the vaults or collected; minted - burned = supply.

    Anybody may send money to pool and vaults, so that these may hold more than they must, and never less.
    """
    market = await chain.account("trading", "Market", pdas.market(), commitment=Finalized)
    accounts = await chain.all_accounts("trading", "Account", commitment=Finalized)
    escrows = 0
    for status in (onchain.OPEN, onchain.RETURNING):
        found = await chain.all_accounts(
            "trading", "IntervalSettlement", where={"status": status}, commitment=Finalized
        )
        escrows += sum(one.escrow_micros for _, one in found)
    energy = await chain.account("energy_token", "State", pdas.energy_state(), commitment=Finalized)
    pool = await chain.token_balance(pdas.currency_pool(), commitment=Finalized)
    vaults = [await chain.token_balance(pdas.vault(name), commitment=Finalized) for name in VAULTS]
    supply = await chain.token_supply(pdas.energy_mint(), commitment=Finalized)
    balances = sum(account.balance_micros for _, account in accounts)
    kept = max(market.charges_total_micros - market.collected_total_micros, 0)
    equal = [
        ("balances and escrows", balances + escrows, "the market's total", market.accounts_total_micros),
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
