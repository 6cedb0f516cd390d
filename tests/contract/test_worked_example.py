"""The worked example of the market's rules and both variations, to exactly those lines, on the pure path."""

import pytest

from hub.demo import ground_truth
from hub.demo.true_energy import MeterTruth
from hub.market.auction.residuals import positions
from hub.market.auction.run import run_auction
from hub.settlement.plan import plan
from hub.units import Wh
from support.rows.worked_example import EXAMPLES, FORWARD, RATES, START_S, B, Example

WALLETS = {m.participant_id: bytes([m.participant_id.int]) * 32 for m in EXAMPLES[0].inputs.metered}
examples = pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)


@examples
def test_the_auction_gives_exactly_this(example: Example) -> None:
    outcome = run_auction(example.inputs)
    assert outcome.clearing.price_mills == example.price_mills
    traded = positions(outcome.clearing.trades, RATES.charges_mills)
    assert {p: t.sold_wh - t.bought_wh for p, t in traded.items()} == example.ex_post
    assert {u.participant_id: u.utility_wh for u in outcome.utility} == example.utility_wh


@examples
def test_the_plan_has_exactly_these_lines(example: Example) -> None:
    outcome = run_auction(example.inputs)
    made = plan(START_S, outcome.trades, WALLETS, RATES, minted_wh=Wh(example.minted_wh), batch_lines=2)
    lines = [(li.participant_id, li.sold_wh, li.bought_wh, li.credit_micros, li.debit_micros) for li in made.lines]
    assert lines == [
        (li.participant_id, li.sold_wh, li.bought_wh, li.credit_micros, li.debit_micros) for li in example.lines
    ]
    totals = made.totals
    assert (totals.wheeling_micros, totals.platform_micros, totals.loss_micros) == example.charges
    assert totals.debit_micros - totals.credit_micros == sum(example.charges)
    assert made.minted_wh == example.minted_wh


def test_the_utility_bills_what_peers_did_not_cover() -> None:
    outcome = run_auction(EXAMPLES[0].inputs)
    (c,) = [u for u in outcome.utility if u.utility_wh]
    assert (c.utility_wh, c.tariff_mills, c.amount_micros) == (-400, 5000, -2_000_000)


@examples
def test_the_rules_coded_twice_agree(example: Example) -> None:
    site = ground_truth.Site(
        interval_s=900,
        poll_period_s=10,
        meters={f"M{m.participant_id.int}": ground_truth.TruthMeter(str(m.participant_id), 10**6)
                for m in example.inputs.metered},
        traders={
            str(p): ground_truth.Trader(max_debit_micros=min(f.balance_micros, f.reserve_micros))
            for p, f in example.inputs.funds.items()
        },
    )  # fmt: skip
    meters = {
        f"M{m.participant_id.int}": MeterTruth(m.import_wh, m.export_wh, "valid" if m.valid else "estimated")
        for m in example.inputs.metered
    }
    forward = ground_truth.ForwardTrade(str(FORWARD.seller_id), str(B), FORWARD.wh, FORWARD.price_mills)
    truth = ground_truth.settle(START_S, meters, site, [forward])
    assert truth.price_mills == example.price_mills
    assert truth.minted_wh == example.minted_wh
    for line in example.lines:
        bill = truth.bills[str(line.participant_id)]
        money = (bill.credit_micros, bill.debit_micros)
        assert (bill.sold_wh, bill.bought_wh, *money) == (
            line.sold_wh, line.bought_wh, line.credit_micros, line.debit_micros,
        )  # fmt: skip
    assert {p: bill.utility_wh for p, bill in truth.bills.items()} == {
        str(p): wh for p, wh in example.utility_wh.items()
    }
