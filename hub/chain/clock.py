"""Compares this machine's clock with the chain's, in the one direction in which the chain can tell.

A block's time is never ahead of the true time, so a clock that is behind it is wrong. A block that is old says nothing:
an idle ledger makes none, and a validator may lag.
"""

from dataclasses import dataclass

from solana.rpc.commitment import Finalized

from hub.chain.client import ChainClient
from hub.clock import Clock
from hub.errors import HubError

MAX_BEHIND_S = 30
"""As much as an embedded ledger's clock may be off; the clocks of Solana's clusters are closer to the time of day."""
ASK_AGAIN_MS = 10_000


async def seconds_behind(chain: ChainClient, clock: Clock) -> int:
    """Returns by how many seconds the clock is behind the newest final block; 0 when it is not.

    Raises:
        ChainUnreachableError: the chain does not answer.
    """
    answer = await chain.call(chain.rpc.get_slot(Finalized))
    chain_s = await chain.block_time_s(answer.value)
    return 0 if chain_s is None else max(0, chain_s - clock.now_ms() // 1000)


@dataclass
class ChainClock:
    """How far a clock is behind the chain's, for work that goes on while the chain does not answer.

    The chain is asked again after ``ASK_AGAIN_MS``, and at once when the clock was set back or far ahead.
    """

    chain: ChainClient
    clock: Clock
    _asked_ms: int | None = None
    _behind_s: int = 0

    async def seconds_behind(self) -> int:
        """Returns by how many seconds the clock is behind; 0 when it is not, or nobody can tell now."""
        now_ms = self.clock.now_ms()
        if self._asked_ms is None or not 0 <= now_ms - self._asked_ms < ASK_AGAIN_MS:
            try:
                self._behind_s = await seconds_behind(self.chain, self.clock)
            except HubError:
                self._behind_s = 0
            self._asked_ms = now_ms
        return self._behind_s
