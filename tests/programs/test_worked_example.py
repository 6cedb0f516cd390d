"""The worked example and its two variations: what rules and plan make of the chain's funds, settled to the micro."""

import pytest

from support.programs.market_chain import CLOSED, ENERGY_STATE
from support.programs.settled_market import PlayedCase
from support.rows.worked_example import EXAMPLES, Example


@pytest.mark.parametrize("batch", [1, 2, 3])
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)
def test_the_plan_is_settled_to_the_micro(example: Example, batch: int) -> None:
    played = PlayedCase.begin(example.inputs)
    assert played.funds() == example.inputs.funds
    made, price_mills = played.planned(minted_wh=example.minted_wh, batch_lines=batch)
    assert price_mills == example.price_mills
    before = played.balances()
    played.settle(made, price_mills)
    after = played.balances()
    assert {who: after[who] - before[who] for who in before} == {
        line.participant_id: line.credit_micros - line.debit_micros for line in example.lines
    }
    assert played.charges() == example.charges
    assert sum(after.values()) + sum(example.charges) == sum(before.values())
    settlement = played.exchange.settlement(made.start_s)
    assert (settlement.status, settlement.cursor, settlement.escrow_micros) == (CLOSED, len(example.lines), 0)
    assert settlement.settled_sold_wh == settlement.settled_bought_wh == sum(line.sold_wh for line in example.lines)
    assert settlement.clearing_price_mills == example.price_mills
    energy = played.exchange.chain.account("energy_token", ENERGY_STATE)
    assert (energy.minted_wh, energy.burned_wh) == (example.minted_wh, example.minted_wh)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)
def test_what_the_day_has_cost_stands_in_the_next_funds(example: Example) -> None:
    played = PlayedCase.begin(example.inputs)
    played.settle(*played.planned(minted_wh=example.minted_wh, batch_lines=3))
    spent = {who: funds.day_debit_micros for who, funds in played.funds().items()}
    assert spent == {line.participant_id: line.debit_micros for line in example.lines}
