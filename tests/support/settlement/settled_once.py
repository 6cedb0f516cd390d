"""Settles through nodes that fail, as a worker does, and checks that nobody paid twice."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from solana.rpc.commitment import Commitment, Confirmed, Finalized

from hub.chain import pdas
from hub.chain.client import ChainClient
from hub.chain.errors import ChainUnreachableError
from hub.clock import SystemClock, at_s
from hub.settlement.reconcile import reconcile_due
from support.rows.site_rows import end_leases, lead
from support.settlement.campus import SettlingCampus, wallet_of

TIME_LIMIT_S = 90
EACH_STEP_ONCE = {"finalized": 5}
"""attest, mint, open, settle and close, each signed once."""
SUMS = """
SELECT p.wallet, coalesce(sum(l.credit_micros - l.debit_micros), 0)::bigint
FROM participants p LEFT JOIN settlement_lines l USING (wallet) GROUP BY p.wallet
"""


@dataclass(frozen=True)
class WatchedCampus:
    """A campus and its balances before the test settled anything."""

    campus: SettlingCampus
    ledger: ChainClient
    """A client of the ledger itself, past the nodes."""
    before: dict[str, int]
    """Micros by wallet (base58)."""

    async def settle_until_closed(self, starts: Sequence[int]) -> None:
        """Runs rounds, each of a new worker, until these intervals are closed."""
        async with asyncio.timeout(TIME_LIMIT_S):
            while not await self.closed(starts):
                await self.settle_round()
                await asyncio.sleep(0.1)

    async def settle_round(self) -> list[int]:
        """Runs one round; returns the starts of the closed intervals, none when the chain does not answer."""
        try:
            return await (await self.campus.submitter()).settle_due()
        except ChainUnreachableError:
            return []

    async def closed(self, starts: Sequence[int]) -> bool:
        count = await self.campus.pool.fetchval(
            "SELECT count(*) FROM intervals WHERE start_at = ANY($1) AND state IN ('closed', 'reconciled')",
            [at_s(start_s) for start_s in starts],
        )
        return bool(count == len(starts))

    async def end_leases(self) -> None:
        """Ends the leases of killed leaders."""
        await end_leases(self.campus.pool)

    async def check_reconciled(self, starts: Sequence[int]) -> None:
        """Checks that the intervals reconcile by themselves, and that each line has moved its balance once."""
        campus = self.campus
        reconciled: set[int] = set()
        await self.end_leases()
        async with asyncio.timeout(TIME_LIMIT_S):
            while reconciled < set(starts):
                reconciled |= set(await self._reconcile())
        after = await _balances(campus, self.ledger, Finalized)
        moved = {wallet: balance - self.before[wallet] for wallet, balance in after.items()}
        assert moved == dict([tuple(row) for row in await campus.pool.fetch(SUMS)])
        wrong = "SELECT count(*) FROM settlements WHERE reconcile_report -> 'differences' <> '[]'::jsonb"
        assert await campus.pool.fetchval(wrong) == 0

    async def _reconcile(self) -> list[int]:
        try:
            return await reconcile_due(self.campus.pool, await lead(self.campus.pool), SystemClock(), self.campus.chain)
        except ChainUnreachableError:
            await asyncio.sleep(0.1)
            return []

    async def transactions(self) -> dict[str, int]:
        """Returns the number of transactions by state."""
        rows = await self.campus.pool.fetch("SELECT state, count(*) FROM blockchain_transactions GROUP BY state")
        return {row["state"]: row["count"] for row in rows}


@contextlib.asynccontextmanager
async def watch_campus(campus: SettlingCampus, *nodes: str) -> AsyncIterator[WatchedCampus]:
    """Makes the campus, whose client is one of the ledger itself, settle through these nodes."""
    ledger = campus.chain
    async with ChainClient(*nodes, timeout_s=1) as campus.chain:
        yield WatchedCampus(campus, ledger, await _balances(campus, ledger, Confirmed))


async def _balances(campus: SettlingCampus, ledger: ChainClient, commitment: Commitment) -> dict[str, int]:
    wallets = [wallet_of(person).pubkey() for person in campus.people]
    addresses = [pdas.account(wallet) for wallet in wallets]
    accounts = await ledger.accounts("trading", "Account", addresses, commitment=commitment)
    return {str(wallet): account.balance_micros for wallet, account in zip(wallets, accounts, strict=True) if account}
