"""Random campuses settle to the micro in random batches; what lies at the integers' limits is refused by its name."""

import random
from dataclasses import replace
from typing import Any

import pytest
from solders.account import Account

from edge.wire import merkle
from support.programs.chain_lines import ChainLine, lines_root, payers_first
from support.programs.market_chain import CLOSED, LINES_PER_BATCH, Exchange
from support.programs.svm import PROGRAM_IDS, START, swapped


def random_lines(dice: random.Random, exchange: Exchange, people: int) -> list[ChainLine]:
    """Trades between random pairs at random prices, netted to one line each."""
    traders = [exchange.ready(f"trader {n}") for n in range(people)]
    sums = {one.wallet: [0, 0, 0, 0] for one in traders}
    for _ in range(3 * people):
        seller, buyer = dice.sample(traders, 2)
        wh, price = dice.randint(1, 90), dice.randint(2_200, 4_870)
        sums[seller.wallet][0] += wh
        sums[buyer.wallet][1] += wh
        sums[seller.wallet][2] += wh * price
        sums[buyer.wallet][3] += wh * (price + 130)
    return payers_first([ChainLine(wallet, *figures) for wallet, figures in sums.items()])


@pytest.mark.parametrize("seed", range(3))
def test_a_random_campus_settles_in_random_batches(exchange: Exchange, seed: int) -> None:
    dice = random.Random(seed)
    chain, signers, lines = exchange.chain, [exchange.settler], random_lines(dice, exchange, 23 + seed)
    assert lines_root(lines, START) == merkle.root([line.leaf(START, at) for at, line in enumerate(lines)])
    exchange.attest_and_open(START, lines, export_wh=12_345)
    at = 0
    while at < len(lines):
        end = at + dice.randint(1, LINES_PER_BATCH)
        chain.ok(exchange.settle(START, at, lines[at:end]), signers=signers)
        exchange.check_books(START)
        at = min(end, len(lines))
    chain.ok(exchange.close(START), signers=signers)
    exchange.check_books(START)
    assert exchange.settlement(START).status == CLOSED
    for trader in exchange.traders.values():
        (line,) = [line for line in lines if line.wallet == trader.wallet]
        assert exchange.balance(trader) == 10_000_000 + line.credit_micros - line.debit_micros


@pytest.mark.parametrize("seed", range(3))
def test_a_random_part_comes_back_in_a_random_order(exchange: Exchange, seed: int) -> None:
    dice = random.Random(seed)
    chain, signers, lines = exchange.chain, [exchange.settler], random_lines(dice, exchange, 23 + seed)
    exchange.attest_and_open(START, lines, export_wh=12_345)
    settled = lines[: dice.randint(len(lines) * 2 // 3, len(lines))]
    for at in range(0, len(settled), LINES_PER_BATCH):
        batch = settled[at : at + LINES_PER_BATCH]
        chain.ok(exchange.settle(START, at, batch), signers=signers)
    chain.ok(exchange.abort(START), signers=signers)
    ends = sorted({*dice.sample(range(1, len(settled)), 6), len(settled)})
    waiting = list(zip([0, *ends], ends, strict=False))
    dice.shuffle(waiting)
    while waiting:
        first, end = waiting.pop(0)
        outcome = chain.send(exchange.return_lines(START, settled, first, end))
        assert outcome.error in {None, "EscrowShort"}, outcome.logs
        if outcome.error:
            waiting.append((first, end))
        exchange.check_books(START)
    chain.ok(exchange.close_aborted(START))
    exchange.check_books(START)
    assert {exchange.balance(trader) for trader in exchange.traders.values()} == {10_000_000}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"sold_wh": 2**32 - 1}, "SumMismatch"),
        ({"bought_wh": 2**32 - 1}, "SumMismatch"),
        ({"credit_micros": 2**64 - 1}, "SumMismatch"),
        ({"debit_micros": 2**64 - 1}, "SumMismatch"),
    ],
)
def test_lines_at_the_limits_are_refused(exchange: Exchange, change: dict[str, Any], error: str) -> None:
    chain, signers, lines = exchange.chain, [exchange.settler], random_lines(random.Random(9), exchange, 3)
    exchange.attest_and_open(START, lines)
    chain.fails(error, exchange.settle(START, 0, [replace(lines[0], **change)]), signers=signers)
    chain.ok(exchange.settle(START, 0, lines[:1]), signers=signers)
    rest = replace(lines[1], **change)
    assert chain.send(exchange.settle(START, 1, [rest]), signers=signers).error in {error, "Overflow"}
    exchange.check_books(START)


def test_a_forged_account_is_refused(exchange: Exchange) -> None:
    chain, signers, lines = exchange.chain, [exchange.settler], random_lines(random.Random(9), exchange, 3)
    exchange.attest_and_open(START, lines)
    real, forged = exchange.traders["trader 0"].account, chain.key("forged").pubkey()
    ix = exchange.settle(START, 0, [replace(lines[0], wallet=exchange.traders["trader 0"].wallet)])
    stored = chain.svm.get_account(real)
    assert stored is not None
    for owner, data in ((PROGRAM_IDS["registry"], stored.data), (PROGRAM_IDS["trading"], stored.data[:-8])):
        chain.svm.set_account(forged, Account(stored.lamports, bytes(data), owner))
        outcome = chain.send(swapped(ix, real, forged), signers=signers)
        assert outcome.error in {"AccountOwnedByWrongProgram", "AccountDiscriminatorMismatch"}
