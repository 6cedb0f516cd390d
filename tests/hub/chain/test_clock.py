"""How far a clock is behind the chain's: asked now and then, at once after a step, and never a reason to stop alone."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from solana.rpc.commitment import Finalized

from hub.chain.client import ChainClient
from hub.chain.clock import ASK_AGAIN_MS, ChainClock, seconds_behind
from hub.chain.errors import ChainUnreachableError
from hub.clock import ManualClock, SystemClock
from support.servers.nodes import NO_CHAIN

NOW_S = 1_780_308_000


class Chain:
    """A chain whose newest final block has this time; it counts how often it was asked."""

    def __init__(self, time_s: int | None) -> None:
        self.time_s, self.asked = time_s, 0
        self.rpc = SimpleNamespace(get_slot=lambda _: 7)

    @property
    def client(self) -> ChainClient:
        return cast("ChainClient", self)

    async def call(self, answer: Any) -> Any:
        self.asked += 1
        return SimpleNamespace(value=answer)

    async def block_time_s(self, _: int) -> int | None:
        if self.time_s == 0:
            raise ChainUnreachableError("away")
        return self.time_s


@pytest.mark.parametrize(("chain_s", "behind"), [(NOW_S + 31, 31), (NOW_S, 0), (NOW_S - 9999, 0), (None, 0), (0, 0)])
async def test_only_a_clock_behind_the_newest_block_is_known_to_be_wrong(chain_s: int | None, behind: int) -> None:
    """An old block, a node that keeps no times and one that is away say nothing."""
    assert await ChainClock(Chain(chain_s).client, ManualClock(NOW_S * 1000)).seconds_behind() == behind


async def test_the_chain_is_asked_now_and_then_and_after_a_step() -> None:
    chain, clock = Chain(NOW_S + 100), ManualClock(NOW_S * 1000)
    chain_clock = ChainClock(chain.client, clock)
    for step_ms, asked in ((0, 1), (ASK_AGAIN_MS - 1, 1), (1, 2), (-1, 3), (3_600_000, 4), (-3_600_000, 5)):
        clock.advance(step_ms)
        await chain_clock.seconds_behind()
        assert chain.asked == asked
    clock.ms = (NOW_S + 3600) * 1000
    assert await chain_clock.seconds_behind() == 0


async def test_a_chain_that_is_away_is_left_alone_for_a_while_too() -> None:
    chain, clock = Chain(0), ManualClock(NOW_S * 1000)
    chain_clock = ChainClock(chain.client, clock)
    for _ in range(3):
        assert await chain_clock.seconds_behind() == 0
    assert chain.asked == 1


async def test_no_chain_at_all() -> None:
    async with ChainClient(NO_CHAIN) as chain:
        assert await ChainClock(chain, SystemClock()).seconds_behind() == 0
        with pytest.raises(ChainUnreachableError):
            await seconds_behind(chain, SystemClock())


async def test_a_real_chain_tells_a_clock_that_is_behind_its_newest_block(chain: ChainClient) -> None:
    newest_s = await chain.block_time_s((await chain.call(chain.rpc.get_slot(Finalized))).value)
    assert newest_s is not None
    assert await ChainClock(chain, ManualClock((newest_s - 60) * 1000)).seconds_behind() >= 60
    assert await ChainClock(chain, SystemClock()).seconds_behind() == 0
