"""Governance hands the settling over and says where the charges go; nobody else does, and not by an old decision."""

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from hub.chain import pdas
from hub.chain.instructions import actions, governance, trading
from support.programs.chain_lines import ChainLine
from support.programs.decisions import approved, executed, proposed
from support.programs.market_chain import MARKET, POOL, VAULTS, Exchange
from support.programs.refusals import check_forgeries_are_refused
from support.programs.svm import START, swapped, unsigned

LIFETIME_S = 14 * 86_400
CHARGES = {"wheeling": 10_000, "platform": 2_500, "loss": 500}
"""Of 100 Wh at the default rates."""


@pytest.fixture
def successor(exchange: Exchange) -> Keypair:
    return exchange.chain.key("successor")


@pytest.fixture
def payees(exchange: Exchange) -> dict[str, Pubkey]:
    """A token account for each charge."""
    owner = exchange.chain.key("treasury").pubkey()
    return {name: exchange.token_account(name, owner) for name in CHARGES}


def decided(exchange: Exchange, successor: Pubkey) -> int:
    """Governance's decision for another settler; it does not wait."""
    return executed(exchange.campus, actions.change_settler(successor), wait_s=0)


def closed_interval(exchange: Exchange, settler: Keypair | None = None) -> None:
    """An interval of one trade of 100 Wh; begun by the first settler, ended by `settler`."""
    ann, bob = exchange.ready("ann"), exchange.ready("bob")
    lines = [
        ChainLine(bob.wallet, bought_wh=100, debit_micros=413_000),
        ChainLine(ann.wallet, sold_wh=100, credit_micros=400_000),
    ]
    exchange.attest_and_open(START, lines)
    if settler:
        exchange.chain.ok(
            trading.adopt_settler(settler.pubkey(), decided(exchange, settler.pubkey())), signers=[settler]
        )
        exchange.settler = settler
    exchange.chain.ok(exchange.settle(START, 0, lines), signers=[exchange.settler])
    exchange.chain.ok(exchange.close(START), signers=[exchange.settler])


def test_a_decided_settler_accepts_and_goes_on_with_what_has_begun(exchange: Exchange, successor: Keypair) -> None:
    former = exchange.settler
    closed_interval(exchange, successor)
    assert exchange.chain.account("trading", MARKET).settler == successor.pubkey()
    exchange.check_books(START)
    later = START + 900
    exchange.attest_and_mint(later)
    exchange.settler = former
    exchange.chain.fails("TooEarly", exchange.close_empty(later), signers=[former])


def test_only_the_decided_key_accepts(exchange: Exchange, successor: Keypair) -> None:
    chain, eve = exchange.chain, exchange.chain.key("eve")
    decision = decided(exchange, successor.pubkey())
    chain.fails("NotDecidedAccount", trading.adopt_settler(eve.pubkey(), decision), signers=[eve])
    settler = exchange.settler
    chain.fails("NotDecidedAccount", trading.adopt_settler(settler.pubkey(), decision), signers=[settler])
    ix = trading.adopt_settler(successor.pubkey(), decision)
    chain.fails("AccountNotSigner", unsigned(ix, successor.pubkey()))
    event = chain.ok(ix, signers=[successor]).event("SettlerAdopted")
    assert (event.settler, event.proposal_index) == (successor.pubkey(), decision)
    chain.fails("DecisionOvertaken", ix, signers=[successor])


def test_what_is_not_decided_is_not_adopted(exchange: Exchange, successor: Keypair) -> None:
    chain, key = exchange.chain, successor.pubkey()
    for number in (
        proposed(exchange.campus, actions.change_settler(key)),
        approved(exchange.campus, actions.change_settler(key)),
        executed(exchange.campus, actions.change_registrar(key)),
        executed(exchange.campus, actions.resolve(bytes(key))),
    ):
        chain.fails("NotDecided", trading.adopt_settler(key, number), signers=[successor])
    decision = decided(exchange, key)
    chain.advance(LIFETIME_S + 1)
    chain.fails("NotDecided", trading.adopt_settler(key, decision), signers=[successor])


def test_a_later_decision_holds(exchange: Exchange, successor: Keypair) -> None:
    chain, other = exchange.chain, exchange.chain.key("other")
    first, second = decided(exchange, successor.pubkey()), decided(exchange, other.pubkey())
    chain.ok(trading.adopt_settler(other.pubkey(), second), signers=[other])
    chain.fails("DecisionOvertaken", trading.adopt_settler(successor.pubkey(), first), signers=[successor])


def test_a_forged_decision_or_market_is_refused(exchange: Exchange, successor: Keypair) -> None:
    chain, decision = exchange.chain, decided(exchange, successor.pubkey())
    ix = trading.adopt_settler(successor.pubkey(), decision)
    for address, program in ((pdas.governance_proposal(decision), "governance"), (MARKET, "trading")):
        check_forgeries_are_refused(chain, ix, program, address, signers=[successor])


def test_charges_go_where_governance_says(exchange: Exchange, payees: dict[str, Pubkey]) -> None:
    chain, mint = exchange.chain, exchange.currency.pubkey()
    closed_interval(exchange)
    chain.fails("NoPayee", trading.collect_charges(mint, "loss", payees["loss"]))
    decision = executed(exchange.campus, actions.change_payees(**payees))
    event = chain.ok(trading.adopt_payees(**payees, proposal_index=decision)).event("PayeesAdopted")
    assert (event.wheeling, event.platform, event.loss) == tuple(payees.values())
    for charge, micros in CHARGES.items():
        ix = trading.collect_charges(mint, charge, payees[charge])
        event = chain.ok(ix).event("ChargesCollected")
        assert (event.vault, event.payee, event.amount_micros) == (VAULTS[charge], payees[charge], micros)
        assert (exchange.tokens(payees[charge]), exchange.tokens(VAULTS[charge])) == (micros, 0)
        chain.fails("NothingToDo", ix)
        exchange.check_books(START)
    assert chain.account("trading", MARKET).collected_total_micros == sum(CHARGES.values())


def test_charges_go_nowhere_else(exchange: Exchange, payees: dict[str, Pubkey]) -> None:
    chain, mint, eve = exchange.chain, exchange.currency.pubkey(), exchange.chain.key("eve")
    closed_interval(exchange)
    decision = executed(exchange.campus, actions.change_payees(**payees))
    chain.ok(trading.adopt_payees(**payees, proposal_index=decision))
    hers = exchange.token_account("eve", eve.pubkey())
    for other in (hers, payees["loss"], POOL, VAULTS["loss"]):
        chain.fails("NotDecidedAccount", trading.collect_charges(mint, "wheeling", other))
    ix = trading.collect_charges(mint, "wheeling", payees["wheeling"])
    for vault in (POOL, hers, payees["loss"]):
        chain.fails("WrongVault", swapped(ix, VAULTS["wheeling"], vault))
    chain.fails("NotDecidedAccount", swapped(ix, VAULTS["wheeling"], VAULTS["loss"]))
    exchange.check_books(START)


def test_payees_are_those_decided_and_able(exchange: Exchange, payees: dict[str, Pubkey]) -> None:
    chain, campus = exchange.chain, exchange.campus
    decision = executed(campus, actions.change_payees(**payees))
    mixed = {"wheeling": payees["loss"], "platform": payees["platform"], "loss": payees["wheeling"]}
    chain.fails("NotDecidedAccount", trading.adopt_payees(**mixed, proposal_index=decision))
    of_energy = exchange.token_account("energy", chain.key("treasury").pubkey(), pdas.energy_mint())
    for unable in (POOL, VAULTS["loss"], of_energy):
        bad = payees | {"platform": unable}
        number = executed(campus, actions.change_payees(**bad))
        chain.fails("UnsuitablePayee", trading.adopt_payees(**bad, proposal_index=number))
    wallet = payees | {"platform": chain.key("treasury").pubkey()}
    number = executed(campus, actions.change_payees(**wallet))
    chain.fails("AccountOwnedByWrongProgram", trading.adopt_payees(**wallet, proposal_index=number))
    settler_change = decided(exchange, chain.key("successor").pubkey())
    chain.fails("NotDecided", trading.adopt_payees(**payees, proposal_index=settler_change))
    waiting = approved(campus, actions.change_payees(**payees))
    chain.fails("TimeLocked", governance.execute(waiting))
    chain.fails("NotDecided", trading.adopt_payees(**payees, proposal_index=waiting))
    chain.ok(trading.adopt_payees(**payees, proposal_index=decision))
    chain.fails("DecisionOvertaken", trading.adopt_payees(**payees, proposal_index=decision))
