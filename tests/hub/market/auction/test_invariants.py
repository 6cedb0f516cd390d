"""Every invariant finds its breach: a sound outcome is changed in one place at a time."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from hub.market.auction import invariants
from hub.market.auction.invariants import MarketHaltedError, Outcome
from hub.market.auction.run import run_auction
from hub.market.orders import Side, Trade, debit
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


def changed_order(number: int, **changes: object) -> Callable[[Outcome], Outcome]:
    """Changes the bid (0) or the ask (1) of the first trade, everywhere where it stands."""

    def change(outcome: Outcome) -> Outcome:
        trade = outcome.clearing.trades[0]
        order_id = (trade.bid_order_id, trade.ask_order_id)[number]
        orders = [replace(o, **changes) if o.order_id == order_id else o for o in outcome.orders]  # type: ignore[arg-type]
        return replace(outcome, orders=orders)

    return change


def other_price(outcome: Outcome) -> Outcome:
    """The trades keep their price, which is not the clearing's."""
    return replace(outcome, clearing=replace(outcome.clearing, price_mills=PriceMills(4121)))


def wrong_fill(outcome: Outcome) -> Outcome:
    first, *rest = outcome.clearing.fills
    fills = (replace(first, wh=Wh(first.wh - 1)), *rest)
    return replace(outcome, clearing=replace(outcome.clearing, fills=fills))


def lost_fill(outcome: Outcome) -> Outcome:
    return replace(outcome, clearing=replace(outcome.clearing, fills=outcome.clearing.fills[1:]))


def a_strangers_line(outcome: Outcome) -> Outcome:
    stranger = replace(outcome.utility[0], participant_id=UUID(int=77), utility_wh=Wh(-1))
    return replace(outcome, utility=(*outcome.utility, stranger))


def test_a_sound_outcome_passes() -> None:
    invariants.check(SOUND)


def test_energy_is_summed_over_entries() -> None:
    a, *rest = SOUND.metered
    split = [replace(a, import_wh=Wh(0)), replace(a, export_wh=Wh(0)), *rest]
    invariants.check(replace(SOUND, metered=split))


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (changed_trade(price_mills=PriceMills(4121)), "nobody trades beyond their limit"),
        (changed_trade(price_mills=PriceMills(4119)), "nobody trades beyond their limit"),
        (changed_trade(seller_id=SOUND.clearing.trades[0].buyer_id), "nobody meets themselves"),
        (changed_trade(seller_id=UUID(int=77)), "a trade follows its orders"),
        (changed_trade(buyer_id=UUID(int=77)), "a trade follows its orders"),
        (changed_order(0, side=Side.ASK), "a trade follows its orders"),
        (changed_order(1, side=Side.BID), "a trade follows its orders"),
        (changed_order(0, participant_id=UUID(int=77)), "a trade follows its orders"),
        (changed_order(1, participant_id=UUID(int=77)), "a trade follows its orders"),
        (changed_order(0, limit_mills=PriceMills(4119)), "nobody trades beyond their limit"),
        (changed_order(1, limit_mills=PriceMills(4121)), "nobody trades beyond their limit"),
        (other_price, "nobody trades beyond their limit"),
        (changed_order(0, wh=Wh(399)), "filled \\+ lapsed = original"),
        (wrong_fill, "filled \\+ lapsed = original"),
        (lost_fill, "filled \\+ lapsed = original"),
        (a_strangers_line, "export - import = sold - bought \\+ utility"),
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
    with pytest.raises(MarketHaltedError, match=rule) as halted:
        invariants.check(change(SOUND))
    assert halted.value.code == "market_halted"


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
    with pytest.raises(MarketHaltedError, match="owes 1700000 of 0"):
        invariants.check_exposure(SOUND, {})
