"""Chooses the priority fee of a settlement's transactions: what others paid lately, within the operator's bounds."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from hub.chain import pdas
from hub.chain.client import ChainClient
from hub.chain.errors import ChainRefusedError
from hub.observability import metrics

log = structlog.get_logger()


@dataclass(frozen=True)
class PriorityFees:
    """The bounds of the priority fee, in micro-lamports per compute unit.

    Without ``maximum`` the fee is always ``minimum``, and the chain is not asked.
    """

    minimum: int = 0
    maximum: int | None = None

    @property
    def cap(self) -> int:
        """The most that a transaction offers."""
        return self.minimum if self.maximum is None else max(self.minimum, self.maximum)

    async def offer(self, chain: ChainClient) -> int:
        """Returns the fee for the next interval's transactions; logs when others pay more than the cap.

        Raises:
            ChainUnreachableError: the chain does not answer.
        """
        if self.maximum is None:
            return self.minimum
        try:
            wanted = percentile_75(await chain.recent_fees([pdas.market()]))
        except ChainRefusedError:
            # the node does not have this method
            wanted = 0
        offered = min(max(wanted, self.minimum), self.cap)
        metrics.PRIORITY_FEE_WANTED.set(wanted)
        metrics.PRIORITY_FEE.set(offered)
        if wanted > self.cap:
            log.warning("fees are above the cap", wanted_micro_lamports=wanted, offered_micro_lamports=offered)
        return offered


def percentile_75(fees: Sequence[int]) -> int:
    """Returns the lowest fee that at least three of four blocks would have taken; 0 without any."""
    return sorted(fees)[(len(fees) - 1) * 3 // 4] if fees else 0
