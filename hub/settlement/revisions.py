"""Attests corrections on the chain: every revision after the first, when the one before it is final there.

Money does not wait for it: the revision decides the bill. To send one twice is harmless: the program takes each once.
"""

from dataclasses import asdict, dataclass

import structlog

from hub.chain.client import ChainClient
from hub.chain.errors import ProgramError
from hub.chain.instructions import oracle
from hub.chain.quorum import ask_quorum
from hub.clock import Clock, rfc3339_s
from hub.postgres.db import Pool
from hub.postgres.lease import Lease, guard
from hub.settlement import onchain, repository
from hub.settlement.fees import PriorityFees
from hub.settlement.keys import SettlementKeys

REVISIONS_A_ROUND = 20

log = structlog.get_logger()


@dataclass(frozen=True)
class RevisionSender:
    """Sends revisions under one leader's lease, with its keys."""

    pool: Pool
    lease: Lease
    clock: Clock
    chain: ChainClient
    keys: SettlementKeys
    fees: PriorityFees

    async def send_due(self, *, limit: int = REVISIONS_A_ROUND) -> list[tuple[int, int]]:
        """Sends at most ``limit`` revisions, oldest interval first; returns (start in s, revision) of those now final.

        A revision that the program refuses for good, as after its time, is recorded as refused and not sent again.

        Raises:
            ChainUnreachableError: the chain does not answer; the next call goes on.
            ConflictError: the chain holds another revision of this number.
            LeaseLostError: another process leads.
        """
        async with self.pool.acquire() as connection:
            due = await repository.due_revisions(connection, limit)
        price_micro_lamports = await self.fees.offer(self.chain) if due else 0
        final: list[tuple[int, int]] = []
        for attestation in due:
            refusal = await self._attest(attestation, price_micro_lamports)
            async with self.pool.acquire() as connection, connection.transaction():
                await guard(connection, self.lease)
                await repository.record_revision(
                    connection, attestation.start_s, attestation.revision, self.clock.now_ms(), refusal
                )
            if refusal is None:
                final.append((attestation.start_s, attestation.revision))
        return final

    async def _attest(self, attestation: oracle.Attestation, price_micro_lamports: int) -> str | None:
        """Returns None when the revision is final on the chain; otherwise why the program refuses it for good."""
        if await self._is_final(attestation):
            return None
        payer, attestors = self.keys.fee_payer, self.keys.attestors
        instruction = oracle.attest(payer.pubkey(), [key.pubkey() for key in attestors], attestation)
        try:
            await self.chain.run([instruction], [payer, *attestors], price_micro_lamports=price_micro_lamports)
        except ProgramError as error:
            if await self._is_final(attestation):
                return None
            log.warning("a revision is refused", start_at=rfc3339_s(attestation.start_s), reason=str(error))
            return str(error)
        return None

    async def _is_final(self, attestation: oracle.Attestation) -> bool:
        """Asks a quorum of the nodes."""

        async def there(view: ChainClient) -> bool:
            account = await onchain.read_attestation(view, attestation.start_s, attestation.revision)
            differences = onchain.attestation_differences(account, asdict(attestation))
            if differences:
                raise onchain.ConflictError(
                    f"The chain's {what} is not ours ({'; '.join(differences)}): a person has to look"
                )
            return differences is not None

        what = f"revision {attestation.revision} of interval {rfc3339_s(attestation.start_s)}"
        return await ask_quorum(self.chain, there, what)
