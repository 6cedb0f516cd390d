"""The energy token: an interval's attested export is minted once, burned once, and by nobody but the market's close."""

import pytest

from support.programs.campus_chain import INTERVAL_S, interval_address
from support.programs.market_chain import (
    EMPTY,
    ENERGY_MINT,
    ENERGY_POOL,
    ENERGY_STATE,
    MARKET,
    Exchange,
    minted_address,
)
from support.programs.refusals import check_only_the_upgrade_authority_founds
from support.programs.svm import START, assert_in_use, swapped

HALF_DAY = 12 * 3600
MINTABLE_S = 7 * 86_400
"""Seconds after its end up to which an interval's attestation is minted."""
MOST_METERS = 65_536


def test_founding_makes_mint_and_pool(unfounded: Exchange) -> None:
    chain, signers = unfounded.chain, [unfounded.chain.upgrade_authority]
    ix = unfounded.found_energy()
    check_only_the_upgrade_authority_founds(chain, "energy_token", ix)
    chain.ok(ix, signers=signers)
    state = chain.account("energy_token", ENERGY_STATE)
    assert (state.mint, state.pool, state.trading_authority) == (ENERGY_MINT, ENERGY_POOL, MARKET)
    assert (state.minted_wh, state.burned_wh, unfounded.supply(ENERGY_MINT)) == (0, 0, 0)
    assert_in_use(chain.send(ix, signers=signers))


def test_an_export_is_minted_once(exchange: Exchange) -> None:
    chain = exchange.chain
    exchange.campus.attested(START, export_wh=1_234)
    outcome = chain.ok(exchange.mint_interval(START))
    assert outcome.event("IntervalMinted").wh == exchange.tokens(ENERGY_POOL) == 1_234
    assert_in_use(chain.send(exchange.mint_interval(START)))
    exchange.check_books()


def test_an_interval_without_export_is_minted_as_nothing(exchange: Exchange) -> None:
    exchange.attest_and_mint(START, export_wh=0)
    assert exchange.chain.account("energy_token", minted_address(START)).wh == 0
    exchange.chain.ok(exchange.close_empty(START), signers=[exchange.settler])
    exchange.check_books(START)


def test_only_what_is_attested_first_is_minted(exchange: Exchange) -> None:
    chain = exchange.chain
    chain.fails("AccountNotInitialized", exchange.mint_interval(START))
    exchange.campus.attested(START, export_wh=1_000)
    exchange.campus.attested(START, export_wh=9_000, revision=2, previous=1)
    chain.fails("NotFirstRevision", exchange.mint_interval(START, revision=2))
    other = START + INTERVAL_S
    exchange.campus.attested(other)
    chain.fails(
        "ConstraintSeeds", swapped(exchange.mint_interval(START), interval_address(START), interval_address(other))
    )
    chain.ok(exchange.mint_interval(START))
    exchange.check_books()


@pytest.mark.parametrize(("late_s", "wh"), [(0, 1_000), (1, 0), (400 * 86_400, 0)])
def test_what_is_attested_after_seven_days_mints_nothing_and_closes_empty(
    exchange: Exchange, late_s: int, wh: int
) -> None:
    chain, eve = exchange.chain, exchange.chain.key("eve")
    chain.set_time(START + INTERVAL_S + MINTABLE_S + late_s)
    exchange.campus.attested(START, export_wh=1_000)
    chain.advance(5)
    assert chain.ok(exchange.mint_interval(START)).event("IntervalMinted").wh == wh
    assert chain.account("energy_token", minted_address(START)).wh == exchange.tokens(ENERGY_POOL) == wh
    assert chain.account("energy_token", ENERGY_STATE).minted_wh == wh
    exchange.check_books()
    chain.ok(exchange.close_empty(START, caller=eve.pubkey()), signers=[eve])
    assert exchange.settlement(START).status == EMPTY
    assert exchange.supply(ENERGY_MINT) == 0
    exchange.check_books(START)


def test_what_was_attested_in_time_is_minted_however_late(exchange: Exchange) -> None:
    exchange.campus.attested(START, export_wh=1_000)
    exchange.chain.advance(400 * 86_400)
    assert exchange.chain.ok(exchange.mint_interval(START)).event("IntervalMinted").wh == 1_000
    exchange.check_books()


def test_what_is_attested_late_is_not_traded(exchange: Exchange) -> None:
    chain, signers = exchange.chain, [exchange.settler]
    chain.set_time(START + INTERVAL_S + MINTABLE_S + 1)
    exchange.attest_and_mint(START)
    chain.fails("TooLate", exchange.open(START, []), signers=signers)
    chain.ok(exchange.close_empty(START), signers=signers)
    exchange.check_books(START)


def test_no_attestation_can_fill_the_counters(exchange: Exchange) -> None:
    chain, most = exchange.chain, MOST_METERS * 25_000_000
    exchange.campus.attested(START, export_wh=most, import_wh=most, meters_valid=MOST_METERS)
    chain.ok(exchange.mint_interval(START))
    chain.ok(exchange.close_empty(START), signers=[exchange.settler])
    years = (2**64 - 1) // most * INTERVAL_S // (366 * 86_400)
    assert years > 300
    exchange.attest_and_mint(START + INTERVAL_S, export_wh=1)
    chain.ok(exchange.close_empty(START + INTERVAL_S), signers=[exchange.settler])
    exchange.check_books(START, START + INTERVAL_S)


def test_a_stranger_burns_nothing(exchange: Exchange) -> None:
    chain, eve = exchange.chain, exchange.chain.key("eve")
    exchange.attest_and_mint(START)
    burn = exchange.burn_interval(START, eve.pubkey())
    chain.fails("NotTradingMarket", burn, signers=[eve])
    settler = swapped(burn, eve.pubkey(), exchange.settler.pubkey())
    chain.fails("NotTradingMarket", settler, signers=[exchange.settler])
    exchange.check_books()


def test_swapped_accounts_do_not_mint(exchange: Exchange) -> None:
    chain, ann = exchange.chain, exchange.ready("ann")
    exchange.campus.attested(START)
    own = exchange.token_account("energy of ann", ann.wallet, ENERGY_MINT)
    chain.fails("WrongPool", swapped(exchange.mint_interval(START), ENERGY_POOL, own))
    chain.fails("WrongMint", swapped(exchange.mint_interval(START), ENERGY_MINT, exchange.currency.pubkey()))


def test_the_settler_closes_an_empty_interval_at_any_time(exchange: Exchange) -> None:
    chain = exchange.chain
    exchange.attest_and_mint(START)
    chain.ok(exchange.close_empty(START), signers=[exchange.settler])
    settlement = exchange.settlement(START)
    assert (settlement.status, settlement.line_count, settlement.closed_at_s) == (EMPTY, 0, chain.now)
    assert chain.account("energy_token", minted_address(START)).burned
    exchange.check_books(START)
    assert_in_use(chain.send(exchange.close_empty(START), signers=[exchange.settler]))
    assert_in_use(chain.send(exchange.open(START, []), signers=[exchange.settler]))


def test_anybody_closes_an_interval_that_cannot_open_any_more(exchange: Exchange) -> None:
    chain, eve = exchange.chain, exchange.chain.key("eve")
    exchange.attest_and_mint(START)
    ix = exchange.close_empty(START, caller=eve.pubkey())
    chain.fails("TooEarly", ix, signers=[eve])
    chain.set_time(START + INTERVAL_S + HALF_DAY)
    chain.fails("TooEarly", ix, signers=[eve])
    chain.advance(1)
    chain.ok(ix, signers=[eve])
    exchange.check_books(START)


def test_an_empty_close_needs_its_own_minted_energy(exchange: Exchange) -> None:
    chain, settler, other = exchange.chain, [exchange.settler], START + INTERVAL_S
    exchange.campus.attested(START)
    chain.fails("AccountNotInitialized", exchange.close_empty(START), signers=settler)
    exchange.attest_and_mint(other)
    foreign = swapped(exchange.close_empty(START), minted_address(START), minted_address(other))
    chain.fails("WrongInterval", foreign, signers=settler)
    wrong = swapped(exchange.close_empty(START), interval_address(START), interval_address(other))
    assert chain.send(wrong, signers=settler).error is not None
    chain.ok(exchange.mint_interval(START))
    chain.ok(exchange.close_empty(START), signers=settler)
    exchange.check_books(START)
