"""An aborted settlement: whoever brings its lines gets everybody their money back, in whatever state it was."""

from dataclasses import replace
from typing import Any

import pytest

from support.programs.campus_chain import INTERVAL_S
from support.programs.chain_lines import ChainLine, changed
from support.programs.market_chain import ABORTED, ENERGY_MINT, MARKET, RETURNING, Exchange, minted_address
from support.programs.svm import START, assert_in_use, swapped, unsigned
from support.programs.trade_lines import trade_lines

DAY = 86_400
END = START + INTERVAL_S


def opened(exchange: Exchange, lines: list[ChainLine], settled: int, **changes: Any) -> None:
    """Committed, with the first `settled` lines settled."""
    exchange.attest_and_open(START, lines, 4_000, **changes)
    if settled:
        exchange.chain.ok(exchange.settle(START, 0, lines[:settled]), signers=[exchange.settler])


def untouched(exchange: Exchange) -> bool:
    """Everybody has what they had, and the day has cost nothing."""
    accounts = [exchange.chain.account("trading", one.account) for one in exchange.traders.values()]
    spent = {day.debit_micros for account in accounts for day in account.day_debits}
    return {account.balance_micros for account in accounts} == {10_000_000} and spent == {0}


@pytest.mark.parametrize("settled", range(6))
@pytest.mark.parametrize("batch", [1, 3])
def test_everything_comes_back_however_far_it_was(exchange: Exchange, settled: int, batch: int) -> None:
    chain, lines = exchange.chain, trade_lines(exchange, 3, 2)
    opened(exchange, lines, settled)
    outcome = chain.ok(exchange.abort(START), signers=[exchange.settler])
    assert outcome.event("SettlementAborted").settled_line_count == settled
    exchange.unwind(START, lines[:settled], batch)
    assert untouched(exchange)
    settlement = exchange.settlement(START)
    assert (settlement.status, settlement.escrow_micros, settlement.returned_count) == (ABORTED, 0, settled)
    assert settlement.closed_at_s == chain.now
    assert exchange.supply(ENERGY_MINT) == 0
    assert chain.account("energy_token", minted_address(START)).burned
    assert list(chain.account("trading", MARKET).crediting_starts_s) == [0] * 8


def test_lines_that_can_not_match_their_root_come_back(exchange: Exchange) -> None:
    chain, signers, lines = exchange.chain, [exchange.settler], trade_lines(exchange, 3, 2)
    opened(exchange, lines, 5, lines_root=[0] * 32)
    chain.fails("RootMismatch", exchange.close(START), signers=signers)
    exchange.campus.pause()  # stops no way back
    chain.set_time(END + DAY)
    eve = chain.key("eve")
    chain.ok(exchange.abort(START, eve.pubkey()), signers=[eve])
    exchange.unwind(START, lines)
    assert untouched(exchange)


def test_a_mandate_that_is_gone_leaves_nobodys_money_in_escrow(exchange: Exchange) -> None:
    chain, signers, lines = exchange.chain, [exchange.settler], trade_lines(exchange, 3, 2)
    opened(exchange, lines, 4)
    late = exchange.traders["seller 1"]
    for _ in range(5):
        chain.advance(2 * DAY)
        exchange.mandate(late)
    chain.fails("MandateMissing", exchange.settle(START, 4, lines[4:]), signers=signers)
    chain.ok(exchange.abort(START), signers=signers)
    exchange.unwind(START, lines[:4])
    assert untouched(exchange)


def test_anybody_aborts_a_day_after_the_interval_and_the_settler_at_any_time(exchange: Exchange) -> None:
    chain, lines, eve = exchange.chain, trade_lines(exchange, 3, 2), exchange.chain.key("eve")
    opened(exchange, lines, 1)
    ix = exchange.abort(START, eve.pubkey())
    chain.set_time(END + DAY - 1)
    chain.fails("TooEarlyToAbort", ix, signers=[eve])
    chain.fails("AccountNotSigner", unsigned(exchange.abort(START), exchange.settler.pubkey()))
    chain.advance(1)
    chain.ok(ix, signers=[eve])
    chain.fails("NotOpen", ix, signers=[eve])


def test_an_aborted_settlement_does_not_go_on(exchange: Exchange) -> None:
    chain, signers, lines = exchange.chain, [exchange.settler], trade_lines(exchange, 3, 2)
    opened(exchange, lines, 2)
    chain.fails("NotReturning", exchange.return_lines(START, lines[:2], 0, 2))
    chain.fails("NotReturning", exchange.close_aborted(START))
    chain.ok(exchange.abort(START), signers=signers)
    assert exchange.settlement(START).status == RETURNING
    chain.fails("NotOpen", exchange.settle(START, 2, lines[2:]), signers=signers)
    chain.fails("NotOpen", exchange.close(START), signers=signers)
    chain.fails("LinesMissing", exchange.close_aborted(START))
    exchange.unwind(START, lines[:2])
    for ix in (exchange.abort(START), exchange.close(START), exchange.settle(START, 2, lines[2:])):
        chain.fails("NotOpen", ix, signers=signers)
    chain.fails("NotReturning", exchange.return_lines(START, lines[:2], 0, 2))
    chain.fails("NotReturning", exchange.close_aborted(START))
    assert_in_use(chain.send(exchange.open(START, lines), signers=signers))
    assert_in_use(chain.send(exchange.close_empty(START), signers=signers))


def test_a_closed_settlement_is_final(exchange: Exchange) -> None:
    chain, signers, lines = exchange.chain, [exchange.settler], trade_lines(exchange, 3, 2)
    opened(exchange, lines, 5)
    chain.ok(exchange.close(START), signers=signers)
    chain.set_time(END + DAY)
    chain.fails("NotOpen", exchange.abort(START), signers=signers)


def test_a_line_comes_back_once_and_as_it_was(exchange: Exchange) -> None:
    chain, lines = exchange.chain, trade_lines(exchange, 3, 2)
    opened(exchange, lines, 5)
    chain.ok(exchange.abort(START), signers=[exchange.settler])
    back = exchange.return_lines
    dearer = changed(lines, 0, debit_micros=826_001)
    chain.fails("NotSettledLines", back(START, lines, 0, 1, lines=[dearer[0].argument()]))
    chain.fails("NotSettledLines", back(START, lines, 0, 1, first_index=1))
    chain.fails("Overflow", back(START, lines, 0, 1, first_index=2**32 - 1))
    chain.fails("NotSettledLines", back(START, lines, 0, 1, range_proof=[]))
    chain.fails("NotSettledLines", back(START, lines[:4], 0, 1))
    chain.fails("NotSettledLines", back(START, lines, 0, 0))
    own, other = (exchange.traders[f"buyer {n}"].account for n in range(2))
    chain.fails("NotSettledLines", swapped(back(START, lines, 0, 1), own, other))
    chain.fails("LineAccounts", back(START, lines, 0, 1, lines=[]))
    chain.fails("EscrowShort", back(START, lines, 0, 3))
    chain.ok(back(START, lines, 3, 4))
    chain.fails("AlreadyReturned", back(START, lines, 3, 4))
    chain.fails("AlreadyReturned", back(START, lines, 3, 5))
    chain.ok(back(START, lines, 4, 5))
    chain.ok(back(START, lines, 0, 3))
    chain.ok(exchange.close_aborted(START))
    assert untouched(exchange)
    exchange.check_books(START)


def test_a_credit_that_may_go_back_pays_for_nothing(exchange: Exchange) -> None:
    chain, signers = exchange.chain, [exchange.settler]
    ann, bob = exchange.ready("ann"), exchange.ready("bob", deposit=10_000, reserve_micros=0)
    later = START + INTERVAL_S
    first = [ChainLine(ann.wallet, 0, 100, 0, 413_000), ChainLine(bob.wallet, 100, 0, 400_000, 0)]
    second = [ChainLine(bob.wallet, 0, 50, 0, 206_500), ChainLine(ann.wallet, 50, 0, 200_000, 0)]
    for start, lines in ((START, first), (later, second)):
        exchange.attest_and_open(start, lines)
    chain.ok(exchange.settle(START, 0, first), signers=signers)
    chain.fails("CreditOpen", exchange.settle(later, 0, second), signers=signers)
    chain.ok(exchange.close(START), signers=signers)
    chain.ok(exchange.settle(later, 0, second), signers=signers)
    chain.ok(exchange.close(later), signers=signers)
    assert (exchange.balance(ann), exchange.balance(bob)) == (
        10_000_000 - 413_000 + 200_000,
        10_000 + 400_000 - 206_500,
    )
    exchange.check_books(START, later)


def test_eight_settlements_credit_side_by_side_and_an_end_makes_room(exchange: Exchange) -> None:
    chain, signers, lines = exchange.chain, [exchange.settler], trade_lines(exchange, 1, 1)
    starts = [START + n * INTERVAL_S for n in range(9)]
    small = [replace(lines[0], bought_wh=10, debit_micros=41_300), replace(lines[1], sold_wh=10, credit_micros=40_000)]
    for start in starts:
        exchange.attest_and_open(start, small)
    for start in starts[:8]:
        chain.ok(exchange.settle(start, 0, small), signers=signers)
    chain.ok(exchange.settle(starts[8], 0, small[:1]), signers=signers)
    chain.fails("TooManyCrediting", exchange.settle(starts[8], 1, small[1:]), signers=signers)
    chain.ok(exchange.abort(starts[3]), signers=signers)
    chain.fails("TooManyCrediting", exchange.settle(starts[8], 1, small[1:]), signers=signers)
    exchange.unwind(starts[3], small, others=[start for start in starts if start != starts[3]])
    chain.ok(exchange.settle(starts[8], 1, small[1:]), signers=signers)
    for start in (*starts[:3], *starts[4:]):
        chain.ok(exchange.close(start), signers=signers)
    exchange.check_books(*starts)
    buyer, seller = exchange.traders["buyer 0"], exchange.traders["seller 0"]
    assert exchange.balance(buyer) == 10_000_000 - 8 * 41_300
    chain.ok(exchange.withdraw(seller, 9_000_000 + 8 * 40_000), signers=[seller.key])


def test_swapped_accounts_do_not_close_an_aborted_settlement(exchange: Exchange) -> None:
    chain, signers, lines = exchange.chain, [exchange.settler], trade_lines(exchange, 1, 1)
    opened(exchange, lines, 0)
    exchange.attest_and_mint(END)
    chain.ok(exchange.abort(START), signers=signers)
    ix = exchange.close_aborted(START)
    chain.fails("WrongInterval", swapped(ix, minted_address(START), minted_address(END)))
    chain.fails("WrongMint", swapped(ix, ENERGY_MINT, exchange.currency.pubkey()))
    chain.ok(ix)
    exchange.check_books(START)
