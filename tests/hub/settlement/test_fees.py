"""Priority fees: what three of four blocks would have taken, and the bounds of the offer."""

import pytest

from hub.chain.client import ChainClient
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
