"""The worked example of the market's rules and its two variations, settled by the programs to the micro."""

import pytest

from support.market_chain import CLOSED
from support.settled_market import Settled, settle_on_svm


def check(settled: Settled, changes: dict[str, int], bought_wh: int, minted_wh: int) -> None:
    """Balances, vaults and energy after the close."""
    assert settled.changes == changes
    assert settled.vaults == {"wheeling": bought_wh * 100, "platform": bought_wh * 25, "loss": bought_wh * 5}
    assert sum(changes.values()) + sum(settled.vaults.values()) == 0
    assert (settled.minted_wh, settled.burned_wh) == (minted_wh, minted_wh)
    settlement = settled.exchange.settlement(settled.start)
    assert (settlement.status, settlement.cursor, settlement.escrow_micros) == (CLOSED, len(changes), 0)
    assert (settlement.settled_sold_wh, settlement.settled_bought_wh) == (bought_wh, bought_wh)


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_the_example(batch: int) -> None:
    lines = {
        "A": (900, 0, 3_036_000, 0),
        "B": (100, 600, 412_000, 1_878_000),
        "C": (0, 400, 0, 1_700_000),
    }
    settled = settle_on_svm(lines, 4_120, batch=batch)
    check(settled, {"A": 3_036_000, "B": -1_466_000, "C": -1_700_000}, bought_wh=1_000, minted_wh=1_000)
    settlement = settled.exchange.settlement(settled.start)
    assert (settlement.credit_micros, settlement.debit_micros) == (3_448_000, 3_578_000)
    assert settlement.clearing_price_mills == 4_120


def test_with_the_first_seller_estimated() -> None:
    lines = {
        "A": (600, 0, 600 * 3_000, 0),
        "B": (100, 600, 100 * 4_120, 600 * 3_130),
        "C": (0, 100, 0, 100 * 4_250),
    }
    settled = settle_on_svm(lines, 4_120, export_wh=0)
    check(settled, {"A": 1_800_000, "B": -1_466_000, "C": -425_000}, bought_wh=700, minted_wh=0)


def test_with_a_small_reserve() -> None:
    lines = {
        "A": (776, 0, 600 * 3_000 + 176 * 2_200, 0),
        "B": (59, 600, 59 * 2_200, 600 * 3_130),
        "C": (0, 235, 0, 235 * 2_330),
    }
    settled = settle_on_svm(lines, 2_200, terms={"C": {"reserve_micros": 1_000_000}})
    changes = {"A": 2_187_200, "B": 129_800 - 1_878_000, "C": -547_550}
    check(settled, changes, bought_wh=835, minted_wh=1_000)
