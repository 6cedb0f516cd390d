"""Scenes of trading that settle an interval. `BEFORE` has come as far as `HOME`, so that they can be mixed up."""

from collections.abc import Sequence

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from edge.wire import merkle
from hub.chain.instructions import trading
from support.programs.attacks.scene import Call, scene
from support.programs.attacks.world import ANOTHER, BEFORE, HOME, World
from support.programs.campus_chain import INTERVAL_S, interval_address
from support.programs.market_chain import VAULTS, minted_address, settlement_address

TOO_LATE_S = 12 * 3_600 + 1
ANYBODY_ABORTS_S = 24 * 3_600
LINE_ACCOUNTS = ["payer's account", "receiver's account"]


def _new_settlement(world: World, ix: Instruction, by: Keypair) -> Call:
    """A call that makes the settlement account of `HOME`; `BEFORE` is attested and minted too."""
    before = {"interval": interval_address(BEFORE), "minted": minted_address(BEFORE)}
    return Call(ix, [world.payer, by], start_s=HOME, addresses={"start_s": _settlement_of}, together={ANOTHER: before})


def _settlement_of(start_s: int) -> dict[str, Pubkey]:
    return {"settlement": settlement_address(start_s)}


@scene("trading", "open")
def open_settlement(world: World) -> Call:
    """The settler commits to the lines of an interval."""
    world.attested()
    world.certified.attest(HOME, world.meter_energy(), revision=2)
    return _new_settlement(world, world.exchange.open(HOME, world.lines(), price=4_000), world.settler)


@scene("trading", "settle")
def settle(world: World) -> Call:
    """The settler settles both lines at once."""
    world.opened(BEFORE, HOME)
    return Call(world.exchange.settle(HOME, 0, world.lines()), [world.settler], start_s=HOME, more=LINE_ACCOUNTS)


@scene("trading", "settle", "receiver")
def settle_receiver(world: World) -> Call:
    """The settler settles the receiving line; the paying ones are settled."""
    world.settled(BEFORE, HOME, lines=1)
    settled = world.exchange.settle(HOME, 1, world.lines()[1:])
    return Call(settled, [world.settler], start_s=HOME, more=LINE_ACCOUNTS[1:])


@scene("trading", "abort")
def abort(world: World) -> Call:
    """The settler aborts a settlement."""
    world.settled(BEFORE, HOME)
    return Call(world.exchange.abort(HOME), [world.settler], start_s=HOME)


@scene("trading", "abort", "anybody")
def abort_by_anybody(world: World) -> Call:
    """Ben aborts a settlement a day after its interval."""
    world.settled(BEFORE, HOME)
    world.chain.set_time(HOME + INTERVAL_S + ANYBODY_ABORTS_S)
    return Call(world.exchange.abort(HOME, world.ben.wallet), [world.ben.key], start_s=HOME)


@scene("trading", "return_lines")
def return_lines(world: World) -> Call:
    """Anybody brings both lines of an aborted settlement back."""
    world.aborted(BEFORE, HOME)
    returned = world.exchange.return_lines(HOME, world.lines(), 0, 2)
    return Call(returned, start_s=HOME, more=LINE_ACCOUNTS)


@scene("trading", "close_aborted")
def close_aborted(world: World) -> Call:
    """Anybody closes a settlement that is aborted and returned."""
    world.aborted(BEFORE, HOME)
    for start_s in (BEFORE, HOME):
        world.chain.ok(world.exchange.return_lines(start_s, world.lines(start_s), 0, 2))
    return Call(world.exchange.close_aborted(HOME), start_s=HOME)


@scene("trading", "close")
def close(world: World) -> Call:
    """The settler closes a settlement whose lines are all settled."""
    world.settled(BEFORE, HOME)
    others = {f"{name}_vault": {"another vault": VAULTS[other]} for name, other in _next_vaults()}
    return Call(world.exchange.close(HOME), [world.settler], start_s=HOME, others=others)


def _next_vaults() -> Sequence[tuple[str, str]]:
    return [("wheeling", "platform"), ("platform", "loss"), ("loss", "wheeling")]


@scene("trading", "close_empty")
def close_empty(world: World) -> Call:
    """The settler closes an interval without trades."""
    world.certified.attest(HOME, world.meter_energy())
    world.chain.ok(world.exchange.mint_interval(HOME))
    world.certified.attest(HOME, world.meter_energy(), revision=2)
    return _close_empty(world, world.settler)


@scene("trading", "close_empty", "anybody")
def close_empty_by_anybody(world: World) -> Call:
    """Ben closes an interval that is too late to open."""
    world.attested()
    world.chain.set_time(HOME + INTERVAL_S + TOO_LATE_S)
    return _close_empty(world, world.ben.key)


def _close_empty(world: World, by: Keypair) -> Call:
    return _new_settlement(world, world.exchange.close_empty(HOME, by.pubkey()), by)


@scene("trading", "verify_line")
def verify_line(world: World) -> Call:
    """Somebody shows Ann's line of an interval."""
    world.settled(BEFORE, HOME)
    lines = world.lines()
    path = merkle.path([line.leaf(HOME, index) for index, line in enumerate(lines)], 1)
    shown = trading.Line(world.ann.wallet, lines[1].sold_wh, 0, lines[1].credit_micros, 0)
    return Call(trading.verify_line(HOME, 1, shown, path), start_s=HOME)
