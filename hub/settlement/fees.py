"""The priority fee that a settlement's transactions offer: what others paid lately, within the operator's bounds."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from hub.chain import pdas
from hub.chain.client import ChainClient
from hub.chain.errors import ChainRefusedError
from hub.observability import metrics

log = structlog.get_logger()


@dataclass(frozen=True)
class Fees:
    """Micro-lamports per compute unit. Without ``most`` it is always ``least``, and nobody is asked."""

    least: int = 0
    most: int | None = None

    @property
    def cap(self) -> int:
        """No transaction offers more, whatever the nodes say."""
        return self.least if self.most is None else max(self.least, self.most)

    async def offer(self, chain: ChainClient) -> int:
        """For the next interval's transactions; a spike above the cap is said, and the cap is offered.

        Raises:
            ChainUnreachableError: no answer.
        """
        if self.most is None:
            return self.least
        try:
            wanted = usual(await chain.recent_fees([pdas.market()]))
        except ChainRefusedError:
            # a node without this method
            wanted = 0
        offered = min(max(wanted, self.least), self.cap)
        metrics.PRIORITY_FEE_WANTED.set(wanted)
        metrics.PRIORITY_FEE.set(offered)
        if wanted > self.cap:
            log.warning("fees are above the cap", wanted_micro_lamports=wanted, offered_micro_lamports=offered)
        return offered


def usual(fees: Sequence[int]) -> int:
    """What three of four of the last blocks would have taken."""
    return sorted(fees)[(len(fees) - 1) * 3 // 4] if fees else 0
