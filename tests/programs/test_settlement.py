"""Settling an interval: committed, settled in order, closed with exactly the charges left; every detour is refused."""

from dataclasses import replace
from typing import Any

import pytest

from support.programs.campus_chain import INTERVAL_S, PARAMS, PAUSE, interval_address
from support.programs.chain_lines import ChainLine, changed, lines_root
from support.programs.market_chain import (
    CLOSED,
    ENERGY_POOL,
    MARKET,
    OPEN,
    VAULTS,
    Exchange,
    minted_address,
    settlement_address,
)
from support.programs.svm import START, assert_in_use, swapped, unsigned
from support.programs.trade_lines import trade_lines

HALF_DAY = 12 * 3600


def campus_lines(exchange: Exchange) -> list[ChainLine]:
    """Lines of five buyers and four sellers."""
    return trade_lines(exchange, 5, 4)


def opened(exchange: Exchange, lines: list[ChainLine], **changes: Any) -> None:
    """Attests, mints and commits."""
    exchange.attest_and_open(START, lines, 4_000, **changes)


def settled(exchange: Exchange, lines: list[ChainLine]) -> None:
    """All lines in one batch."""
    exchange.chain.ok(exchange.settle(START, 0, lines), signers=[exchange.settler])


@pytest.mark.parametrize("batch", [1, 2, 4, 9])
def test_the_whole_way_in_batches(exchange: Exchange, batch: int) -> None:
    chain, settler, lines = exchange.chain, [exchange.settler], campus_lines(exchange)
    exchange.attest_and_mint(START, export_wh=1_700)
    exchange.check_books()
    outcome = chain.ok(exchange.open(START, lines, 4_000), signers=settler)
    assert bytes(outcome.event("SettlementOpened").lines_root) == lines_root(lines, START)
    for index in range(0, len(lines), batch):
        outcome = chain.ok(exchange.settle(START, index, lines[index : index + batch]), signers=settler)
        done = min(index + batch, len(lines))
        event = outcome.event("BatchSettled")
        assert (event.start_s, event.first_index, event.end_index) == (START, index, done)
        exchange.check_books(START)
    assert exchange.settlement(START).escrow_micros == 130_000
    outcome = chain.ok(exchange.close(START), signers=settler)
    assert outcome.event("SettlementClosed").charges_micros == 130_000
    settlement = exchange.settlement(START)
    assert (settlement.status, settlement.escrow_micros, settlement.closed_at_s) == (CLOSED, 0, chain.now)
    for name, trader in exchange.traders.items():
        (line,) = [line for line in lines if line.wallet == trader.wallet]
        assert exchange.balance(trader) == 10_000_000 + line.credit_micros - line.debit_micros, name
    assert {name: exchange.tokens(vault) for name, vault in VAULTS.items()} == {
        "wheeling": 100_000,
        "platform": 25_000,
        "loss": 5_000,
    }
    exchange.check_books(START)


def test_a_replayed_batch_is_known_and_a_skipped_one_missed(exchange: Exchange) -> None:
    chain, settler, lines = exchange.chain, [exchange.settler], campus_lines(exchange)
    opened(exchange, lines)
    first, second = exchange.settle(START, 0, lines[:3]), exchange.settle(START, 3, lines[3:])
    chain.fails("OutOfOrder", second, signers=settler)
    chain.ok(first, signers=settler)
    chain.fails("AlreadySettled", first, signers=settler)
    chain.fails("OutOfOrder", exchange.settle(START, 4, lines[4:]), signers=settler)
    chain.fails("OutOfOrder", exchange.settle(START, 2**32 - 1, lines[4:]), signers=settler)
    chain.ok(second, signers=settler)
    chain.fails("AlreadySettled", second, signers=settler)
    chain.ok(exchange.close(START), signers=settler)
    chain.fails("AlreadySettled", first, signers=settler)
    chain.fails("NotOpen", exchange.settle(START, len(lines), lines[:1]), signers=settler)
    chain.fails("NotOpen", exchange.close(START), signers=settler)
    assert_in_use(chain.send(exchange.open(START, lines), signers=settler))
    exchange.check_books(START)


def test_payers_come_first(exchange: Exchange) -> None:
    chain, settler, lines = exchange.chain, [exchange.settler], trade_lines(exchange, 2, 1)
    disordered = [lines[0], replace(lines[2], sold_wh=200, credit_micros=800_000), lines[1]]
    opened(exchange, disordered, sold_wh=400, credit_micros=1_600_000)
    chain.fails("PayerAfterReceiver", exchange.settle(START, 0, disordered), signers=settler)
    chain.ok(exchange.settle(START, 0, disordered[:2]), signers=settler)
    chain.fails("PayerAfterReceiver", exchange.settle(START, 2, disordered[2:]), signers=settler)


def test_nobody_is_paid_what_nobody_has_paid(exchange: Exchange) -> None:
    chain, settler, lines = exchange.chain, [exchange.settler], trade_lines(exchange, 2, 1)
    opened(exchange, lines)
    receiver_first = [lines[2], *lines[:2]]
    chain.fails("EscrowShort", exchange.settle(START, 0, receiver_first), signers=settler)


def test_an_account_has_one_line_an_interval(exchange: Exchange) -> None:
    chain, settler = exchange.chain, [exchange.settler]
    buyer, seller = exchange.ready("buyer"), exchange.ready("seller")
    half = ChainLine(buyer.wallet, bought_wh=100, debit_micros=413_000)
    lines = [half, half, ChainLine(seller.wallet, sold_wh=200, credit_micros=800_000)]
    chain.set_time(START + INTERVAL_S)
    exchange.trader("third")
    opened(exchange, lines)
    chain.fails("AccountAlreadySettled", exchange.settle(START, 0, lines), signers=settler)
    chain.ok(exchange.settle(START, 0, lines[:1]), signers=settler)
    chain.fails("AccountAlreadySettled", exchange.settle(START, 1, lines[1:]), signers=settler)


def test_an_account_younger_than_the_settlement_has_no_line(exchange: Exchange) -> None:
    lines = trade_lines(exchange, 2, 1)
    opened(exchange, lines)
    late = exchange.ready("late")
    account = exchange.chain.account("trading", late.account)
    # whole bytes of marks would have room for it
    assert account.number == exchange.settlement(START).account_count == 3
    ix = exchange.settle(START, 0, [replace(lines[0], wallet=late.wallet)])
    exchange.chain.fails("AccountTooYoung", ix, signers=[exchange.settler])


def test_a_payer_without_money_stops_the_batch(exchange: Exchange) -> None:
    chain, settler, lines = exchange.chain, [exchange.settler], trade_lines(exchange, 2, 1)
    opened(exchange, lines)
    poor = exchange.traders["buyer 1"]
    exchange.mandate(poor, reserve_micros=0)
    chain.set_time(START + INTERVAL_S + 86_400 + 3_600 + INTERVAL_S)
    chain.ok(exchange.withdraw(poor, 10_000_000 - 825_999), signers=[poor.key])
    chain.fails("InsufficientBalance", exchange.settle(START, 0, lines), signers=settler)
    assert exchange.balance(exchange.traders["buyer 0"]) == 10_000_000
    chain.ok(exchange.deposit(poor, 1), signers=[poor.key])
    chain.ok(exchange.settle(START, 0, lines), signers=settler)
    assert exchange.balance(poor) == 0


def test_the_balance_bounds_a_payer(exchange: Exchange) -> None:
    chain = exchange.chain
    buyer, seller = exchange.ready("buyer", deposit=412_999), exchange.ready("seller")
    lines = [
        ChainLine(buyer.wallet, bought_wh=100, debit_micros=413_000),
        ChainLine(seller.wallet, sold_wh=100, credit_micros=400_000),
    ]
    opened(exchange, lines)
    ix = exchange.settle(START, 0, lines)
    chain.fails("InsufficientBalance", ix, signers=[exchange.settler])
    chain.ok(exchange.deposit(buyer, 1), signers=[buyer.key])
    chain.ok(ix, signers=[exchange.settler])
    assert exchange.balance(buyer) == 0


@pytest.mark.parametrize(
    "change",
    [{"sold_wh": 999}, {"bought_wh": 1_001}, {"credit_micros": 3_999_999}, {"debit_micros": 4_130_001}],
    ids=lambda change: next(iter(change)),
)
def test_totals_that_disagree_do_not_open(exchange: Exchange, change: dict[str, int]) -> None:
    lines = campus_lines(exchange)
    exchange.attest_and_mint(START)
    exchange.chain.fails("SumMismatch", exchange.open(START, lines, **change), signers=[exchange.settler])


def test_lines_that_exceed_the_totals_do_not_settle(exchange: Exchange) -> None:
    lines = campus_lines(exchange)
    opened(exchange, lines)
    greedy = changed(lines, 8, credit_micros=lines[8].credit_micros + 1)
    exchange.chain.fails("SumMismatch", exchange.settle(START, 0, greedy), signers=[exchange.settler])


def test_lines_that_fall_short_do_not_close(exchange: Exchange) -> None:
    lines = campus_lines(exchange)
    modest = changed(lines, 8, credit_micros=lines[8].credit_micros - 1)
    exchange.attest_and_mint(START)
    totals = {"credit_micros": sum(line.credit_micros for line in lines)}
    exchange.chain.ok(exchange.open(START, modest, **totals), signers=[exchange.settler])
    settled(exchange, modest)
    exchange.chain.fails("SumMismatch", exchange.close(START), signers=[exchange.settler])


def test_other_lines_than_committed_do_not_close(exchange: Exchange) -> None:
    lines = campus_lines(exchange)
    opened(exchange, lines, lines_root=list(lines_root(lines[::-1], START)))
    settled(exchange, lines)
    exchange.chain.fails("RootMismatch", exchange.close(START), signers=[exchange.settler])
    exchange.check_books(START)


def test_no_close_before_the_last_line_and_no_line_after(exchange: Exchange) -> None:
    chain, settler, lines = exchange.chain, [exchange.settler], campus_lines(exchange)
    nothing = ChainLine(exchange.ready("spare").wallet)
    opened(exchange, lines)
    chain.ok(exchange.settle(START, 0, lines[:-1]), signers=settler)
    chain.fails("LinesMissing", exchange.close(START), signers=settler)
    chain.ok(exchange.settle(START, 8, lines[8:]), signers=settler)
    chain.fails("TooManyLines", exchange.settle(START, 9, [nothing]), signers=settler)


def test_a_batch_names_its_accounts(exchange: Exchange) -> None:
    chain, settler, lines = exchange.chain, [exchange.settler], campus_lines(exchange)
    opened(exchange, lines)
    ix = exchange.settle(START, 0, lines[:2])
    one, two, third = (exchange.traders[f"buyer {n}"] for n in range(3))
    chain.fails("LineAccounts", exchange.settle(START, 0, []), signers=settler)
    chain.fails("LineAccounts", type(ix)(ix.program_id, ix.data, ix.accounts[:-1]), signers=settler)
    for taken in (MARKET, settlement_address(START)):
        chain.fails("AccountBorrowFailed", swapped(ix, two.account, taken), signers=settler)
    exchange.attest_and_mint(START + INTERVAL_S)
    chain.ok(exchange.close_empty(START + INTERVAL_S), signers=settler)
    other = settlement_address(START + INTERVAL_S)
    chain.fails("AccountDiscriminatorMismatch", swapped(ix, two.account, other), signers=settler)
    chain.fails("AccountOwnedByWrongProgram", swapped(ix, two.account, PARAMS), signers=settler)
    chain.fails("AccountAlreadySettled", swapped(ix, two.account, one.account), signers=settler)
    # another's account with this line: it pays within its mandate, but the root tells at the close
    chain.ok(swapped(ix, two.account, third.account), signers=settler)
    chain.fails("AccountAlreadySettled", exchange.settle(START, 2, lines[2:]), signers=settler)


def test_only_the_settler_settles(exchange: Exchange) -> None:
    chain, lines, eve = exchange.chain, campus_lines(exchange), exchange.chain.key("eve")
    exchange.attest_and_mint(START)
    key = exchange.settler.pubkey()
    steps = [exchange.open(START, lines), exchange.settle(START, 0, lines), exchange.close(START)]
    for ix in steps:
        chain.fails("NotSettler", swapped(ix, key, eve.pubkey()), signers=[eve])
        chain.fails("AccountNotSigner", unsigned(ix, key))
        chain.ok(ix, signers=[exchange.settler])


def test_only_an_attested_interval_opens_and_in_time(exchange: Exchange) -> None:
    chain, settler, lines = exchange.chain, [exchange.settler], campus_lines(exchange)
    chain.fails("AccountNotInitialized", exchange.open(START, lines), signers=settler)
    exchange.campus.attested(START)
    chain.fails("AccountNotInitialized", exchange.open(START, lines), signers=settler)
    chain.ok(exchange.mint_interval(START))
    other = START + INTERVAL_S
    exchange.attest_and_mint(other)
    wrong = swapped(exchange.open(START, lines), interval_address(START), interval_address(other))
    chain.fails("WrongInterval", wrong, signers=settler)
    wrong = swapped(exchange.open(START, lines), minted_address(START), minted_address(other))
    chain.fails("WrongInterval", wrong, signers=settler)
    exchange.campus.attested(START, revision=2, previous=1)
    second = swapped(exchange.open(START, lines), interval_address(START), interval_address(START, 2))
    chain.fails("WrongInterval", second, signers=settler)
    chain.set_time(START + INTERVAL_S + HALF_DAY + 1)
    chain.fails("TooLate", exchange.open(START, lines), signers=settler)
    chain.set_time(START + INTERVAL_S + HALF_DAY)
    chain.ok(exchange.open(START, lines), signers=settler)
    assert exchange.settlement(START).status == OPEN


def test_what_cannot_be_committed_to(exchange: Exchange) -> None:
    chain, settler, lines = exchange.chain, [exchange.settler], campus_lines(exchange)
    exchange.attest_and_mint(START)
    nothing = {"sold_wh": 0, "bought_wh": 0, "credit_micros": 0, "debit_micros": 0}
    most = {"sold_wh": 2**64 - 1, "bought_wh": 2**64 - 1, "debit_micros": 2**64 - 1}
    chain.fails("InvalidLineCount", exchange.open(START, lines, line_count=0), signers=settler)
    chain.fails("InvalidLineCount", exchange.open(START, lines, line_count=10), signers=settler)
    chain.fails("InvalidLineCount", exchange.open(START, lines, line_count=2**32 - 1), signers=settler)
    chain.fails("NothingToDo", exchange.open(START, lines, **nothing), signers=settler)
    chain.fails("Overflow", exchange.open(START, lines, **most), signers=settler)
    chain.fails("AccountDiscriminatorMismatch", swapped(exchange.open(START, lines), PARAMS, PAUSE), signers=settler)


def test_swapped_accounts_do_not_close(exchange: Exchange) -> None:
    chain, settler, lines = exchange.chain, [exchange.settler], campus_lines(exchange)
    exchange.attest_and_mint(START + INTERVAL_S)
    opened(exchange, lines)
    settled(exchange, lines)
    ix = exchange.close(START)
    other = minted_address(START + INTERVAL_S)
    chain.fails("WrongInterval", swapped(ix, minted_address(START), other), signers=settler)
    for vault, wrong in (("wheeling", "loss"), ("platform", "wheeling"), ("loss", "platform")):
        chain.fails("WrongVault", swapped(ix, VAULTS[vault], VAULTS[wrong]), signers=settler)
    chain.fails("WrongPool", swapped(ix, ENERGY_POOL, VAULTS["loss"]), signers=settler)
    chain.ok(ix, signers=settler)
    exchange.check_books(START)


def test_two_intervals_settle_side_by_side(exchange: Exchange) -> None:
    chain, settler, lines = exchange.chain, [exchange.settler], campus_lines(exchange)
    later = START + INTERVAL_S
    for start in (START, later):
        exchange.attest_and_open(start, lines)
    for start, part in ((later, slice(0, 5)), (START, slice(0, 4)), (later, slice(5, 9)), (START, slice(4, 9))):
        chain.ok(exchange.settle(start, part.start, lines[part]), signers=settler)
        exchange.check_books(START, later)
    for start in (later, START):
        chain.ok(exchange.close(start), signers=settler)
    exchange.check_books(START, later)
