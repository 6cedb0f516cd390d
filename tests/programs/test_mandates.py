"""Mandates on chain: a line is held to the mandate that bound its interval, whatever was signed before and after."""

import pytest

from support.programs.campus_chain import INTERVAL_S
from support.programs.chain_lines import ChainLine
from support.programs.market_chain import Exchange, Trader
from support.programs.svm import START

HORIZON_S = 3_600
LIMITS = {
    "max_wh": 400,
    "max_price_mills": 4_250,
    "min_price_mills": 2_200,
    "max_debit_micros": 1_700_000,
    "max_day_debit_micros": 1_700_000,
}
SOLD = {"sold_wh": 100, "credit_micros": 220_000}
AT_THE_LIMIT = {"bought_wh": 400, "debit_micros": 1_700_000} | SOLD


def pair(buyer: Trader, seller: Trader, line: dict[str, int]) -> list[ChainLine]:
    """The buyer's line, and the other side of it."""
    bought, sold = line["bought_wh"], line.get("sold_wh", 0)
    other = {"sold_wh": bought - min(sold, bought), "bought_wh": sold - min(sold, bought)}
    credit = line["debit_micros"] - line.get("credit_micros", 0) - 130 * max(bought, sold)
    return [ChainLine(buyer.wallet, **line), ChainLine(seller.wallet, credit_micros=credit, **other)]


def opened(exchange: Exchange, start: int, lines: list[ChainLine]) -> None:
    """Attests, mints and commits."""
    exchange.attest_and_open(start, lines)


def test_a_line_at_every_limit_passes(exchange: Exchange) -> None:
    buyer, seller = exchange.ready("buyer", **LIMITS), exchange.ready("seller")
    lines = pair(buyer, seller, AT_THE_LIMIT)
    opened(exchange, START, lines)
    exchange.chain.ok(exchange.settle(START, 0, lines), signers=[exchange.settler])
    exchange.chain.ok(exchange.close(START), signers=[exchange.settler])
    exchange.check_books(START)


@pytest.mark.parametrize(
    ("error", "line", "terms"),
    [
        ("MandateExceededEnergy", {"bought_wh": 401}, {}),
        ("MandateExceededEnergy", {"sold_wh": 401, "credit_micros": 890_000}, {}),
        (
            "MandateExceededMaxPrice",
            {"debit_micros": 1_700_001},
            {"max_debit_micros": 9**9, "max_day_debit_micros": 9**9},
        ),
        ("MandateExceededMinPrice", {"credit_micros": 219_999}, {}),
        ("MandateExceededDebit", {}, {"max_debit_micros": 1_699_999}),
        ("MandateExceededDay", {}, {"max_day_debit_micros": 1_699_999}),
        ("MandateExceededMaxPrice", {}, {"max_price_mills": 4_249}),
        ("MandateMissing", {}, {"expiry_s": START + INTERVAL_S - 1}),
    ],
)
def test_a_line_beyond_one_limit_is_refused(
    exchange: Exchange, error: str, line: dict[str, int], terms: dict[str, int]
) -> None:
    buyer, seller = exchange.ready("buyer", **(LIMITS | terms)), exchange.ready("seller")
    lines = pair(buyer, seller, AT_THE_LIMIT | line)
    opened(exchange, START, lines)
    exchange.chain.fails(error, exchange.settle(START, 0, lines), signers=[exchange.settler])
    assert exchange.settlement(START).cursor == 0
    exchange.check_books(START)


def test_without_a_mandate_nobody_pays_or_sells(exchange: Exchange) -> None:
    buyer, seller = exchange.ready("buyer"), exchange.trader("seller")
    lines = pair(buyer, seller, {"bought_wh": 100, "debit_micros": 400_000})
    opened(exchange, START, lines)
    exchange.chain.fails("MandateMissing", exchange.settle(START, 0, lines), signers=[exchange.settler])


def test_a_mandate_signed_after_the_start_does_not_bind(exchange: Exchange) -> None:
    seller, buyer = exchange.ready("seller"), exchange.trader("buyer")
    exchange.chain.ok(exchange.deposit(buyer, 1_000_000), signers=[buyer.key])
    exchange.chain.advance(1)
    exchange.mandate(buyer)
    lines = pair(buyer, seller, {"bought_wh": 100, "debit_micros": 400_000})
    opened(exchange, START, lines)
    exchange.chain.fails("MandateMissing", exchange.settle(START, 0, lines), signers=[exchange.settler])


def test_a_narrower_mandate_binds_after_the_horizon(exchange: Exchange) -> None:
    chain, seller = exchange.chain, exchange.ready("seller")
    buyer = exchange.ready("buyer", max_wh=400)
    outcome = exchange.mandate(buyer, max_wh=100)
    assert outcome.event("MandateSet").valid_from_s == START + HORIZON_S + 1
    lines = pair(buyer, seller, {"bought_wh": 400, "debit_micros": 1_600_000})
    for start in (START + HORIZON_S, START + HORIZON_S + INTERVAL_S):
        opened(exchange, start, lines)
    chain.ok(exchange.settle(START + HORIZON_S, 0, lines), signers=[exchange.settler])
    late = exchange.settle(START + HORIZON_S + INTERVAL_S, 0, lines)
    chain.fails("MandateExceededEnergy", late, signers=[exchange.settler])


def test_a_wider_mandate_binds_at_once(exchange: Exchange) -> None:
    seller, buyer = exchange.ready("seller"), exchange.ready("buyer", max_wh=100)
    exchange.chain.advance(5)
    assert exchange.mandate(buyer, max_wh=400).event("MandateSet").valid_from_s == START + 5
    lines = pair(buyer, seller, {"bought_wh": 400, "debit_micros": 1_600_000})
    for start, error in ((START, "MandateExceededEnergy"), (START + INTERVAL_S, None)):
        opened(exchange, start, lines)
        outcome = exchange.chain.send(exchange.settle(start, 0, lines), signers=[exchange.settler])
        assert outcome.error == error


def test_a_day_is_limited_over_its_intervals_in_any_order(exchange: Exchange) -> None:
    chain, seller = exchange.chain, exchange.ready("seller")
    buyer = exchange.ready("buyer", max_day_debit_micros=1_000_000)
    lines = pair(buyer, seller, {"bought_wh": 100, "debit_micros": 400_000})
    starts = [START + n * INTERVAL_S for n in range(3)]
    for start in starts:
        opened(exchange, start, lines)
    for start in (starts[2], starts[0]):
        chain.ok(exchange.settle(start, 0, lines), signers=[exchange.settler])
    chain.fails("MandateExceededDay", exchange.settle(starts[1], 0, lines), signers=[exchange.settler])
    days = chain.account("trading", buyer.account).day_debits
    assert [(slot.epoch_day, slot.debit_micros) for slot in days if slot.debit_micros] == [(START // 86_400, 800_000)]


def test_what_cannot_be_signed(exchange: Exchange) -> None:
    chain, ann = exchange.chain, exchange.trader("ann")
    cases = [
        ("MandateNonce", {"nonce": 0}),
        ("MandateNonce", {"nonce": 2}),
        ("InvalidMandate", {"horizon_s": 48 * 3600 + 1}),
        ("InvalidMandate", {"expiry_s": -1}),
        ("InvalidMandate", {"expiry_s": 2**63 - 1}),
    ]
    for error, terms in cases:
        chain.fails(error, exchange.set_mandate(ann, **terms), signers=[ann.key])
    signed = exchange.set_mandate(ann)
    chain.ok(signed, signers=[ann.key])
    chain.fails("MandateNonce", signed, signers=[ann.key])


def test_a_fifth_mandate_waits_for_the_first(exchange: Exchange) -> None:
    chain, ann = exchange.chain, exchange.trader("ann")
    for _ in range(4):
        exchange.mandate(ann)
        chain.advance(INTERVAL_S)
    released = START + INTERVAL_S + 86_400
    chain.set_time(released - 1)
    chain.fails("MandateTooSoon", exchange.set_mandate(ann), signers=[ann.key])
    chain.set_time(released)
    exchange.mandate(ann)
    assert chain.account("trading", ann.account).mandates.count == 4
