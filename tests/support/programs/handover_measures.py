"""Compute units of another settler, other payees, and the collection of charges."""

from hub.chain import pdas
from hub.chain.instructions import actions, trading
from support.programs.decisions import executed
from support.programs.market_chain import founded_exchange
from support.programs.measure import Measure


def measures() -> list[Measure]:
    """Settler, payees, then one vault emptied."""
    exchange = founded_exchange()
    chain, campus, successor = exchange.chain, exchange.campus, exchange.chain.key("successor")
    decision = executed(campus, actions.change_settler(successor.pubkey()), wait_s=0)
    settler = chain.ok(trading.adopt_settler(successor.pubkey(), decision), signers=[successor])
    payee = exchange.token_account("payee", chain.key("treasury").pubkey())
    payees = dict.fromkeys(("wheeling", "platform", "loss"), payee)
    decision = executed(campus, actions.change_payees(**payees))
    named = chain.ok(trading.adopt_payees(**payees, proposal_index=decision))
    exchange.issue(pdas.vault("loss"), 1_000)
    collected = chain.ok(trading.collect_charges(exchange.currency.pubkey(), "loss", payee))
    return [
        Measure("trading", "adopt_settler", settler.compute_units),
        Measure("trading", "adopt_payees", named.compute_units),
        Measure("trading", "collect_charges", collected.compute_units),
    ]
