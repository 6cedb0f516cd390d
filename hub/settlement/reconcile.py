"""Compares the database with finalised accounts, to the micro and the Wh: each closed interval, and sums over all.

Only an interval without a difference becomes `reconciled`.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

from solana.rpc.commitment import Finalized

from hub.chain import pdas
from hub.chain.client import ChainClient
from hub.chain.errors import ChainUnreachableError, NodesDisagreeError
from hub.chain.quorum import ask_quorum
from hub.clock import Clock, rfc3339_s, to_s
from hub.errors import PermanentError
from hub.live import outbox
from hub.postgres.db import TRANSIENT_ERRORS, Pool
from hub.postgres.lease import Lease, LeaseLostError, guard
from hub.settlement import onchain, repository, row_audit
from hub.settlement.abort import EARLY, aborted_by_settler, describe_aborted
from hub.settlement.deferred import DeferredIntervals
from hub.settlement.repository import IntervalRows

VAULTS = ("wheeling", "platform", "loss")
RATES = ("wheeling_mills", "platform_mills", "loss_mills", "export_tariff_mills", "import_tariff_mills")
SUMS_TRIES, SUMS_PAUSE_S = 5, 1.0


@dataclass(frozen=True)
class Report:
    """The result of comparing all closed intervals: every difference and note, in words.

    A note is nobody's loss: money that was sent to the pool or a vault, or a settlement that was aborted and returned.
    """

    checked: int
    differences: list[str]
    notes: list[str]


@dataclass(frozen=True)
class SumsComparison:
    """The result of comparing the sums over all intervals, in words as in a report."""

    differences: list[str]
    notes: list[str]


@dataclass(frozen=True)
class IntervalComparison:
    """The result of comparing one interval, in words as in a report."""

    differences: list[str]
    notes: list[str] = field(default_factory=list)
    alarm: bool = False
    """Whether a person has to look into a note."""
    lines: int = 0


class DifferenceError(PermanentError):
    """The chain and the database differ on an interval."""

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
    """Reconciles at most ``limit`` closed intervals; returns the starts of those without a difference.

    An interval with a difference is ``deferred`` with its report stored, and compared again later.

    Raises:
        ChainUnreachableError: too few nodes answer.
        LeaseLostError: another process leads.
        asyncpg.PostgresError: the database does not answer.
        OSError: the same.
    """
    deferred = deferred or DeferredIntervals()
    async with pool.acquire() as connection:
        starts = await repository.interval_starts(connection, ["closed"], limit, except_for=deferred.not_due(clock))
    reconciled = []
    for start_s in starts:
        try:
            comparison = await _compare(pool, chain, start_s)
        except NodesDisagreeError as error:
            deferred.defer(start_s, error, clock)
            continue
        if comparison.differences:
            deferred.defer(start_s, DifferenceError("; ".join(comparison.differences)), clock)
        else:
            deferred.finish(start_s)
        report = {
            "checked_at_ms": clock.now_ms(),
            "differences": comparison.differences,
            "notes": comparison.notes,
            "alarm": comparison.alarm,
        }
        async with pool.acquire() as connection, connection.transaction():
            await guard(connection, lease)
            if await repository.record_reconciled(connection, start_s, report, clock.now_ms()):
                payload = {"start_at": rfc3339_s(start_s), "lines": comparison.lines}
                await outbox.append(connection, "reconciled", payload)
                reconciled.append(start_s)
    return reconciled


async def compare_all(pool: Pool, chain: ChainClient, *, page: int = 1000) -> Report:
    """Compares every closed interval, ``page`` at a time, and the sums over all of them.

    Raises:
        ChainUnreachableError: too few nodes answer.
        NodesDisagreeError: the nodes do not agree.
    """
    checked, differences, notes = 0, [], []
    async for start_s in _closed(pool, page):
        checked += 1
        comparison, name = await _compare(pool, chain, start_s), f"interval {rfc3339_s(start_s)}"
        differences += [f"{name}: {difference}" for difference in comparison.differences]
        notes += [f"{name}: {note}" for note in comparison.notes]
    sums = await compare_sums_repeatedly(pool, chain)
    return Report(checked, differences + sums.differences, notes + sums.notes)


async def _closed(pool: Pool, page: int) -> AsyncIterator[int]:
    last_s = -1
    while True:
        async with pool.acquire() as connection:
            starts = await repository.interval_starts(connection, ["closed", "reconciled"], page, after_s=last_s)
        for start_s in starts:
            yield start_s
        if len(starts) < page:
            return
        last_s = starts[-1]


async def compare_sums_repeatedly(pool: Pool, chain: ChainClient) -> SumsComparison:
    """Compares the sums again until they agree, at most ``SUMS_TRIES`` times.

    The sums are read one after the other, and a settlement in progress may move money in between.

    Raises:
        ChainUnreachableError: too few nodes answer.
        NodesDisagreeError: the nodes do not agree.
    """
    for _ in range(SUMS_TRIES - 1):
        sums = await _compare_sums(pool, chain)
        if not sums.differences:
            return sums
        await asyncio.sleep(SUMS_PAUSE_S)
    return await _compare_sums(pool, chain)


async def _compare_sums(pool: Pool, chain: ChainClient) -> SumsComparison:
    async with pool.acquire() as connection:
        charges_micros = await repository.closed_charges_micros(connection)
    return await ask_quorum(chain, lambda view: compare_sums(view, charges_micros), "the sums over all intervals")


async def _compare(pool: Pool, chain: ChainClient, start_s: int) -> IntervalComparison:
    """Compares one interval with what a quorum of the nodes holds; rows that can not be read are a difference too."""
    try:
        async with pool.acquire() as connection:
            rows = await repository.interval_rows(connection, start_s)
        what = f"interval {rfc3339_s(start_s)}"
        comparison = await ask_quorum(chain, lambda view: compare_interval(view, rows), what)
        async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            row_differences = await row_audit.differences(connection, rows)
    except (ChainUnreachableError, NodesDisagreeError, LeaseLostError, *TRANSIENT_ERRORS):
        raise
    except Exception as error:  # noqa: BLE001 - whatever is wrong with these rows, the next interval's are compared
        return IntervalComparison([f"its rows can not be read: {type(error).__name__}: {error}"])
    return replace(comparison, differences=comparison.differences + row_differences, lines=len(rows.lines))


async def compare_interval(chain: ChainClient, rows: IntervalRows) -> IntervalComparison:
    """Compares the commitments of one closed interval between chain and database, field by field.

    With equal roots and all lines settled, the chain has moved what was committed to. Whether the rows still agree with
    the commitments is for ``row_audit``.
    """
    start_s = rows.start_s
    attestation = await onchain.read_attestation(chain, start_s)
    minted = await onchain.read_minted_interval(chain, start_s)
    settlement = await onchain.read_settlement(chain, start_s)
    differences = _or_missing("attestation", onchain.attestation_differences(attestation, rows.interval))
    differences += _or_missing("minted energy", onchain.mint_differences(minted, attestation, rows))
    if minted is not None and not minted.burned:
        differences.append("the interval's energy was not burned")
    if settlement is not None and settlement.status == onchain.ABORTED and not rows.interval["line_count"]:
        alarm = aborted_by_settler(settlement.closed_at_s, to_s(rows.interval["end_at"]))
        note = f"{describe_aborted(settlement)}; {EARLY}" if alarm else describe_aborted(settlement)
        return IntervalComparison(differences + _return_differences(settlement), [note], alarm)
    differences += _or_missing("settlement", onchain.commitment_differences(settlement, rows))
    if settlement is not None:
        differences += _close_differences(settlement, rows)
    return IntervalComparison(differences)


def _return_differences(settlement: Any) -> list[str]:
    """Checks that nothing is left of what an aborted settlement has moved."""
    left = {
        "escrow_micros": settlement.escrow_micros,
        "lines not returned": settlement.cursor - settlement.returned_count,
    }
    left |= {name: getattr(settlement, name) for name in ("settled_credit_micros", "settled_debit_micros")}
    return [f"its settlement was aborted, and {name} are {value} on the chain" for name, value in left.items() if value]


def _or_missing(what: str, differences: list[str] | None) -> list[str]:
    return [f"there is no {what} on the chain"] if differences is None else differences


def _close_differences(settlement: Any, rows: IntervalRows) -> list[str]:
    interval = rows.interval
    status = onchain.CLOSED if interval["line_count"] else onchain.EMPTY
    expected = {"cursor": interval["line_count"], "escrow_micros": 0}
    if interval["line_count"]:
        expected |= {f"settled_{name}": interval[name] for name in ("sold_wh", "bought_wh", "credit_micros")}
        expected["settled_debit_micros"] = interval["debit_micros"]
    pairs = [("status", onchain.STATUSES.get(settlement.status), onchain.STATUSES[status])]
    pairs += [(name, getattr(settlement, name), value) for name, value in expected.items()]
    if interval["line_count"]:
        pairs += [(name, getattr(settlement.rates, name), interval[name]) for name in RATES]
    return [f"{name} is {theirs} on the chain and {ours} here" for name, theirs, ours in pairs if theirs != ours]


async def compare_sums(chain: ChainClient, charges_micros: int) -> SumsComparison:
    """Compares sums over all accounts; ``charges_micros`` are the charges of all closed intervals in the database.

    The pool must hold balances and escrows, the vaults the charges that are not collected; minted - burned = supply.
    Anybody may send money to pool and vaults: if they hold more, that is a note.

    Raises:
        ChainUnreachableError: the chain does not answer.
    """
    market = await chain.account("trading", "Market", pdas.market(), commitment=Finalized)
    accounts = await chain.all_accounts("trading", "Account", commitment=Finalized)
    escrows = 0
    for status in (onchain.OPEN, onchain.RETURNING):
        settlements = await chain.all_accounts(
            "trading", "IntervalSettlement", where={"status": status}, commitment=Finalized
        )
        escrows += sum(settlement.escrow_micros for _, settlement in settlements)
    energy = await chain.account("energy_token", "State", pdas.energy_state(), commitment=Finalized)
    pool = await chain.token_balance(pdas.currency_pool(), commitment=Finalized)
    vaults = [await chain.token_balance(pdas.vault(name), commitment=Finalized) for name in VAULTS]
    supply = await chain.token_supply(pdas.energy_mint(), commitment=Finalized)
    balances = sum(account.balance_micros for _, account in accounts)
    not_collected = max(market.charges_total_micros - market.collected_total_micros, 0)
    equal = [
        ("balances and escrows", balances + escrows, "the market's total", market.accounts_total_micros),
        ("the market's charges", market.charges_total_micros, "the charges of all closed intervals", charges_micros),
        ("energy minted and not burned", energy.minted_wh - energy.burned_wh, "the token's supply", supply),
    ]
    at_least = [
        ("the pool", pool, "the market's total", market.accounts_total_micros),
        ("the vaults", sum(vaults), "the market's charges not collected", not_collected),
    ]
    return SumsComparison(
        [f"{a} are {x}, {b} {y}" for a, x, b, y in equal if x != y]
        + [f"{y - x} micros are missing in {a}: {x} there, {b} {y}" for a, x, b, y in at_least if x < y],
        [f"{x - y} micros more in {a} than {b}: somebody sent them there" for a, x, b, y in at_least if x > y],
    )
