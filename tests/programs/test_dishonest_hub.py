"""A dishonest hub has the settler's key and attests what it likes; it can move what mandates allow, and no more.

What it did is found from outside: by anybody with what is public, or by the participant whom it concerns.
"""

from dataclasses import replace

import pytest

from hub.audit.audit import PUBLIC_CHECKS
from hub.audit.checks import Verdict
from support.programs.campus_chain import INTERVAL_S
from support.programs.chain_lines import ChainLine, changed
from support.programs.dishonest_acts import DISHONEST_ACTS, HONEST, DishonestAct, bought_of_mallory
from support.programs.dishonest_hub import Stage
from support.programs.market_chain import Exchange
from support.programs.svm import START

DAY_LIMIT = 1_000_000
MAX_DEBIT, MAX_PRICE, MIN_PRICE = 8_000_000, 5_000, 2_000
"""What everybody on the stage has signed for an interval."""


def robbery(exchange: Exchange, start: int, micros: int, wh: int) -> str | None:
    """Makes the victim buy from the accomplice; the refusal's name, or None when it went through."""
    chain, signers = exchange.chain, [exchange.settler]
    victim, thief = exchange.traders["victim"], exchange.traders["thief"]
    lines = [
        ChainLine(victim.wallet, bought_wh=wh, debit_micros=micros),
        ChainLine(thief.wallet, sold_wh=wh, credit_micros=micros - 130 * wh),
    ]
    exchange.attest_and_open(start, lines, export_wh=wh)
    outcome = chain.send(exchange.settle(start, 0, lines), signers=signers)
    if outcome.error is None:
        chain.ok(exchange.close(start), signers=signers)
    return outcome.error


def test_a_day_of_robbery_takes_the_days_limit(exchange: Exchange) -> None:
    exchange.ready("thief", max_wh=10_000)
    victim = exchange.ready("victim", max_day_debit_micros=DAY_LIMIT, max_debit_micros=400_000, max_wh=100)
    errors = [robbery(exchange, START + n * INTERVAL_S, 400_000, 100) for n in range(4)]
    assert errors == [None, None, "MandateExceededDay", "MandateExceededDay"]
    assert robbery(exchange, START + 4 * INTERVAL_S, 200_000, 50) is None
    assert robbery(exchange, START + 5 * INTERVAL_S, 100_000, 25) == "MandateExceededDay"
    assert exchange.balance(victim) == 10_000_000 - DAY_LIMIT
    exchange.check_books(*(START + n * INTERVAL_S for n in range(6)))


def test_a_receiver_is_held_to_the_mandate(exchange: Exchange) -> None:
    chain, signers = exchange.chain, [exchange.settler]
    buyer, seller = exchange.ready("buyer"), exchange.ready("seller", min_price_mills=4_001)
    lines = [
        ChainLine(buyer.wallet, bought_wh=100, debit_micros=413_000),
        ChainLine(seller.wallet, sold_wh=100, credit_micros=400_000),
    ]
    exchange.attest_and_open(START, lines)
    chain.fails("MandateExceededMinPrice", exchange.settle(START, 0, lines), signers=signers)
    chain.ok(exchange.settle(START, 0, lines[:1]), signers=signers)
    chain.fails("MandateExceededMinPrice", exchange.settle(START, 1, lines[1:]), signers=signers)


def test_a_seller_is_never_sold_below_the_mandate(exchange: Exchange) -> None:
    chain, signers = exchange.chain, [exchange.settler]
    buyer, thief = exchange.ready("buyer"), exchange.ready("thief")
    seller = exchange.ready("seller", min_price_mills=4_000, max_wh=100)
    lines = [
        ChainLine(buyer.wallet, bought_wh=1_001, debit_micros=5_000 * 1_001),
        ChainLine(thief.wallet, sold_wh=1, credit_micros=4_870 * 1_001),
        ChainLine(seller.wallet, sold_wh=1_000),
    ]
    exchange.attest_and_open(START, lines)
    chain.ok(exchange.settle(START, 0, lines[:2]), signers=signers)
    chain.fails("MandateExceededEnergy", exchange.settle(START, 2, lines[2:]), signers=signers)
    few = changed(lines, 2, sold_wh=100)
    chain.fails("MandateExceededMinPrice", exchange.settle(START, 2, few[2:]), signers=signers)
    # and what the thief was credited does not leave before a close that never comes
    chain.fails("CreditOpen", exchange.withdraw(thief, 10_000_001), signers=[thief.key])
    chain.ok(exchange.abort(START), signers=signers)
    exchange.unwind(START, lines[:2])
    assert {exchange.balance(outcome) for outcome in (buyer, thief, seller)} == {10_000_000}


def test_a_payer_whose_mandate_is_gone_pays_nothing(exchange: Exchange) -> None:
    chain, signers = exchange.chain, [exchange.settler]
    buyer, seller = exchange.ready("buyer"), exchange.ready("seller")
    lines = [
        ChainLine(buyer.wallet, bought_wh=100, debit_micros=413_000),
        ChainLine(seller.wallet, sold_wh=100, credit_micros=400_000),
    ]
    exchange.attest_and_open(START, lines)
    for _ in range(4):
        chain.advance(2 * 86_400)
        exchange.mandate(buyer)
    chain.fails("MandateMissing", exchange.settle(START, 0, lines), signers=signers)
    exchange.check_books(START)


def test_nothing_is_found_of_an_honest_hub() -> None:
    stage = Stage.begin()
    statement = stage.honest()
    assert stage.play(statement) is None
    assert stage.gains() == HONEST
    unchecked = {"empty_without_trades"}
    assert {outcome.check for outcome in stage.results(statement) if outcome.verdict is not Verdict.OK} == unchecked
    for name in ("anna", "ben", "cleo"):
        assert {
            outcome.check for outcome in stage.results(statement, name) if outcome.verdict is not Verdict.OK
        } == unchecked


@pytest.mark.parametrize("act", DISHONEST_ACTS, ids=lambda act: act.title)
def test_a_deed_gets_what_mandates_allow_and_is_found(act: DishonestAct) -> None:
    stage = Stage.begin()
    result = act.play(stage)
    assert result.refused == act.refused
    assert stage.found(result.statement) == act.outsider
    assert {name: stage.found(result.statement, name) for name in act.participants} == act.participants
    if act.afterwards is not None:
        act.afterwards(stage, result.statement)
    assert stage.gains() == act.gains
    assert min(act.gains.values(), default=0) >= -MAX_DEBIT


@pytest.mark.parametrize(
    ("wh", "most", "one_more", "refusal"),
    [
        (1_601, MAX_DEBIT, MAX_DEBIT + 1, "MandateExceededDebit"),
        (346, 346 * MAX_PRICE, 346 * MAX_PRICE + 1, "MandateExceededMaxPrice"),
        (900, 900 * (MIN_PRICE + 130), 900 * (MIN_PRICE + 130) - 1, "MandateExceededMinPrice"),
    ],
)
def test_a_mandate_is_used_up_to_the_last_micro(wh: int, most: int, one_more: int, refusal: str) -> None:
    for debit, refused in ((one_more, refusal), (most, None)):
        stage = Stage.begin()
        lines = bought_of_mallory(stage, wh, debit)
        assert stage.play(replace(stage.honest(), lines=lines, hidden=True)) == refused
    assert stage.gains() == {"ben": -most, "mallory": most - 130 * wh}


def test_every_deed_is_refused_or_found() -> None:
    unseen = [
        act.title for act in DISHONEST_ACTS if not (act.refused or act.outsider or any(act.participants.values()))
    ]
    assert unseen == []
    assert {name for act in DISHONEST_ACTS for name in act.outsider} <= {check.name for check in PUBLIC_CHECKS}
