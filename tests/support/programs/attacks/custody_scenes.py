"""Scenes of trading that are about money and who moves it: accounts, mandates, and what governance hands over."""

from solders.pubkey import Pubkey

from hub.chain.instructions import actions, trading
from support.programs.attacks.scene import Call, founding, scene
from support.programs.attacks.world import HOME, World
from support.programs.decisions import executed
from support.programs.market_chain import VAULTS, account_address

OURS = 1
CHARGES = ("wheeling", "platform", "loss")
MICROS = 1_000_000


@founding("trading")
def initialize(world: World) -> Call:
    """The deployer makes the market, its pool and its vaults."""
    campus, founder = world.campus, world.chain.upgrade_authority
    before = (campus.found_governance(), campus.found_registry(), campus.found_oracle(), world.exchange.found_energy())
    for ix in before:
        world.chain.ok(ix, signers=[founder])
    world.exchange.make_currency()
    return Call(world.exchange.found_market(), [world.payer, founder])


@scene("trading", "open_account")
def open_account(world: World) -> Call:
    """Cid opens an account."""
    wallet = world.stranger.pubkey()
    strangers = {"wallet": wallet, "account": account_address(wallet)}
    opened = world.exchange.open_account(world.cid.pubkey())
    return Call(opened, [world.payer, world.cid], together={"stranger": strangers})


@scene("trading", "deposit")
def deposit(world: World) -> Call:
    """Ann brings money."""
    return Call(world.exchange.deposit(world.ann, MICROS), [world.ann.key])


@scene("trading", "withdraw")
def withdraw(world: World) -> Call:
    """Ann takes money out."""
    return Call(world.exchange.withdraw(world.ann, MICROS), [world.ann.key])


@scene("trading", "set_mandate")
def set_mandate(world: World) -> Call:
    """Ann signs her second mandate."""
    return Call(world.exchange.set_mandate(world.ann, max_wh=9_000), [world.ann.key])


@scene("trading", "adopt_settler")
def adopt_settler(world: World) -> Call:
    """The decided settler accepts; the other decision names another."""
    new = world.chain.key("new settler")
    for key in (world.stranger, new):
        executed(world.campus, actions.change_settler(key.pubkey()), wait_s=0)
    return Call(trading.adopt_settler(new.pubkey(), OURS), [new])


@scene("trading", "adopt_payees")
def adopt_payees(world: World) -> Call:
    """Anybody names the payees that are decided; the other decision names Ben."""
    treasury = _treasury(world)
    for payee in (world.ben.token, treasury):
        executed(world.campus, actions.change_payees(*[payee] * 3))
    return Call(trading.adopt_payees(treasury, treasury, treasury, OURS))


@scene("trading", "collect_charges")
def collect_charges(world: World) -> Call:
    """Anybody brings the loss charges of an interval to their payee; wheeling and platform have another."""
    treasury = _treasury(world)
    other = world.exchange.token_account("second treasury", world.stranger.pubkey())
    world.settled(HOME)
    world.chain.ok(world.exchange.close(HOME), signers=[world.settler])
    decision = executed(world.campus, actions.change_payees(other, other, treasury))
    world.chain.ok(trading.adopt_payees(other, other, treasury, proposal_index=decision))
    collected = trading.collect_charges(world.exchange.currency.pubkey(), "loss", treasury)
    others = {"vault": {"another vault": VAULTS["platform"]}, "payee": {"another payee": other}}
    return Call(collected, others=others)


def _treasury(world: World) -> Pubkey:
    return world.exchange.token_account("treasury", world.chain.key("treasury").pubkey())
