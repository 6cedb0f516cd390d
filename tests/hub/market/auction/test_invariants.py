"""Every invariant catches the breach it is for: a sound outcome is bent in one place at a time."""

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


def bent_trade(**changes: object) -> Callable[[Outcome], Outcome]:
    def bend(outcome: Outcome) -> Outcome:
        first, *rest = outcome.clearing.trades
        return with_trades(outcome, replace(first, **changes), *rest)  # type: ignore[arg-type]

    return bend


def bent_utility(outcome: Outcome) -> Outcome:
    first, *rest = outcome.utility
    return replace(outcome, utility=(replace(first, utility_wh=Wh(first.utility_wh + 1)), *rest))


def lost_trade(outcome: Outcome) -> Outcome:
    return with_trades(outcome, *outcome.clearing.trades[1:])


def doubled_trade(outcome: Outcome) -> Outcome:
    return with_trades(outcome, *outcome.clearing.trades, outcome.clearing.trades[0])


def estimated(outcome: Outcome) -> Outcome:
    return replace(outcome, metered=[replace(m, valid=m.participant_id != A) for m in outcome.metered])


def wrong_volume(outcome: Outcome) -> Outcome:
    return replace(outcome, clearing=replace(outcome.clearing, volume_wh=Wh(399)))


def other_metered(outcome: Outcome) -> Outcome:
    return replace(outcome, metered=[*outcome.metered[:-1], replace(outcome.metered[-1], import_wh=Wh(801))])


def same_name(outcome: Outcome) -> Outcome:
    return replace(outcome, forward=[replace(outcome.forward[0], trade_id=outcome.clearing.trades[0].trade_id)])


def test_a_sound_outcome_passes() -> None:
    invariants.check(SOUND)


@pytest.mark.parametrize(
    ("bend", "rule"),
    [
        (bent_trade(price_mills=PriceMills(4121)), "nobody trades beyond their limit"),
        (bent_trade(price_mills=PriceMills(4119)), "nobody trades beyond their limit"),
        (bent_trade(seller_id=SOUND.clearing.trades[0].buyer_id), "nobody meets themselves"),
        (bent_trade(seller_id=UUID(int=77)), "a trade follows its orders"),
        (bent_trade(wh=Wh(1)), "filled \\+ lapsed = original"),
        (bent_trade(wh=Wh(10_000)), "filled \\+ lapsed = original"),
        (lost_trade, "filled \\+ lapsed = original"),
        (doubled_trade, "filled \\+ lapsed = original"),
        (wrong_volume, "volume = sum of trades"),
        (bent_utility, "export - import = sold - bought \\+ utility"),
        (other_metered, "export - import = sold - bought \\+ utility"),
        (estimated, "estimated energy never trades"),
        (same_name, "every trade has a name of its own"),
    ],
)
def test_a_breach_halts_the_market(bend: Callable[[Outcome], Outcome], rule: str) -> None:
    with pytest.raises(MarketHaltedError, match=rule):
        invariants.check(bend(SOUND))


def test_money_is_compared_with_the_charges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were a debit ever computed wrongly, by a single micro, this is where it shows."""
    monkeypatch.setattr("hub.market.auction.invariants.debit", lambda trade, charges: debit(trade, charges) + 1)
    with pytest.raises(MarketHaltedError, match="debits = credits \\+ charges"):
        invariants.check(SOUND)


def test_nobody_comes_to_owe_more_than_is_left() -> None:
    (buyer,) = {t.buyer_id for t in SOUND.clearing.trades}
    invariants.exposure(SOUND, {buyer: 1_700_000})
    with pytest.raises(MarketHaltedError, match="owes 1700000 of 1699999"):
        invariants.exposure(SOUND, {buyer: 1_699_999, B: 0})
