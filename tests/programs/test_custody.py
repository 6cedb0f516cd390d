"""Custody: money goes in, what is free comes out at any time, and nobody else's wallet or token account will do."""

from solders.account import Account

from support.programs.campus_chain import AUTHORITY, INTERVAL_S, ORACLE, PARAMS
from support.programs.chain_lines import ChainLine
from support.programs.market_chain import MARKET, MONEY, POOL, VAULTS, Exchange, account_address, participant_address
from support.programs.refusals import check_only_the_upgrade_authority_founds
from support.programs.svm import START, assert_in_use, swapped, unsigned

DAY = 86_400
STATUS_AT = 8 + 32 + 16
"""Of a participant's account: behind discriminator, wallet and zone."""


def test_founding_makes_pool_and_vaults(unfounded: Exchange) -> None:
    chain, signers = unfounded.chain, [unfounded.chain.upgrade_authority]
    ix = unfounded.found_market()
    check_only_the_upgrade_authority_founds(chain, "trading", ix)
    chain.fails("AccountDiscriminatorMismatch", swapped(ix, AUTHORITY, PARAMS), signers=signers)
    chain.fails("AccountOwnedByWrongProgram", swapped(ix, ORACLE, PARAMS), signers=signers)
    chain.fails("InvalidIntervalLength", unfounded.found_market(interval_s=60), signers=signers)
    chain.ok(ix, signers=signers)
    market = chain.account("trading", MARKET)
    assert (market.settler, market.authority) == (unfounded.settler.pubkey(), AUTHORITY)
    assert (market.pool, market.currency_mint, market.interval_s) == (POOL, unfounded.currency.pubkey(), INTERVAL_S)
    vaults = (market.wheeling_vault, market.platform_vault, market.loss_vault)
    assert vaults == (VAULTS["wheeling"], VAULTS["platform"], VAULTS["loss"])
    assert_in_use(chain.send(ix, signers=signers))


def test_a_currency_that_could_stop_withdrawals_is_refused(unfounded: Exchange) -> None:
    chain, signers = unfounded.chain, [unfounded.chain.upgrade_authority]
    unfounded.make_currency(decimals=2)
    chain.fails("UnsuitableCurrency", unfounded.found_market(), signers=signers)
    unfounded.make_currency(freezer=chain.payer.pubkey())
    chain.fails("UnsuitableCurrency", unfounded.found_market(), signers=signers)
    unfounded.make_currency()
    chain.ok(unfounded.found_market(), signers=signers)


def test_money_goes_in_and_out_to_the_micro(exchange: Exchange) -> None:
    chain, ann, bob = exchange.chain, exchange.trader("ann"), exchange.trader("bob")
    outcome = chain.ok(exchange.deposit(ann, 5_000_001), signers=[ann.key])
    assert outcome.event("Deposited").balance_micros == 5_000_001
    chain.ok(exchange.deposit(bob, 7), signers=[bob.key])
    outcome = chain.ok(exchange.withdraw(ann, 5_000_000), signers=[ann.key])
    assert (outcome.event("Withdrawn").balance_micros, exchange.balance(ann), exchange.balance(bob)) == (1, 1, 7)
    assert exchange.tokens(ann.token) == MONEY - 1
    chain.fails("InsufficientBalance", exchange.withdraw(ann, 2), signers=[ann.key])
    chain.fails("InsufficientBalance", exchange.withdraw(ann, 2**64 - 1), signers=[ann.key])
    chain.fails("NothingToDo", exchange.withdraw(ann, 0), signers=[ann.key])
    chain.fails("NothingToDo", exchange.deposit(ann, 0), signers=[ann.key])
    chain.ok(exchange.withdraw(ann, 1), signers=[ann.key])
    exchange.check_books()


def test_only_the_owner_moves_money(exchange: Exchange) -> None:
    chain = exchange.chain
    ann, eve = exchange.ready("ann"), exchange.ready("eve")
    theft = swapped(exchange.withdraw(eve, 1_000), eve.account, ann.account)
    chain.fails("WrongWallet", theft, signers=[eve.key])
    chain.fails("AccountNotSigner", unsigned(exchange.withdraw(ann, 1_000), ann.wallet))
    chain.fails("WrongWallet", swapped(exchange.deposit(eve, 9), eve.account, ann.account), signers=[eve.key])
    chain.fails("WrongWallet", swapped(exchange.set_mandate(eve), eve.account, ann.account), signers=[eve.key])
    from_ann = swapped(exchange.deposit(eve, 1_000), eve.token, ann.token)
    assert chain.send(from_ann, signers=[eve.key]).error is not None
    exchange.check_books()


def test_swapped_accounts_are_named(exchange: Exchange) -> None:
    chain, ann = exchange.chain, exchange.ready("ann")
    deposit, withdraw, sign = exchange.deposit(ann, 5), exchange.withdraw(ann, 5), [ann.key]
    chain.fails("WrongPool", swapped(deposit, POOL, VAULTS["loss"]), signers=sign)
    chain.fails("WrongPool", swapped(withdraw, POOL, VAULTS["loss"]), signers=sign)
    chain.fails("ConstraintDuplicateMutableAccount", swapped(withdraw, ann.token, POOL), signers=sign)
    chain.fails("AccountDiscriminatorMismatch", swapped(withdraw, ann.account, MARKET), signers=sign)
    chain.fails("AccountOwnedByWrongProgram", swapped(withdraw, MARKET, ORACLE), signers=sign)
    mint = swapped(deposit, exchange.currency.pubkey(), chain.key("other").pubkey())
    assert chain.send(mint, signers=sign).error in {"AccountOwnedByWrongProgram", "AccountNotInitialized"}
    exchange.check_books()


def test_one_account_per_wallet(exchange: Exchange) -> None:
    chain, ann, bob = exchange.chain, exchange.trader("ann"), exchange.chain.key("bob")
    exchange.campus.add_participant(bob)
    assert_in_use(chain.send(exchange.open_account(ann.wallet), signers=[ann.key]))
    at_anns = swapped(exchange.open_account(bob.pubkey()), account_address(bob.pubkey()), ann.account)
    chain.fails("ConstraintSeeds", at_anns, signers=[bob])
    chain.fails("AccountNotSigner", unsigned(exchange.open_account(bob.pubkey()), bob.pubkey()))
    assert chain.account("trading", MARKET).account_count == 1


def test_an_account_is_for_an_active_participant(exchange: Exchange) -> None:
    chain, ann, bob = exchange.chain, exchange.trader("ann"), exchange.chain.key("bob")
    ix = exchange.open_account(bob.pubkey())
    chain.fails("AccountNotInitialized", ix, signers=[bob])
    own = participant_address(bob.pubkey())
    chain.fails("NotParticipant", swapped(ix, own, participant_address(ann.wallet)), signers=[bob])
    exchange.campus.add_participant(bob)
    registered = chain.svm.get_account(own)
    assert registered is not None
    suspended = bytearray(registered.data)
    assert suspended[STATUS_AT] == 1
    suspended[STATUS_AT] = 2
    chain.svm.set_account(own, Account(registered.lamports, bytes(suspended), registered.owner))
    chain.fails("NotParticipant", ix, signers=[bob])
    chain.svm.set_account(own, registered)
    chain.ok(ix, signers=[bob])


def test_a_credit_is_free_when_its_settlement_is_closed(exchange: Exchange) -> None:
    chain, settler = exchange.chain, [exchange.settler]
    buyer = exchange.ready("buyer")
    seller = exchange.ready("seller", deposit=1_000_000, reserve_micros=500_000)
    lines = [
        ChainLine(buyer.wallet, bought_wh=100, debit_micros=425_000),
        ChainLine(seller.wallet, sold_wh=100, credit_micros=412_000),
    ]
    exchange.attest_and_open(START, lines)
    chain.ok(exchange.settle(START, 0, lines), signers=settler)
    assert exchange.balance(seller) == 1_412_000
    chain.fails("CreditOpen", exchange.withdraw(seller, 1_000_001), signers=[seller.key])
    chain.fails("ReserveLocked", exchange.withdraw(seller, 500_001), signers=[seller.key])
    chain.ok(exchange.withdraw(seller, 500_000), signers=[seller.key])
    chain.ok(exchange.close(START), signers=settler)
    chain.ok(exchange.withdraw(seller, 412_000), signers=[seller.key])
    assert exchange.balance(seller) == 500_000
    exchange.check_books(START)


def test_tokens_that_a_stranger_sends_to_the_pool_stop_nobody(exchange: Exchange) -> None:
    ann = exchange.ready("ann", reserve_micros=0)
    exchange.issue(POOL, 1)
    exchange.chain.ok(exchange.deposit(ann, 10), signers=[ann.key])
    exchange.chain.ok(exchange.withdraw(ann, 10_000_010), signers=[ann.key])
    assert (exchange.balance(ann), exchange.tokens(POOL)) == (0, 1)


def test_the_reserve_is_locked_until_a_day_after_the_last_covered_interval(exchange: Exchange) -> None:
    chain, ann = exchange.chain, exchange.ready("ann", deposit=3_000_000, reserve_micros=1_000_000, horizon_s=0)
    chain.fails("ReserveLocked", exchange.withdraw(ann, 2_000_001), signers=[ann.key])
    chain.ok(exchange.withdraw(ann, 2_000_000), signers=[ann.key])
    chain.fails("ReserveLocked", exchange.withdraw(ann, 1), signers=[ann.key])
    chain.advance(100)
    exchange.mandate(ann, expiry_s=0, reserve_micros=0)
    released = START + INTERVAL_S + DAY
    chain.set_time(released - 1)
    chain.fails("ReserveLocked", exchange.withdraw(ann, 1), signers=[ann.key])
    chain.set_time(released)
    chain.ok(exchange.withdraw(ann, 1_000_000), signers=[ann.key])
    exchange.check_books()


def test_an_expired_mandate_frees_its_reserve_by_the_clock_alone(exchange: Exchange) -> None:
    chain, ann = exchange.chain, exchange.ready("ann", expiry_s=START + 2 * INTERVAL_S)
    chain.set_time(START + 2 * INTERVAL_S + DAY - 1)
    chain.fails("ReserveLocked", exchange.withdraw(ann, 10_000_000), signers=[ann.key])
    chain.advance(1)
    chain.ok(exchange.withdraw(ann, 10_000_000), signers=[ann.key])


def test_pause_never_stops_money_or_mandates_or_a_settlement_that_is_open(exchange: Exchange) -> None:
    chain, ann, bob = exchange.chain, exchange.ready("ann"), exchange.ready("bob")
    lines = [
        ChainLine(ann.wallet, bought_wh=100, debit_micros=425_000),
        ChainLine(bob.wallet, sold_wh=100, credit_micros=412_000),
    ]
    exchange.attest_and_open(START, lines)
    exchange.campus.pause()
    chain.ok(exchange.withdraw(ann, 9_000_000), signers=[ann.key])
    chain.ok(exchange.deposit(ann, 1_000_000), signers=[ann.key])
    exchange.mandate(ann, max_wh=5)
    chain.ok(exchange.settle(START, 0, lines), signers=[exchange.settler])
    chain.ok(exchange.close(START), signers=[exchange.settler])
    later = START + INTERVAL_S
    exchange.attest_and_mint(later)
    chain.fails("Paused", exchange.open(later, lines), signers=[exchange.settler])
    chain.ok(exchange.close_empty(later), signers=[exchange.settler])
    exchange.check_books(START, later)
