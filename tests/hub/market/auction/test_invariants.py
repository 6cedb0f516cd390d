"""Every invariant finds its breach: a sound outcome is changed in one place at a time."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from hub.market.auction import invariants
from hub.market.auction.invariants import MarketHaltedError, Outcome
from hub.market.auction.run import run_auction
from hub.market.orders import Trade, debit
from hub.units import PriceMills, Wh
from support.rows.worked_example import BASE_CASE, A, B

SOUND = run_auction(BASE_CASE)


def with_trades(outcome: Outcome, *trades: Trade) -> Outcome:
    return replace(outcome, clearing=replace(outcome.clearing, trades=trades))


def changed_trade(**changes: object) -> Callable[[Outcome], Outcome]:
    def change(outcome: Outcome) -> Outcome:
        first, *rest = outcome.clearing.trades
        return with_trades(outcome, replace(first, **changes), *rest)  # type: ignore[arg-type]

    return change


def changed_utility(outcome: Outcome) -> Outcome:
    first, *rest = outcome.utility
    return replace(outcome, utility=(replace(first, utility_wh=Wh(first.utility_wh + 1)), *rest))


def lost_trade(outcome: Outcome) -> Outcome:
    return with_trades(outcome, *outcome.clearing.trades[1:])


def doubled_trade(outcome: Outcome) -> Outcome:
    return with_trades(outcome, *outcome.clearing.trades, outcome.clearing.trades[0])


def estimated(outcome: Outcome) -> Outcome:
    metered = [replace(energy, valid=energy.participant_id != A) for energy in outcome.metered]
    return replace(outcome, metered=metered)


def wrong_volume(outcome: Outcome) -> Outcome:
    return replace(outcome, clearing=replace(outcome.clearing, volume_wh=Wh(399)))


def other_metered(outcome: Outcome) -> Outcome:
    return replace(outcome, metered=[*outcome.metered[:-1], replace(outcome.metered[-1], import_wh=Wh(801))])


def repeated_id(outcome: Outcome) -> Outcome:
    return replace(outcome, forward=[replace(outcome.forward[0], trade_id=outcome.clearing.trades[0].trade_id)])


def test_a_sound_outcome_passes() -> None:
    invariants.check(SOUND)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (changed_trade(price_mills=PriceMills(4121)), "nobody trades beyond their limit"),
        (changed_trade(price_mills=PriceMills(4119)), "nobody trades beyond their limit"),
        (changed_trade(seller_id=SOUND.clearing.trades[0].buyer_id), "nobody meets themselves"),
        (changed_trade(seller_id=UUID(int=77)), "a trade follows its orders"),
        (changed_trade(wh=Wh(1)), "filled \\+ lapsed = original"),
        (changed_trade(wh=Wh(10_000)), "filled \\+ lapsed = original"),
        (lost_trade, "filled \\+ lapsed = original"),
        (doubled_trade, "filled \\+ lapsed = original"),
        (wrong_volume, "volume = sum of trades"),
        (changed_utility, "export - import = sold - bought \\+ utility"),
        (other_metered, "export - import = sold - bought \\+ utility"),
        (estimated, "estimated energy never trades"),
        (repeated_id, "every trade has a name of its own"),
    ],
)
def test_a_breach_halts_the_market(change: Callable[[Outcome], Outcome], rule: str) -> None:
    with pytest.raises(MarketHaltedError, match=rule):
        invariants.check(change(SOUND))


def test_money_is_compared_with_the_charges(monkeypatch: pytest.MonkeyPatch) -> None:
    """A debit that is wrong by one micro is found."""
    monkeypatch.setattr("hub.market.auction.invariants.debit", lambda trade, charges: debit(trade, charges) + 1)
    with pytest.raises(MarketHaltedError, match="debits = credits \\+ charges"):
        invariants.check(SOUND)


def test_nobody_comes_to_owe_more_than_is_left() -> None:
    (buyer,) = {t.buyer_id for t in SOUND.clearing.trades}
    invariants.check_exposure(SOUND, {buyer: 1_700_000})
    with pytest.raises(MarketHaltedError, match="owes 1700000 of 1699999"):
        invariants.check_exposure(SOUND, {buyer: 1_699_999, B: 0})
