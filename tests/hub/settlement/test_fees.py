"""Priority fees: what three of four blocks would have taken, and the bounds of the offer."""

from collections.abc import Sequence
from typing import cast

import pytest
from prometheus_client import REGISTRY
from solders.pubkey import Pubkey

from hub.chain import pdas
from hub.chain.client import ChainClient
from hub.chain.errors import ChainRefusedError
from hub.settlement.fees import PriorityFees, percentile_75
from support.servers.nodes import NO_CHAIN


@pytest.mark.parametrize(
    ("fees", "enough"), [([], 0), ([7], 7), ([0, 0, 0, 9], 0), ([0, 0, 5, 5, 5], 5), (list(range(21)), 15)]
)
def test_three_of_four_blocks_would_have_taken_it(fees: list[int], enough: int) -> None:
    assert percentile_75(fees) == enough
    assert percentile_75(sorted(fees, reverse=True)) == enough


def test_the_cap_is_never_below_what_is_always_offered() -> None:
    assert [PriorityFees(10).cap, PriorityFees(10, 50).cap, PriorityFees(50, 10).cap] == [10, 50, 50]


async def test_without_a_cap_nobody_is_asked() -> None:
    async with ChainClient(NO_CHAIN) as away:
        assert await PriorityFees(10).offer(away) == 10


class Blocks:
    """Recent blocks that took these fees for the market's account; None for a node without the method."""

    def __init__(self, fees: list[int] | None) -> None:
        self._fees = fees

    async def recent_fees(self, writable: Sequence[Pubkey]) -> list[int]:
        assert writable == [pdas.market()]
        if self._fees is None:
            raise ChainRefusedError("Method not found")
        return self._fees


@pytest.mark.parametrize(
    ("fees", "offered", "warns"),
    [([30], 30, False), ([50], 50, False), ([51], 50, True), ([9], 10, False), ([], 10, False), (None, 10, False)],
)
async def test_what_others_paid_is_offered_within_the_bounds(
    capsys: pytest.CaptureFixture[str], fees: list[int] | None, offered: int, *, warns: bool
) -> None:
    assert await PriorityFees(10, 50).offer(cast("ChainClient", Blocks(fees))) == offered
    wanted = fees[0] if fees else 0
    assert REGISTRY.get_sample_value("peerwatt_chain_priority_fee_wanted_micro_lamports") == wanted
    assert REGISTRY.get_sample_value("peerwatt_chain_priority_fee_micro_lamports") == offered
    assert ("fees are above the cap" in "".join(capsys.readouterr())) == warns
