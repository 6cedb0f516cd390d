"""Settling through nodes that fail, as a worker does it, and the proof that nobody paid twice."""

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

PATIENT_S = 90
SUMS = """
SELECT p.wallet, coalesce(sum(l.credit_micros - l.debit_micros), 0)::bigint
FROM participants p LEFT JOIN settlement_lines l USING (wallet) GROUP BY p.wallet
"""


@dataclass(frozen=True)
class Watched:
    """A campus whose balances were written down before anything of this test was settled."""

    campus: SettlingCampus
    truth: ChainClient
    """Straight to the ledger."""
    before: dict[str, int]

    async def settle_until_closed(self, starts: Sequence[int]) -> None:
        """Rounds of a worker that is started anew for each, until these intervals are closed."""
        async with asyncio.timeout(PATIENT_S):
            while not await self.closed(starts):
                await self.settle_round()
                await asyncio.sleep(0.1)

    async def settle_round(self) -> list[int]:
        """One round; what is away is tried again in the next."""
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
        """Whoever led was killed."""
        await end_leases(self.campus.pool)

    async def reconciled_to_the_micro(self, starts: Sequence[int]) -> None:
        """No difference, by itself; and every balance moved by its lines once."""
        campus = self.campus
        agreed: set[int] = set()
        await self.end_leases()
        async with asyncio.timeout(PATIENT_S):
            while agreed < set(starts):
                agreed |= set(await self._reconcile())
        moved = {
            who: after - self.before[who] for who, after in (await _balances(campus, self.truth, Finalized)).items()
        }
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
        """How many there are in each state."""
        rows = await self.campus.pool.fetch("SELECT state, count(*) FROM blockchain_transactions GROUP BY state")
        return {row["state"]: row["count"] for row in rows}


@contextlib.asynccontextmanager
async def watched(campus: SettlingCampus, *nodes: str) -> AsyncIterator[Watched]:
    """The campus settles through these nodes; its chain before was a client of the ledger itself."""
    truth = campus.chain
    async with ChainClient(*nodes, timeout_s=1) as campus.chain:
        yield Watched(campus, truth, await _balances(campus, truth, Confirmed))


async def _balances(campus: SettlingCampus, truth: ChainClient, commitment: Commitment) -> dict[str, int]:
    wallets = [wallet_of(person).pubkey() for person in campus.people]
    accounts = await truth.accounts("trading", "Account", [pdas.account(one) for one in wallets], commitment=commitment)
    return {str(wallet): account.balance_micros for wallet, account in zip(wallets, accounts, strict=True) if account}
